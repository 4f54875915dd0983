# SPDX-License-Identifier: GPL-2.0-or-later
"""Which program runs in which address space: known by its code.

A machine sees address spaces as roots of page tables. Programs linked at the same addresses are told apart by
comparing the page of code that a space executes with what each module's file has there. A space that executes
nobody's code is called by its root.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringscope.bootimage import ImageError, elf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ringscope.emulator.cpu.engine import Engine

PAGE = 0x1000


class AddressSpaces:
    """The names of address spaces, by root.

    ``read`` returns up to a number of bytes at a virtual address of a space. ``modules`` are (name, content);
    those that are no ELF files run nowhere.
    """

    def __init__(self, read: Callable[[int, int, int], bytes], modules: Iterable[tuple[str, bytes]]) -> None:
        """Know no space yet."""
        self._read = read
        self._programs: list[tuple[str, elf.ElfFile]] = []
        for name, data in modules:
            try:
                self._programs.append((name, elf.parse(data, name)))
            except ImageError:
                continue
        self.program: dict[int, str | None] = {}

    @staticmethod
    def on(engine: Engine, modules: Iterable[tuple[str, bytes]]) -> AddressSpaces:
        """Return those of a machine that was booted with some modules."""
        return AddressSpaces(lambda space, at, size: engine.read_virtual(at, size, space), modules)

    def learn(self, space: int, pc: int) -> None:
        """Find out whose space it is that executes the instruction at ``pc``, while it still does."""
        if space in self.program:
            return
        start = pc & -PAGE
        page = self._read(space, start, PAGE)
        self.program[space] = next(
            (name for name, program in self._programs if _has(program, start, page)), None
        )


def _has(program: elf.ElfFile, start: int, page: bytes) -> bool:
    """Whether the file has code at the page's addresses, and all that it has there is what the page says."""
    found = False
    for segment in program.segments:
        first = max(start, segment.vaddr)
        end = min(start + len(page), segment.vaddr + len(segment.data))
        if first >= end:
            continue
        if segment.data[first - segment.vaddr : end - segment.vaddr] != page[first - start : end - start]:
            return False
        found = True
    return found
