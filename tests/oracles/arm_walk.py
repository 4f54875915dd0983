# SPDX-License-Identifier: GPL-2.0-or-later
"""Walks of the EL1&0 translation tables with a 4 KiB granule (Arm ARM DDI 0487, chapter D8), spelled out."""

from __future__ import annotations

from dataclasses import dataclass

from oracles.walk import Walk

M = 1  # SCTLR_EL1
A1, AS = 1 << 22, 1 << 36  # TCR_EL1
#: TCR_EL1 says for each half: the lowest bit of TnSZ, EPDn, the lowest bit of TGn, what it says for
#: 4 KiB, and TBIn.
HALVES = {False: (0, 7, 14, 0b00, 37), True: (16, 23, 30, 0b10, 38)}
#: Bits of a physical address by TCR_EL1.IPS, and how many the processor has (a Cortex-A57's TRM, MMFR0).
IPS_AT, IPS = 32, (32, 36, 40, 42, 44, 48, 48, 48)
PHYSICAL_BITS = 44
VALID, TABLE_OR_PAGE, USER, READ_ONLY, NOT_GLOBAL, PXN = 1, 2, 1 << 6, 1 << 7, 1 << 11, 1 << 53
OUTPUT = 0x0000_FFFF_FFFF_F000
BASE = 0x0000_FFFF_FFFF_FFFE
#: By level: how many bits of the address are below its index, and whether a block may end the walk there.
LEVELS = {0: (39, False), 1: (30, True), 2: (21, True), 3: (12, False)}


@dataclass(frozen=True)
class ArmRegisters:
    """What decides how addresses are translated."""

    sctlr: int = 0
    tcr: int = 0
    ttbr0: int = 0
    ttbr1: int = 0

    large_shift = 21

    @property
    def mode(self) -> str:
        """Off or on."""
        return "on" if self.sctlr & M else "off"

    @property
    def asid(self) -> int:
        """The ASID in force: 8 or 16 bits of one of the two registers."""
        register = self.ttbr1 if self.tcr & A1 else self.ttbr0
        return register >> 48 & (0xFFFF if self.tcr & AS else 0xFF)

    def words(self) -> tuple[int, int, int, int]:
        """Return them in the order of ``struct paging_state``."""
        return self.sctlr, self.tcr, self.ttbr0, self.ttbr1

    def walk(self, ram: bytes | bytearray, vaddr: int) -> Walk:
        """Translate ``vaddr`` by the tables in ``ram``."""
        result = Walk()
        if self.mode == "off":
            if vaddr < 1 << PHYSICAL_BITS:
                result.present, result.paddr = True, vaddr
            return result
        start = self._start(vaddr)
        if start is None:
            return result
        table, bits = start
        first = next(level for level, (shift, _) in LEVELS.items() if bits > shift)
        offset = vaddr & ((1 << bits) - 1)
        for level in range(first, 4):
            shift, may_be_block = LEVELS[level]
            index = offset >> shift if level == first else offset >> shift & 511
            address = table + 8 * index
            if address + 8 > len(ram):
                break
            descriptor = int.from_bytes(ram[address : address + 8], "little")
            result.entries.append((address, descriptor))
            result.shifts.append(shift)
            if not descriptor & VALID or descriptor & OUTPUT >= self._limit:
                break
            if level < 3 and descriptor & TABLE_OR_PAGE:
                table = descriptor & OUTPUT
                continue
            if may_be_block or (level == 3 and descriptor & TABLE_OR_PAGE):
                _end(result, vaddr, descriptor, shift)
            break
        return result

    @property
    def _limit(self) -> int:
        """The first physical address that is none."""
        return 1 << min(IPS[self.tcr >> IPS_AT & 7], PHYSICAL_BITS)

    def _start(self, vaddr: int) -> tuple[int, int] | None:
        """Return the table of the half that an address lies in and the half's bits; None if it has none."""
        upper = bool(vaddr >> 55 & 1)
        size_at, epd, granule_at, granule, tbi = HALVES[upper]
        bits = 64 - (self.tcr >> size_at & 0x3F)
        compared = range(bits, 56 if self.tcr >> tbi & 1 else 64)
        if any(bool(vaddr >> bit & 1) != upper for bit in compared):
            return None
        if self.tcr >> epd & 1 or self.tcr >> granule_at & 3 != granule or not 25 <= bits <= 48:
            return None
        table = (self.ttbr1 if upper else self.ttbr0) & BASE
        return None if table >= self._limit else (table, bits)


def _end(result: Walk, vaddr: int, descriptor: int, shift: int) -> None:
    result.present = True
    result.page_shift = shift
    result.paddr = (descriptor & OUTPUT) >> shift << shift | vaddr & ((1 << shift) - 1)
    result.writable = not descriptor & READ_ONLY
    result.user = bool(descriptor & USER)
    result.nx = bool(descriptor & PXN)
    result.is_global = not descriptor & NOT_GLOBAL
