# SPDX-License-Identifier: GPL-2.0-or-later
"""Names for code addresses, from the symbol tables of the kernel's and the modules' ELF files.

The machine does not know which program an address space belongs to, so a user address is named only where
exactly one module has code there. A kernel is named by physical addresses too: it runs before paging is on.
"""

from __future__ import annotations

import bisect
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringscope.bootimage import ImageError, elf

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SYMBOL_TABLE = 2  # SHT_SYMTAB
#: 32: name value size info other shndx. 64: name info other shndx value size.
ENTRY = {32: struct.Struct("<IIIBBH"), 64: struct.Struct("<IBBHQQ")}
NO_TYPE, OBJECT, FUNCTION = range(3)  # STT_NOTYPE (labels of assembly), STT_OBJECT, STT_FUNC
UNDEFINED, ABSOLUTE = 0, 0xFFF1  # section indices
EXECUTABLE = 1  # PF_X


@dataclass(frozen=True, order=True)
class Symbol:
    """A function or label: where it begins and how long it is in bytes, 0 where the file does not say.

    Of several at one place the last in order names it: a function before a label of the linker's script.
    """

    address: int
    is_function: bool
    size: int
    name: str


@dataclass(frozen=True)
class Range:
    """Code at virtual addresses from ``start`` up to ``end``, loaded at ``paddr``."""

    start: int
    end: int
    paddr: int


@dataclass(frozen=True)
class Program:
    """One ELF file: its code and the symbols in it, ascending by address."""

    name: str
    code: tuple[Range, ...]
    symbols: tuple[Symbol, ...]

    @staticmethod
    def read(data: bytes, name: str) -> Program | None:
        """Return what the file says; None if it is not a sound ELF file."""
        try:
            file = elf.parse(data, name)
        except ImageError:
            return None
        code = tuple(
            Range(segment.vaddr, segment.vaddr + segment.memory_size, segment.paddr)
            for segment in file.segments
            if segment.flags & EXECUTABLE
        )
        return Program(name, code, tuple(sorted(_symbols(file))))

    def covers(self, address: int) -> bool:
        """Return whether the program has code at a virtual address."""
        return any(part.start <= address < part.end for part in self.code)

    def virtual(self, paddr: int) -> int | None:
        """Return the virtual address that the code at a physical one is linked for."""
        for part in self.code:
            if part.paddr <= paddr < part.paddr + part.end - part.start:
                return part.start + paddr - part.paddr
        return None

    def find(self, address: int) -> Symbol | None:
        """Return the symbol that a virtual address belongs to: the last that begins and has not ended."""
        if not self.covers(address):
            return None
        at = bisect.bisect_right(self.symbols, address, key=lambda symbol: symbol.address)
        for symbol in reversed(self.symbols[:at]):
            if address < symbol.address + symbol.size or symbol.size == 0:
                return symbol
        return None

    def describe(self, address: int) -> str | None:
        """Return ``symbol+0x12`` for a virtual address, or None."""
        symbol = self.find(address)
        return None if symbol is None else f"{symbol.name}+{address - symbol.address:#x}"


def _symbols(file: elf.ElfFile) -> Iterator[Symbol]:
    """Yield the code symbols of a file; a table that is damaged has none."""
    for name, kind, value, size in defined(file):
        if kind in (NO_TYPE, FUNCTION):
            yield Symbol(value, kind == FUNCTION, size, name)


def defined(file: elf.ElfFile) -> Iterator[tuple[str, int, int, int]]:
    """Yield what a file's symbol tables define: name, type, value and size in bytes."""
    layout = ENTRY[file.bits]
    for section in file.sections:
        if section.kind != SYMBOL_TABLE or section.link >= len(file.sections):
            continue
        names = file.content(file.sections[section.link])
        table = file.content(section)
        for fields in layout.iter_unpack(table[: len(table) // layout.size * layout.size]):
            if file.bits == 32:
                label, value, size, info, _, index = fields
            else:
                label, info, _, index, value, size = fields
            name = names[label:].partition(b"\0")[0].decode("utf-8", "replace")
            if index not in (UNDEFINED, ABSOLUTE) and name:
                yield name, info & 0xF, value, size


class SymbolTable:
    """The names of everything that was booted."""

    def __init__(self, kernel: bytes | None, modules: Iterable[tuple[str, bytes]]) -> None:
        """``kernel`` is the kernel's ELF file if it has one, ``modules`` are (name, content)."""
        self._kernel = None if kernel is None else Program.read(kernel, "")
        programs = (Program.read(data, name) for name, data in modules)
        self._modules = [program for program in programs if program is not None]

    def linked(self, address: int) -> int:
        """Return the address that kernel code is linked for, given one where it runs before paging."""
        if self._kernel is None or self._kernel.covers(address):
            return address
        return self._kernel.virtual(address) or address

    def function_size(self, address: int, program: str | None) -> int:
        """Return the bytes of the function at an address of a module, or of the kernel; 0 where unknown."""
        if program is None:
            files = [self._kernel] if self._kernel is not None else []
        else:
            files = [one for one in self._modules if one.name == program]
        symbol = files[0].find(address) if files else None
        return 0 if symbol is None else symbol.size

    def describe(self, address: int, *, user: bool = False) -> str | None:
        """Return ``symbol+0x12``, after the module's name if it is in one, or None.

        ``user`` says that the address was executed in ring 3, where the kernel's names mean nothing.
        """
        kernel = self._kernel
        if kernel is not None and not user:
            place = address if kernel.covers(address) else kernel.virtual(address)
            name = None if place is None else kernel.describe(place)
            if name is not None:
                return name
        programs = [program for program in self._modules if program.covers(address)]
        name = programs[0].describe(address) if len(programs) == 1 else None
        return None if name is None else f"{programs[0].name}: {name}"

    def describe_in(self, program: str, address: int) -> str | None:
        """Return ``symbol+0x12`` for a user address in the module of that name, or None."""
        return next((one.describe(address) for one in self._modules if one.name == program), None)
