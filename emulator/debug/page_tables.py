# SPDX-License-Identifier: GPL-2.0-or-later
"""What an entry of a page table says, in the manuals' words.

Sources: Intel SDM volume 3A, tables 4-4 to 4-20; Arm Architecture Reference Manual, DDI 0487, chapter D8,
VMSAv8-64 descriptors, stage 1 of EL1&0 with a 4 KiB granule.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ringscope.emulator.debug.inspection import Level, Walk

#: What an entry is called by the power of two of the bytes that it maps.
X86_NAMES: Final = {39: "PML4E", 30: "PDPTE", 21: "PDE", 22: "PDE", 12: "PTE"}
X86_FRAME: Final = 0x000F_FFFF_FFFF_F000
X86_LARGE, X86_NX = 1 << 7, 1 << 63
PAGE_SHIFT, HUGE_SHIFT = 12, 30
#: Set and clear are said where both mean something to a reader.
X86_CACHING: Final = ((1 << 3, "write-through", ""), (1 << 4, "uncached", ""))
X86_FLAGS: Final = (
    (1 << 1, "writable", "read-only"),
    (1 << 2, "user", "supervisor"),
    *X86_CACHING,
    (1 << 5, "accessed", ""),
)
X86_LEAF_FLAGS: Final = ((1 << 6, "dirty", ""), (1 << 8, "global", ""), (X86_NX, "no-execute", ""))
X86_TABLE_FLAGS: Final = ((X86_NX, "no-execute", ""),)

ARM_ADDRESS: Final = 0x0000_FFFF_FFFF_F000
ARM_TABLE: Final = 1 << 1
ARM_STRIDE, ARM_LAST_LEVEL = 9, 3
ARM_LEAF_FLAGS: Final = (
    (1 << 7, "read-only", "writable"),
    (1 << 6, "EL0", "EL1"),
    (1 << 10, "accessed", "not accessed"),
    (1 << 11, "not global", "global"),
    (1 << 53, "PXN", ""),
    (1 << 54, "UXN", ""),
)
ARM_TABLE_FLAGS: Final = (
    (1 << 59, "PXNTable", ""),
    (1 << 60, "UXNTable", ""),
    (1 << 61, "APTable no EL0", ""),
    (1 << 62, "APTable read-only", ""),
)
ARM_SHAREABILITY: Final = {0: "", 2: "outer shareable", 3: "inner shareable"}


@dataclass(frozen=True)
class Told:
    """One entry in words: its name, its flags, and where it leads: a table or a page, None if nowhere."""

    name: str
    flags: tuple[str, ...]
    leads_to: int | None


def tell(arch: str, walk: Walk) -> list[Told]:
    """Say what each entry of a walk says."""
    if arch == "aarch64":
        return [_arm(level) for level in walk.levels]
    told = [_x86(level) for level in walk.levels]
    if told and walk.levels[0].shift == HUGE_SHIFT:  # PAE, whose outermost entries have no rights
        told[0] = _pae_pointer(walk.levels[0])
    return told


def _flags(entry: int, table: tuple[tuple[int, str, str], ...]) -> list[str]:
    said = (is_set if entry & bit else is_clear for bit, is_set, is_clear in table)
    return [word for word in said if word]


def _x86(level: Level) -> Told:
    entry, name = level.entry, X86_NAMES[level.shift]
    if not entry & 1:
        return Told(name, ("not present",), None)
    leaf = level.shift == PAGE_SHIFT or bool(entry & X86_LARGE)
    flags = _flags(entry, X86_FLAGS) + _flags(entry, X86_LEAF_FLAGS if leaf else X86_TABLE_FLAGS)
    address = entry & X86_FRAME
    if leaf and level.shift > PAGE_SHIFT:
        flags.insert(0, f"{_size(level.shift)} page")
        address &= -(1 << level.shift)
    return Told(name, tuple(flags), address)


def _pae_pointer(level: Level) -> Told:
    if not level.entry & 1:
        return Told(X86_NAMES[level.shift], ("not present",), None)
    return Told(X86_NAMES[level.shift], tuple(_flags(level.entry, X86_CACHING)), level.entry & X86_FRAME)


def _arm(level: Level) -> Told:
    entry = level.entry
    number = ARM_LAST_LEVEL - (level.shift - PAGE_SHIFT) // ARM_STRIDE
    name = f"level {number}"
    if not entry & 1 or (level.shift == PAGE_SHIFT and not entry & ARM_TABLE):
        return Told(name, ("not valid",), None)
    address = entry & ARM_ADDRESS
    if level.shift > PAGE_SHIFT and entry & ARM_TABLE:
        return Told(name, ("table", *_flags(entry, ARM_TABLE_FLAGS)), address)
    kind = "page" if level.shift == PAGE_SHIFT else f"{_size(level.shift)} block"
    shared = ARM_SHAREABILITY.get(entry >> 8 & 3, "reserved shareability")
    flags = [kind, *_flags(entry, ARM_LEAF_FLAGS), f"MAIR {entry >> 2 & 7}"]
    return Told(name, (*flags, *([shared] if shared else [])), address & -(1 << level.shift))


def _size(shift: int) -> str:
    return f"{1 << shift - HUGE_SHIFT} GiB" if shift >= HUGE_SHIFT else f"{1 << shift - 20} MiB"
