# SPDX-License-Identifier: GPL-2.0-or-later
"""Read an ELF file that may be anything.

Only what a boot loader needs: the header, the PT_LOAD segments, the section headers. Every count, offset and
size is checked against the file before it is used, so that a damaged file ends in an ``ImageError`` naming
the field and never in a traceback. Source: System V gABI, chapters 4 and 5; both classes, little-endian.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final

from ringscope.bootimage.types import ImageError

MAGIC: Final = b"\x7fELF"
EM_386: Final = 3
EM_X86_64: Final = 62
EM_AARCH64: Final = 183
ET_EXEC: Final = 2
ET_DYN: Final = 3
PT_LOAD: Final = 1
SHT_NULL: Final = 0
SHT_PROGBITS: Final = 1
SHT_STRTAB: Final = 3
SHT_NOBITS: Final = 8
SHF_ALLOC: Final = 2
SHF_EXECINSTR: Final = 4

#: From e_type on; the two classes differ in the width of addresses and offsets.
HEADER: Final = {32: struct.Struct("<HHIIIIIHHHHHH"), 64: struct.Struct("<HHIQQQIHHHHHH")}
#: 32: type offset vaddr paddr filesz memsz flags align. 64: type flags offset vaddr paddr filesz memsz align.
PROGRAM_HEADER: Final = {32: struct.Struct("<IIIIIIII"), 64: struct.Struct("<IIQQQQQQ")}
#: name type flags addr offset size link info addralign entsize.
SECTION_HEADER: Final = {32: struct.Struct("<IIIIIIIIII"), 64: struct.Struct("<IIQQQQIIQQ")}
IDENT_SIZE: Final = 16


@dataclass(frozen=True)
class Segment:
    """A PT_LOAD segment: ``data`` goes to ``paddr``, zeroes follow up to ``memory_size``."""

    index: int
    offset: int
    vaddr: int
    paddr: int
    memory_size: int
    flags: int
    data: bytes = field(repr=False)

    @property
    def end(self) -> int:
        """The first physical address after the segment."""
        return self.paddr + self.memory_size


@dataclass(frozen=True)
class Section:
    """One section header, with its name looked up."""

    name: str
    kind: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    align: int


@dataclass(frozen=True)
class ElfFile:
    """A checked ELF file; ``section_table`` is the raw table, ``section_names`` the index of .shstrtab."""

    name: str
    bits: int
    kind: int
    machine: int
    entry: int
    segments: tuple[Segment, ...]
    sections: tuple[Section, ...]
    section_table: bytes = field(repr=False)
    section_names: int
    data: bytes = field(repr=False)

    def section(self, name: str) -> Section | None:
        """Return the first section called ``name``."""
        return next((section for section in self.sections if section.name == name), None)

    def content(self, section: Section) -> bytes:
        """Return the bytes of ``section`` in the file (none for SHT_NOBITS)."""
        if section.kind == SHT_NOBITS:
            return b""
        return self.data[section.offset : section.offset + section.size]


def is_elf(data: bytes) -> bool:
    """Tell whether ``data`` begins as an ELF file."""
    return data[: len(MAGIC)] == MAGIC


def parse(data: bytes, name: str) -> ElfFile:
    """Read ``data``; ``name`` is what messages call it.

    Raises ImageError for a file that is not ELF, is truncated, or describes things outside itself.
    """
    if not is_elf(data):
        raise ImageError(f"{name}: not an ELF file: e_ident begins with {data[:4].hex(' ') or 'nothing'}")
    bits = {1: 32, 2: 64}.get(data[4]) if len(data) >= IDENT_SIZE else None
    if bits is None:
        raise ImageError(f"{name}: ELF header: e_ident[EI_CLASS] is missing or neither 32-bit nor 64-bit")
    if data[5] != 1:
        raise ImageError(f"{name}: ELF header: e_ident[EI_DATA] is {data[5]}, expected 1 (little-endian)")
    header = HEADER[bits]
    if len(data) < IDENT_SIZE + header.size:
        raise ImageError(f"{name}: truncated in the ELF header: {len(data)} bytes")
    kind, machine, _, entry, phoff, shoff, _, _, phentsize, phnum, shentsize, shnum, shstrndx = (
        header.unpack_from(data, IDENT_SIZE)
    )
    segments = _segments(data, name, bits, (phoff, phentsize, phnum))
    table = _table(data, f"{name}: e_shoff", (shoff, shentsize, shnum), SECTION_HEADER[bits].size)
    sections = _sections(data, name, bits, table, shstrndx)
    return ElfFile(name, bits, kind, machine, entry, segments, sections, table, shstrndx, data)


def _table(data: bytes, where: str, place: tuple[int, int, int], size: int) -> bytes:
    offset, entry_size, count = place
    if count == 0:
        return b""
    if entry_size != size:
        raise ImageError(f"{where}: table entries of {entry_size} bytes, expected {size}")
    if offset + size * count > len(data):
        raise ImageError(
            f"{where}: the table of {count} entries at {offset:#x} ends beyond the file of {len(data):#x} "
            "bytes; the file is truncated"
        )
    return data[offset : offset + size * count]


def _segments(data: bytes, name: str, bits: int, place: tuple[int, int, int]) -> tuple[Segment, ...]:
    layout = PROGRAM_HEADER[bits]
    table = _table(data, f"{name}: e_phoff", place, layout.size)
    found = []
    for index, fields in enumerate(layout.iter_unpack(table)):
        if bits == 32:
            kind, offset, vaddr, paddr, file_size, memory_size, flags, _ = fields
        else:
            kind, flags, offset, vaddr, paddr, file_size, memory_size, _ = fields
        if kind != PT_LOAD or memory_size == file_size == 0:
            continue
        where = f"{name}: program header {index}"
        if offset + file_size > len(data):
            raise ImageError(
                f"{where}: p_offset {offset:#x} and p_filesz {file_size:#x} reach beyond the file of "
                f"{len(data):#x} bytes; the file is truncated"
            )
        if file_size > memory_size:
            raise ImageError(f"{where}: p_filesz {file_size:#x} is more than p_memsz {memory_size:#x}")
        content = data[offset : offset + file_size]
        found.append(Segment(index, offset, vaddr, paddr, memory_size, flags, content))
    return tuple(found)


def _sections(data: bytes, name: str, bits: int, table: bytes, names_index: int) -> tuple[Section, ...]:
    headers = list(SECTION_HEADER[bits].iter_unpack(table))
    for index, (_, kind, _, _, offset, size, *_) in enumerate(headers):
        if kind not in {SHT_NULL, SHT_NOBITS} and offset + size > len(data):
            raise ImageError(
                f"{name}: section header {index}: sh_offset {offset:#x} and sh_size {size:#x} reach beyond "
                f"the file of {len(data):#x} bytes; the file is truncated"
            )
    names = b""
    if headers and names_index:
        if names_index >= len(headers):
            raise ImageError(f"{name}: e_shstrndx is {names_index}, but there are {len(headers)} sections")
        _, kind, _, _, offset, size, *_ = headers[names_index]
        names = b"" if kind in {SHT_NULL, SHT_NOBITS} else data[offset : offset + size]
    found = []
    for label, kind, flags, address, offset, size, link, _, align, _ in headers:
        text = names[label:].partition(b"\0")[0].decode("ascii", "replace") if label < len(names) else ""
        found.append(Section(text, kind, flags, address, offset, size, link, align))
    return tuple(found)
