# SPDX-License-Identifier: GPL-2.0-or-later
"""Page-table walks, told by a table of levels for each format (Intel SDM volume 3A, chapter 4)."""

from __future__ import annotations

from dataclasses import dataclass, field

PG, PSE, PAE, PGE, PCIDE = 1 << 31, 1 << 4, 1 << 5, 1 << 7, 1 << 17
LMA, NXE = 1 << 10, 1 << 11
PRESENT, WRITABLE, USER, LARGE, GLOBAL, NX = 1, 2, 4, 1 << 7, 1 << 8, 1 << 63
FRAME = 0x000F_FFFF_FFFF_F000


@dataclass(frozen=True)
class Registers:
    """What decides how addresses are translated."""

    cr0: int = 0
    cr3: int = 0
    cr4: int = 0
    efer: int = 0

    @property
    def mode(self) -> str:
        """off, 32bit, pae or 4level."""
        if not self.cr0 & PG:
            return "off"
        if not self.cr4 & PAE:
            return "32bit"
        return "4level" if self.efer & LMA else "pae"

    @property
    def asid(self) -> int:
        """The PCID in force."""
        return self.cr3 & 0xFFF if self.cr4 & PCIDE else 0

    @property
    def large_shift(self) -> int:
        """Large pages have 2^large_shift bytes."""
        return 22 if self.mode == "32bit" else 21

    def words(self) -> tuple[int, int, int, int]:
        """Return them in the order of ``struct paging_state``."""
        return self.cr0, self.cr3, self.cr4, self.efer

    def walk(self, ram: bytes | bytearray, vaddr: int) -> Walk:
        """Translate ``vaddr`` by the tables in ``ram``."""
        return walk(self, ram, vaddr)


@dataclass
class Walk:
    """A finished walk."""

    present: bool = False
    paddr: int = 0
    page_shift: int = 0
    writable: bool = True
    user: bool = True
    nx: bool = False
    is_global: bool = False
    uncharged: int = 0
    entries: list[tuple[int, int]] = field(default_factory=list)  # (address, content)
    shifts: list[int] = field(default_factory=list)  # each entry maps 2^shift bytes


#: By mode: bytes of an entry, mask of CR3, bits of an address, and the (shift, bits of index) of each level.
FORMATS = {
    "32bit": (4, 0xFFFF_F000, 32, ((22, 10), (12, 10))),
    "pae": (8, 0xFFFF_FFE0, 32, ((30, 2), (21, 9), (12, 9))),
    "4level": (8, FRAME, 48, ((39, 9), (30, 9), (21, 9), (12, 9))),
}


def walk(registers: Registers, ram: bytes | bytearray, vaddr: int) -> Walk:
    """Translate ``vaddr`` by the tables in ``ram``."""
    result = Walk()
    mode = registers.mode
    if mode == "off":
        result.present, result.paddr = True, vaddr
        return result
    size, cr3_mask, bits, levels = FORMATS[mode]
    if mode == "4level" and vaddr >> 47 not in (0, 0x1_FFFF):
        return result
    vaddr &= (1 << bits) - 1
    result.uncharged = int(mode == "pae")
    table = registers.cr3 & cr3_mask
    for shift, index_bits in levels:
        address = table + (vaddr >> shift & ((1 << index_bits) - 1)) * size
        if address + size > len(ram):
            return result
        entry = int.from_bytes(ram[address : address + size], "little")
        result.entries.append((address, entry))
        result.shifts.append(shift)
        if not entry & PRESENT or (entry & NX and not registers.efer & NXE):
            return result
        pdpte_of_pae = mode == "pae" and shift == 30
        if not pdpte_of_pae:
            result.writable &= bool(entry & WRITABLE)
            result.user &= bool(entry & USER)
            result.nx |= bool(entry & NX)
        large = shift > 12 and entry & LARGE and not pdpte_of_pae and (mode != "32bit" or registers.cr4 & PSE)
        if large or shift == 12:
            return _leaf(registers, result, vaddr, entry, shift)
        table = entry & FRAME
    raise AssertionError("the last level is always a leaf")


def _leaf(registers: Registers, result: Walk, vaddr: int, entry: int, shift: int) -> Walk:
    if shift == 39:
        return result
    if shift == 22:  # PSE-36: bits 13 to 20 are frame bits 32 to 39, bit 21 is reserved
        if entry >> 21 & 1:
            return result
        frame = (entry & 0xFFC0_0000) | (entry >> 13 & 0xFF) << 32
    else:
        if shift > 12 and (entry & ((1 << shift) - 1)) >> 13:
            return result
        frame = (entry & FRAME) >> shift << shift
    result.present = True
    result.page_shift = shift
    result.paddr = frame | (vaddr & ((1 << shift) - 1))
    result.is_global = bool(entry & GLOBAL and registers.cr4 & PGE)
    return result
