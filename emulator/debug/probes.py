# SPDX-License-Identifier: GPL-2.0-or-later
"""Probes on the symbols of whatever was booted: what they mean as addresses, and what they counted.

A symbol is the kernel's, or a program's in user mode: ``program`` is then the module's file name, with or
without its suffix. Programs at one address are told apart by their code, as debug/spaces.py does.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringscope.bootimage import ImageError, elf
from ringscope.emulator import probing
from ringscope.emulator.debug.symbols import EXECUTABLE, Program

if TYPE_CHECKING:
    from ringscope.bootimage import LoadedImage
    from ringscope.bootimage.arm64 import LoadedArm64
    from ringscope.emulator.cpu.engine import Engine
    from ringscope.emulator.machine import Machine

    Image = LoadedImage | LoadedArm64

PAGE = 0x1000


class PlaceError(ValueError):
    """What was booted has no such place; the message is one sentence for the user."""


@dataclass(frozen=True)
class Place:
    """A code address; ``page`` is (offset, bytes) of a user program's page there, None in the kernel."""

    name: str
    address: int
    page: tuple[int, bytes] | None

    def is_next(self, engine: Engine) -> bool:
        """Whether an engine that is at the address is at the place, too: in its ring, and in its program."""
        if self.page is None or not engine.in_user_mode:
            return self.page is None and not engine.in_user_mode
        offset, code = self.page
        return engine.read_virtual((self.address & -PAGE) + offset, len(code)) == code


def find(image: Image, symbol: str | int, program: str | None = None) -> Place:
    """Return where a symbol is; an address stands for itself. Raises PlaceError."""
    name, data = _file(image, program)
    read = None if data is None else Program.read(data, name)
    if isinstance(symbol, int):
        address = symbol
    else:
        if read is None:
            raise PlaceError(f"{symbol}: {name} has no symbols; name an address")
        found = [each for each in read.symbols if each.name == symbol]
        if not found:
            raise PlaceError(f"{symbol}: {name} has no such symbol{_alike(symbol, read)}")
        address = max(found, key=lambda each: each.is_function).address
    label = symbol if isinstance(symbol, str) else f"{symbol:#x}"
    if program is None or data is None:
        return Place(label, address, None)
    return Place(f"{name}: {label}", address, _page(data, name, address))


def _file(image: Image, program: str | None) -> tuple[str, bytes | None]:
    """Return the name and content of the kernel's or a module's file; None where the kernel is no ELF."""
    if program is None:
        return "the kernel", image.kernel_elf
    names = [module.name for module in image.modules]
    for module in image.modules:
        if program in (module.name, module.name.removesuffix(".elf")):
            return module.name, module.data
    raise PlaceError(f"{program}: no module has that name; there are {', '.join(names) or 'none'}")


def _alike(symbol: str, program: Program) -> str:
    close = difflib.get_close_matches(symbol, [each.name for each in program.symbols], 3)
    return f"; did you mean {' or '.join(close)}?" if close else ""


def _page(data: bytes, name: str, address: int) -> tuple[int, bytes]:
    """Return what a program's file has on the page of a code address."""
    start = address & -PAGE
    try:
        segments = elf.parse(data, name).segments
    except ImageError as error:
        raise PlaceError(f"{name}: is no program: {error}") from error
    for segment in segments:
        first, end = max(start, segment.vaddr), min(start + PAGE, segment.vaddr + len(segment.data))
        if segment.flags & EXECUTABLE and first <= address < end:
            return first - start, segment.data[first - segment.vaddr : end - segment.vaddr]
    raise PlaceError(f"{name}: has no code at {address:#x}")


@dataclass(frozen=True)
class Words:
    """What is to be probed, as it is written: ``name``, ``program:name``, ``from..until``, addresses too."""

    text: str
    begin: str | int
    until: str | int | None
    program: str | None

    @staticmethod
    def read(text: str) -> Words:
        """Take the words apart. Raises PlaceError for none."""
        program, colon, symbols = text.partition(":") if ":" in text else ("", "", text)
        begin, _, until = (part.strip() for part in symbols.partition(".."))
        until = until.removeprefix(program + colon)  # which may be said twice
        if not begin:
            raise PlaceError(f"{text!r} names no symbol; write SYMBOL, PROGRAM:SYMBOL or FROM..UNTIL")
        return Words(text, _address(begin), _address(until) or None, program.strip() or None)


def _address(symbol: str) -> str | int:
    try:
        return int(symbol, 16) if symbol[:2].lower() == "0x" else symbol
    except ValueError:
        return symbol


class Probe:
    """A probe that watches; ``name`` and ``number`` are those of its entry in the ledger."""

    def __init__(self, machine: Machine, image: Image, words: Words) -> None:
        """Watch from the next block on. Raises PlaceError, and ValueError if the probes are too many."""
        begin = find(image, words.begin, words.program)
        end = None if words.until is None else find(image, words.until, words.program)
        self.name = words.text or (begin.name if end is None else f"{begin.name}..{end.name}")
        engine = machine.engine
        self._engine: Engine | None = engine
        self._entries = 0
        until = None if end is None else end.address
        self.number = probing.add_probe(engine, begin.address, until, begin.page)
        machine.mark_names[self.number] = self.name

    @property
    def entries(self) -> int:
        """How often it was entered; the ledger's count is how often it also ended."""
        return self._entries if self._engine is None else probing.entries(self._engine, self.number)

    def close(self) -> None:
        """Keep the number of entries: the engine is going."""
        self._entries, self._engine = self.entries, None
