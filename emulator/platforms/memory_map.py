# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a PC's memory lies, as its firmware reports it (the E820 list, which multiboot hands on)."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from ringscope.emulator.devices import io_apic, local_apic

EBDA, EBDA_BYTES = 0x9FC00, 0x400  # extended BIOS data area
FIRMWARE, FIRMWARE_END = 0xE0000, 0x100000
MMIO_HOLE, FOUR_GIB = 0xC000_0000, 0x1_0000_0000
LEAST_RAM = 0x100000


class MemoryKind(IntEnum):
    """Types of the E820 list."""

    USABLE = 1
    RESERVED = 2


class MemoryRange(NamedTuple):
    """Bytes `base` to `base` + `length`."""

    base: int
    length: int
    kind: MemoryKind


def memory_map(ram_bytes: int) -> list[MemoryRange]:
    """Return the ranges, ascending. RAM beyond 3 GiB continues at 4 GiB. Raise ValueError below 1 MiB."""
    if ram_bytes < LEAST_RAM:
        raise ValueError(f"{ram_bytes} bytes of RAM: a PC needs at least 1 MiB")
    low_end = min(ram_bytes, MMIO_HOLE)
    ranges = [
        MemoryRange(0, EBDA, MemoryKind.USABLE),
        MemoryRange(EBDA, EBDA_BYTES, MemoryKind.RESERVED),
        MemoryRange(FIRMWARE, FIRMWARE_END - FIRMWARE, MemoryKind.RESERVED),
        MemoryRange(FIRMWARE_END, low_end - FIRMWARE_END, MemoryKind.USABLE),
        MemoryRange(io_apic.BASE, io_apic.LENGTH, MemoryKind.RESERVED),
        MemoryRange(local_apic.BASE, local_apic.LENGTH, MemoryKind.RESERVED),
        MemoryRange(FOUR_GIB, ram_bytes - low_end, MemoryKind.USABLE),
    ]
    return [entry for entry in ranges if entry.length]
