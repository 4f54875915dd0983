# SPDX-License-Identifier: GPL-2.0-or-later
"""What a caller hands to the boot image code and what comes back.

All addresses are guest physical, all lengths are bytes. Reading order: ``BootRequest`` and ``MemoryLayout``
go in, ``LoadedImage`` comes out, ``ImageError`` says why it cannot.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

Protocol = Literal["multiboot1", "multiboot2"]

#: The end of what a 32-bit loader can address.
FOUR_GIB = 1 << 32

#: Memory kinds as the BIOS call E820h and both Multiboot specifications number them.
USABLE, RESERVED, ACPI_RECLAIMABLE, ACPI_NVS, BAD = range(1, 6)


class ImageError(Exception):
    """An image cannot be used; the message is one sentence that names the file and the field."""


@dataclass(frozen=True)
class MemoryRegion:
    """One entry of the memory map: ``kind`` is an E820 type, 1 (usable) to 5 (bad)."""

    base: int
    length: int
    kind: int

    def __post_init__(self) -> None:
        """Refuse a region that no memory map can hold."""
        if not USABLE <= self.kind <= BAD:
            raise ValueError(f"memory region at {self.base:#x}: kind {self.kind} is not one of 1 to 5")
        if self.base < 0 or self.length <= 0 or self.base + self.length > 1 << 64:
            raise ValueError(f"memory region at {self.base:#x}: length {self.length:#x} is not in 1..2^64")

    @property
    def end(self) -> int:
        """The first address after the region."""
        return self.base + self.length


@dataclass(frozen=True)
class MemoryLayout:
    """The machine's memory as firmware describes it.

    ``ram_bytes`` is the size of the RAM, ``regions`` the map (ascending), ``rsdp`` a copy of the ACPI root
    pointer to pass on: 20 bytes for ACPI 1.0, 36 for later ones.
    """

    ram_bytes: int
    regions: tuple[MemoryRegion, ...]
    rsdp: bytes | None = None

    def __post_init__(self) -> None:
        """Refuse regions out of order or overlapping, and an RSDP that is none."""
        for before, after in zip(self.regions, self.regions[1:], strict=False):
            if before.end > after.base:
                raise ValueError(
                    f"memory map: the region at {before.base:#x} runs into the one at {after.base:#x}"
                )
        if self.rsdp is not None and not (self.rsdp.startswith(b"RSD PTR ") and len(self.rsdp) in {20, 36}):
            raise ValueError("memory map: rsdp must be the 20 or 36 bytes that begin with 'RSD PTR '")


@dataclass(frozen=True)
class ModuleSpec:
    """A file to load beside the kernel, and the command line the kernel finds with it."""

    path: Path
    command_line: str = ""


@dataclass(frozen=True)
class BootRequest:
    """What to boot. ``protocol`` of None takes Multiboot 1 where the kernel offers both, as QEMU does."""

    kernel: Path
    modules: tuple[ModuleSpec, ...] = ()
    command_line: str = ""
    protocol: Protocol | None = None


@dataclass(frozen=True)
class LoadedModule:
    """A boot module in memory at ``[start, end)``; ``data`` is its content, ``name`` its file's name."""

    name: str
    command_line: str
    start: int
    end: int
    data: bytes


@dataclass(frozen=True)
class LoadedImage:
    """Everything that must be true before the first instruction of the guest.

    ``writes`` are (physical address, bytes) that do not overlap; what they do not cover of the kernel's
    segments (its .bss) is covered by explicit zeroes. ``eax`` and ``ebx`` are the protocol's magic and the
    address of its information structure. ``kernel_elf`` is the ELF file to read symbols from, None for a flat
    kernel.
    """

    protocol: Protocol
    entry: int
    eax: int
    ebx: int
    writes: tuple[tuple[int, bytes], ...]
    modules: tuple[LoadedModule, ...]
    kernel_elf: bytes | None
    command_line: str
