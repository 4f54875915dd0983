# SPDX-License-Identifier: GPL-2.0-or-later
"""What places are called: process, function, source line; and the functions that a way leads through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringscope.emulator.attribution.costs import ROOT
from ringscope.emulator.debug.source_lines import SourceLines
from ringscope.emulator.debug.symbols import Program
from ringscope.emulator.trace.threads import label

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from ringscope.emulator.attribution.costs import Place, Way
    from ringscope.emulator.debug.source_lines import Place as Line

PAGE = 0x1000
THE_KERNEL = "kernel"  # what is called so where there is no program's name


@dataclass(frozen=True, order=True)
class Function:
    """A function of a program; ``start`` is its first address.

    The kernel's program is THE_KERNEL, that of user code nobody has a file of its address space. Code without
    a symbol is a function for each page: ``[unknown] 0x401000``.
    """

    program: str
    name: str
    start: int
    user: bool

    @property
    def ring(self) -> str:
        """The ring it runs in."""
        return "user" if self.user else "kernel"


class Names:
    """Names for one run's places.

    ``programs`` are the names of programs by address space, ``kernel`` and ``modules`` their files; ``roots``
    are where sources lie.
    """

    def __init__(
        self,
        programs: Mapping[int, str | None],
        kernel: bytes | None,
        modules: Iterable[tuple[str, bytes]],
        roots: Iterable[Path],
    ) -> None:
        """Read the symbol tables."""
        files = list(modules)
        self._spaces = programs
        self._kernel = None if kernel is None else Program.read(kernel, THE_KERNEL)
        self._programs = {name: Program.read(data, name) for name, data in files}
        self._files = {label(name): name for name, _ in files}
        self.lines = SourceLines(kernel, files, roots)
        self._functions: dict[tuple[int, int, bool], Function] = {}
        self._ways: dict[int, tuple[Function, ...]] = {ROOT: ()}

    def process(self, space: int) -> str:
        """Return whose an address space is: a program's name, or its root."""
        return label(self._spaces.get(space)) or f"space {space:#x}"

    def _program(self, space: int, user: bool) -> Program | None:
        return self._programs.get(self._spaces.get(space) or "") if user else self._kernel

    def linked(self, space: int, address: int, *, user: bool) -> int:
        """Return the address that code is linked for: early, a kernel runs where it is loaded."""
        program = self._program(space, user)
        if user or program is None or program.covers(address):
            return address
        virtual = program.virtual(address)
        return address if virtual is None else virtual

    def function(self, space: int, address: int, *, user: bool) -> Function:
        """Return the function that an address belongs to in an address space and a ring."""
        key = (space if user else 0, address, user)
        if key not in self._functions:
            self._functions[key] = self._find(*key)
        return self._functions[key]

    def _find(self, space: int, address: int, user: bool) -> Function:
        owner = self.process(space) if user else THE_KERNEL
        program = self._program(space, user)
        symbol = None if program is None else program.find(self.linked(space, address, user=user))
        if symbol is None:
            page = address & -PAGE
            return Function(owner, f"[unknown] {page:#x}", page, user)
        return Function(owner, symbol.name, symbol.address, user)

    def line(self, place: Place) -> Line | None:
        """Return the source line of a place."""
        program = self._spaces.get(place.space) if place.user else None
        if place.user and program is None:
            return None
        return self.lines.at(place.address, program)

    def beginning(self, function: Function) -> Line | None:
        """Return the source line that a function begins on."""
        if function.user and function.program not in self._files:
            return None
        return self.lines.at(function.start, self._files[function.program] if function.user else None)

    def of(self, place: Place) -> Function:
        """Return the function of a place."""
        return self.function(place.space, place.address, user=place.user)

    def caller(self, way: Way) -> Function:
        """Return the function that a way leaves."""
        return self.function(way.space, way.site, user=way.user)

    def leading(self, ways: tuple[Way, ...], number: int) -> tuple[Function, ...]:
        """Return the functions that a way leads through, the outermost first, without where it arrives."""
        missing = []
        while number not in self._ways:
            missing.append(number)
            number = ways[number].parent
        for one in reversed(missing):
            self._ways[one] = (*self._ways[ways[one].parent], self.caller(ways[one]))
        return self._ways[missing[0] if missing else number]
