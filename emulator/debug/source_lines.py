# SPDX-License-Identifier: GPL-2.0-or-later
"""Source lines for code addresses and the other way round, from the DWARF line tables of kernel and modules.

A program is read the first time it is asked about. Which program an address belongs to the caller says:
programs are linked at the same addresses and told apart by their address space (``spaces.py``). The kernel is
found by physical addresses too, as in ``symbols.py``. Of DWARF, versions 2 to 5 say the same here; a table
that is damaged has no lines. Source: DWARF 5, section 6.2.
"""

from __future__ import annotations

import bisect
import io
import posixpath
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from elftools.common.exceptions import DWARFError, ELFError
from elftools.construct import ConstructError
from elftools.elf.elffile import ELFFile

from ringscope.emulator.debug.symbols import Program

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from elftools.dwarf.dwarfinfo import DWARFInfo
    from elftools.dwarf.lineprogram import LineProgram

#: What a reader of damaged tables may meet.
DAMAGE = (
    ELFError,
    DWARFError,
    ConstructError,
    ValueError,
    LookupError,
    AttributeError,
    TypeError,
    OverflowError,
)
DIRECTORIES_COUNT_FROM_0 = 5  # the DWARF version


@dataclass(frozen=True, order=True)
class Place:
    """A line of source; ``file`` is the path that the compiler wrote down, ``line`` counts from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        """Write it as compilers do."""
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Row:
    """From ``address`` to the next row's the code is of ``place``; None: of no line.

    ``statement`` recommends the address for a breakpoint; ``ends`` says that this code ended just before it.
    """

    address: int
    place: Place | None
    statement: bool
    ends: bool


class LineTable:
    """The lines of one ELF file, read when first needed."""

    def __init__(self, data: bytes, name: str) -> None:
        """``name`` is what the program is called."""
        self.program = Program.read(data, name)
        self._data = data

    @cached_property
    def rows(self) -> list[Row]:
        """All rows, ascending by address, at most one for an address."""
        if self.program is None:
            return []
        try:
            file = ELFFile(io.BytesIO(self._data))
            found = list(_rows(file.get_dwarf_info(), self.program)) if file.has_dwarf_info() else []
        except DAMAGE:
            return []
        # Of several at one address the last in the table counts, but for the end of what lies before.
        found.sort(key=lambda row: (row.address, not row.ends))
        kept: list[Row] = []
        for row in found:
            if kept and kept[-1].address == row.address:
                kept.pop()
            kept.append(row)
        return kept

    @cached_property
    def _addresses(self) -> dict[str, dict[int, list[int]]]:
        """By file and line, where a stretch of its code begins that is a statement, ascending."""
        table: dict[str, dict[int, list[int]]] = {}
        before = None
        for row in self.rows:
            if row.place is not None and row.statement and row.place != before:
                table.setdefault(row.place.file, {}).setdefault(row.place.line, []).append(row.address)
            before = row.place
        return table

    def at(self, address: int) -> Place | None:
        """Return the line of the code at a virtual address."""
        if self.program is None or not self.program.covers(address):
            return None
        at = bisect.bisect_right(self.rows, address, key=lambda row: row.address)
        return self.rows[at - 1].place if at else None

    def addresses(self, file: str, line: int) -> list[int]:
        """Return where the code of a line begins; of the next line that has code if it has none."""
        found: list[int] = []
        for name, lines in self._addresses.items():
            if _ends_with(name, file):
                first = min((one for one in lines if one >= line), default=None)
                found += [] if first is None else lines[first]
        return sorted(found)


def _ends_with(path: str, wanted: str) -> bool:
    """Whether a path is called so by somebody who leaves out the first folders."""
    parts, ending = path.split("/"), posixpath.normpath(wanted).split("/")
    return parts[-len(ending) :] == ending


def _rows(dwarf: DWARFInfo, program: Program) -> Iterator[Row]:
    """Yield the rows of all units; what the linker left out of the program is not among them."""
    for unit in dwarf.iter_CUs():
        lines = dwarf.line_program_for_CU(unit)
        if lines is None:
            continue
        folder = unit.get_top_DIE().attributes.get("DW_AT_comp_dir")
        files = _Files(lines, "" if folder is None else folder.value.decode("utf-8", "replace"))
        sequence: list[Row] = []
        for entry in lines.get_entries():
            state = entry.state
            if state is None:
                continue
            place = files.place(state.file, state.line) if state.line and not state.end_sequence else None
            sequence.append(Row(state.address, place, bool(state.is_stmt), bool(state.end_sequence)))
            if state.end_sequence:
                if program.covers(sequence[0].address):
                    yield from sequence
                sequence = []


class _Files:
    """The files of a line table, by number."""

    def __init__(self, lines: LineProgram, folder: str) -> None:
        """``folder`` is where the compiler ran."""
        header = lines.header
        self._first = 0 if header["version"] >= DIRECTORIES_COUNT_FROM_0 else 1
        self._folders = [part.decode("utf-8", "replace") for part in header["include_directory"]]
        self._entries = header["file_entry"]
        self._folder = folder
        self._known: dict[tuple[int, int], Place] = {}

    def place(self, number: int, line: int) -> Place:
        """Return the line of the file of that number; the same object for the same line."""
        place = self._known.get((number, line))
        if place is None:
            place = self._known[number, line] = Place(self._path(number), line)
        return place

    def _path(self, number: int) -> str:
        entry = self._entries[number - self._first]
        name = entry.name.decode("utf-8", "replace")
        folders = self._folders if self._first == 0 else [self._folder, *self._folders]
        path = posixpath.join(self._folder, folders[entry.dir_index] if folders else "", name)
        return posixpath.normpath(path)


class SourceLines:
    """The source lines of everything that was booted.

    ``roots`` are folders in which the files lie that the compiler named by a relative path.
    """

    def __init__(
        self,
        kernel: bytes | None,
        modules: Iterable[tuple[str, bytes]],
        roots: Iterable[Path] = (Path(),),
    ) -> None:
        """``kernel`` is the kernel's ELF file if it has one, ``modules`` are (name, content)."""
        self._tables: dict[str | None, LineTable] = {}
        if kernel is not None:
            self._tables[None] = LineTable(kernel, "")
        for name, data in modules:
            self._tables.setdefault(name, LineTable(data, name))
        self._roots = tuple(roots)
        self._texts: dict[str, list[str]] = {}

    def at(self, address: int, program: str | None = None) -> Place | None:
        """Return the line of the code at a virtual address of a module, or of the kernel (None).

        The kernel's code is found by the physical address where it is loaded as well.
        """
        table = self._tables.get(program)
        if table is None:
            return None
        if program is None and table.program is not None and not table.program.covers(address):
            virtual = table.program.virtual(address)
            return None if virtual is None else table.at(virtual)
        return table.at(address)

    def addresses(self, file: str, line: int) -> list[tuple[str | None, int]]:
        """Return (program, address) where the code of a line begins, in every program that has it.

        ``file`` may leave out the first folders. Where the line has no code in a file, the next one that has
        stands for it, as in other debuggers; an unknown file or a line after the last gives none.
        """
        return [
            (program, address)
            for program, table in self._tables.items()
            for address in table.addresses(file, line)
        ]

    def text(self, place: Place) -> str | None:
        """Return the line's text without its end, None where the file or the line cannot be read."""
        if place.file not in self._texts:
            self._texts[place.file] = self._read(place.file)
        lines = self._texts[place.file]
        return lines[place.line - 1] if 0 < place.line <= len(lines) else None

    def _read(self, file: str) -> list[str]:
        for root in self._roots:
            try:
                return (root / file).read_text(encoding="utf-8", errors="replace").splitlines()
            except OSError:
                continue
        return []
