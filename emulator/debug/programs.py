# SPDX-License-Identifier: GPL-2.0-or-later
"""Everything that was booted, as a debugger knows it: each program's symbols, source lines and call frames.

A place is a program and an address in it; None as the program is the kernel. A symbol is written ``name``,
or ``program:name`` where the program is not the kernel or to choose among several; a program is called by
its file's name with or without its suffix.
"""

from __future__ import annotations

import bisect
import difflib
import fnmatch
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from ringscope.bootimage import ImageError, elf
from ringscope.emulator.debug.call_frames import CallFrames
from ringscope.emulator.debug.source_lines import SourceLines
from ringscope.emulator.debug.symbols import FUNCTION, NO_TYPE, OBJECT, SymbolTable, defined
from ringscope.emulator.debug.variables import Variables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ringscope.emulator.debug.source_lines import Place
    from ringscope.emulator.debug.variables import Variable

KERNEL: Final = "kernel"
KINDS: Final = frozenset((NO_TYPE, OBJECT, FUNCTION))


class UnknownSymbol(Exception):
    """No program, or none of them uniquely, has what a name or a line means; one sentence for the user."""


@dataclass(frozen=True, order=True)
class Symbol:
    """A function, a variable or a label; ``size`` in bytes, 0 where the file does not say."""

    address: int
    size: int
    name: str


@dataclass(frozen=True)
class Location:
    """An address in a program; None is the kernel."""

    program: str | None
    address: int


