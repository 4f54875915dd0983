# SPDX-License-Identifier: GPL-2.0-or-later
"""A kernel file as a Multiboot loader sees it: what goes where, and where it begins.

An ELF file says so in its program headers; a file whose header has the address fields (the a.out kludge) says
so there, and they win over ELF, as both specifications demand. Either way the result is the same: a list of
parts at physical addresses below 4 GiB that do not overlap, and an entry inside one of them.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ringscope.bootimage import elf
from ringscope.bootimage.types import FOUR_GIB, ImageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringscope.bootimage.header import Header1, LoadAddresses


@dataclass(frozen=True)
class Part:
    """``data`` at physical ``base``, zeroes after it up to ``base + size``; ``what`` is for messages."""

    base: int
    size: int
    flags: int
    what: str
    data: bytes = field(repr=False)

    @property
    def end(self) -> int:
        """The first address after the part."""
        return self.base + self.size


@dataclass(frozen=True)
class KernelParts:
    """Parts in ascending order of address, and the physical entry point."""

    parts: tuple[Part, ...]
    entry: int

    @property
    def base(self) -> int:
        """The lowest physical address."""
        return self.parts[0].base

    @property
    def end(self) -> int:
        """The first physical address after the last part."""
        return self.parts[-1].end


#: What a Multiboot loader boots: e_machine and its name.
X86_MACHINES: Final = {elf.EM_386: "i386", elf.EM_X86_64: "x86-64"}


def from_elf(
    file: elf.ElfFile, entry: int | None = None, machines: Mapping[int, str] = X86_MACHINES
) -> KernelParts:
    """Lay out the PT_LOAD segments of ``file`` at their physical addresses.

    ``machines`` are those it may be for, by e_machine. ``entry`` overrides e_entry with a physical address.
    e_entry itself is virtual: where it lies in a segment linked at another virtual address it is moved to the
    physical one; otherwise it is taken as physical.
    Raises ImageError for no, overlapping or out-of-range segments and an entry outside all of them.
    """
    name = file.name
    if file.kind not in {elf.ET_EXEC, elf.ET_DYN}:
        raise ImageError(f"{name}: ELF header: e_type is {file.kind}, expected 2 (executable); link it first")
    if file.machine not in machines:
        expected = " or ".join(f"{number} ({word})" for number, word in machines.items())
        raise ImageError(f"{name}: ELF header: e_machine is {file.machine}, expected {expected}")
    if not file.segments:
        raise ImageError(f"{name}: ELF header: e_phnum: there is no PT_LOAD segment, so nothing to load")
    parts = [
        Part(
            segment.paddr,
            segment.memory_size,
            segment.flags,
            f"program header {segment.index}: p_paddr",
            segment.data,
        )
        for segment in file.segments
    ]
    what = "entry address" if entry is not None else "ELF header: e_entry"
    if entry is None:
        entry = _physical_entry(file)
    return _checked(parts, entry, name, what)


def _physical_entry(file: elf.ElfFile) -> int:
    for segment in file.segments:
        if segment.vaddr <= file.entry < segment.vaddr + segment.memory_size:
            return file.entry - segment.vaddr + segment.paddr
    return file.entry


def from_addresses(data: bytes, name: str, offset: int, addresses: LoadAddresses, entry: int) -> KernelParts:
    """Lay out a flat file whose header at ``offset`` carries ``addresses``.

    Raises ImageError for addresses that contradict each other or the file.
    """
    if addresses.load > addresses.header or addresses.header - addresses.load > offset:
        raise ImageError(
            f"{name}: header address fields: load_addr {addresses.load:#x} is not at or up to {offset:#x} "
            f"bytes before header_addr {addresses.header:#x}"
        )
    first = offset - (addresses.header - addresses.load)
    length = addresses.load_end - addresses.load if addresses.load_end else len(data) - first
    if length <= 0:
        raise ImageError(
            f"{name}: header address fields: load_end_addr {addresses.load_end:#x} is before load_addr"
        )
    if first + length > len(data):
        raise ImageError(
            f"{name}: header address fields: load_end_addr {addresses.load_end:#x} asks for "
            f"{first + length:#x} bytes of a file of {len(data):#x}; the file is truncated"
        )
    size = addresses.bss_end - addresses.load if addresses.bss_end else length
    if size < length:
        raise ImageError(
            f"{name}: header address fields: bss_end_addr {addresses.bss_end:#x} is before load_end_addr"
        )
    part = Part(addresses.load, size, 7, "header address fields: load_addr", data[first : first + length])
    return _checked([part], entry, name, "header address fields: entry_addr")


def _checked(parts: list[Part], entry: int, name: str, what: str) -> KernelParts:
    parts.sort(key=lambda part: part.base)
    for part in parts:
        if part.end > FOUR_GIB:
            raise ImageError(
                f"{name}: {part.what} {part.base:#x} and {part.size:#x} bytes reach beyond 4 GiB, where no "
                "loader here writes; give the linker script a physical address (AT)"
            )
    for before, after in itertools.pairwise(parts):
        if before.end > after.base:
            raise ImageError(
                f"{name}: {after.what} {after.base:#x} overlaps {before.what} {before.base:#x} with "
                f"{before.size:#x} bytes"
            )
    if not any(part.base <= entry < part.end for part in parts):
        raise ImageError(f"{name}: {what} {entry:#x} lies in no loaded segment")
    return KernelParts(tuple(parts), entry)


def parts1(data: bytes, name: str, found: Header1) -> KernelParts:
    """Lay out the Multiboot 1 kernel ``data`` whose header is ``found``. Raises ImageError."""
    if found.addresses is not None and found.entry is not None:
        return from_addresses(data, name, found.offset, found.addresses, found.entry)
    return from_elf(elf.parse(data, name))