class _Program:
    """One ELF file; its tables are read when first needed."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.frames = CallFrames(data)
        self.variables = Variables(data, self.frames)

    @cached_property
    def symbols(self) -> dict[str, list[Symbol]]:
        """By name, in the order of their addresses."""
        found: dict[str, list[Symbol]] = {}
        try:
            entries = list(defined(elf.parse(self._data, "")))
        except ImageError:
            entries = []
        for name, kind, value, size in entries:
            if kind in KINDS and not name.startswith("$"):  # which AArch64 marks code and data with
                found.setdefault(name, []).append(Symbol(value, size, name))
        return {name: sorted(symbols) for name, symbols in found.items()}

    @cached_property
    def _sized(self) -> list[Symbol]:
        """Those of known size, by address."""
        return sorted(symbol for symbols in self.symbols.values() for symbol in symbols if symbol.size)

    def around(self, address: int) -> Symbol | None:
        """Return the symbol of known size that an address lies in."""
        at = bisect.bisect_right(self._sized, address, key=lambda symbol: symbol.address)
        symbol = self._sized[at - 1] if at else None
        return symbol if symbol is not None and address < symbol.address + symbol.size else None


def label(program: str | None) -> str:
    """Return what a program is called."""
    return KERNEL if program is None else program.removesuffix(".elf")


class Programs:
    """The kernel's ELF file, if it has one, and the modules' as (name, content)."""

    def __init__(self, kernel: bytes | None, modules: Iterable[tuple[str, bytes]]) -> None:
        """Read nothing yet but the symbols of code."""
        modules = list(modules)
        self._programs: dict[str | None, _Program] = {} if kernel is None else {None: _Program(kernel)}
        for name, data in modules:
            self._programs.setdefault(name, _Program(data))
        self.table = SymbolTable(kernel, modules)
        self.lines = SourceLines(kernel, modules)
        self.kernel = kernel

    @property
    def names(self) -> list[str]:
        """What the programs are called, the kernel first."""
        return [label(program) for program in self._programs]

    def program(self, name: str) -> str | None:
        """Return the program that is called so; None is the kernel. Raises UnknownSymbol."""
        for program in self._programs:
            if name in (label(program), program):
                return program
        near = difflib.get_close_matches(name, self.names)
        there = f"did you mean {near[0]}?" if near else f"there are {', '.join(self.names) or 'none'}"
        raise UnknownSymbol(f"no program is called {name}: {there}")

    def find(self, name: str, inside: str | None = None) -> tuple[Location, Symbol]:
        """Return a symbol by its name: the kernel's first, then that of the program ``inside`` which we are.

        Raises UnknownSymbol.
        """
        before, colon, rest = name.partition(":")
        if colon:
            program = self.program(before)
            found = self._programs[program].symbols.get(rest)
            if found is None:
                raise UnknownSymbol(f"{label(program)} has no symbol {rest}{self._near(rest, [program])}")
            return Location(program, found[0].address), found[0]
        for program in dict.fromkeys((inside, None)):
            found = self._programs[program].symbols.get(name) if program in self._programs else None
            if found is not None:
                return Location(program, found[0].address), found[0]
        others = [program for program, each in self._programs.items() if name in each.symbols]
        if len(others) == 1:
            symbol = self._programs[others[0]].symbols[name][0]
            return Location(others[0], symbol.address), symbol
        if others:
            raise UnknownSymbol(f"{name} is in several programs; write {_listed(others, name)}")
        raise UnknownSymbol(f"no symbol is called {name}{self._near(name, list(self._programs))}")

    def _near(self, name: str, programs: Iterable[str | None]) -> str:
        names = [each for program in programs for each in self._programs[program].symbols]
        near = difflib.get_close_matches(name, names, n=1)
        return f"; did you mean {near[0]}?" if near else ""

    def at_line(self, file: str, line: int, program: str | None, *, any_program: bool) -> list[Location]:
        """Return where the code of a line begins, in one program or in all. Raises UnknownSymbol."""
        found = [Location(*place) for place in self.lines.addresses(file, line)]
        if not any_program:
            found = [place for place in found if place.program == program]
        if not found:
            where = "" if any_program else f" of {label(program)}"
            raise UnknownSymbol(f"{file}:{line}: no code{where} is known to be there")
        return found

    def matching(self, pattern: str) -> Iterator[tuple[str, Symbol]]:
        """Yield (program's name, symbol) for the symbols that a pattern of the shell matches."""
        for program, each in self._programs.items():
            for name, symbols in each.symbols.items():
                if fnmatch.fnmatchcase(name, pattern):
                    yield label(program), symbols[0]

    def completions(self, begin: str) -> list[str]:
        """Return the names that begin so: of symbols, of programs with a colon, of their symbols."""
        before, colon, rest = begin.partition(":")
        if colon:
            try:
                symbols = self._programs[self.program(before)].symbols
            except UnknownSymbol:
                return []
            return sorted(f"{before}:{name}" for name in symbols if name.startswith(rest))
        programs = [f"{name}:" for name in self.names if name.startswith(begin)]
        kernel = self._programs[None].symbols if None in self._programs else {}
        return programs + sorted(name for name in kernel if name.startswith(begin))

    # ---- by address ----

    def describe(self, address: int, program: str | None, *, user: bool) -> str | None:
        """Return ``symbol+0x12`` for a code address, with ``program: `` before it in user mode."""
        if not user or program is None:
            return self.table.describe(address, user=user)
        inside = self.table.describe_in(program, address)
        return None if inside is None else f"{label(program)}: {inside}"

    def function_size(self, address: int, program: str | None, *, user: bool) -> int:
        """Return the bytes of the function at a code address; 0 where its file does not say."""
        if user and program is None:
            return 0
        return self.table.function_size(address, program if user else None)

    def place(self, address: int, program: str | None, *, user: bool) -> Place | None:
        """Return the source line of a code address."""
        if user and program is None:
            return None
        return self.lines.at(address, program if user else None)

    def linked(self, address: int) -> int:
        """Return the address that kernel code is linked for, given one where it runs before paging."""
        return self.table.linked(address)

    def frames(self, program: str | None, *, user: bool) -> CallFrames | None:
        """Return a program's call-frame information."""
        found = self._at(program, user=user)
        return None if found is None else found.frames

    def variables(self, address: int, program: str | None, *, user: bool) -> list[Variable]:
        """Return the arguments and local variables that the source has at a code address."""
        found = self._at(program, user=user)
        return [] if found is None else found.variables.at(address)

    def _at(self, program: str | None, *, user: bool) -> _Program | None:
        if user and program is None:
            return None
        return self._programs.get(program if user else None)

    def data_symbol(self, address: int, program: str | None, *, user: bool) -> str | None:
        """Return ``symbol+0x12`` for any address inside a symbol of known size."""
        for where in dict.fromkeys((program if user else None, None)):
            symbol = self._programs[where].around(address) if where in self._programs else None
            if symbol is not None:
                offset = f"+{address - symbol.address:#x}" if address != symbol.address else ""
                before = f"{label(where)}: " if where is not None else ""
                return f"{before}{symbol.name}{offset}"
        return None


def _listed(programs: Iterable[str | None], name: str) -> str:
    return " or ".join(f"{label(program)}:{name}" for program in programs)
