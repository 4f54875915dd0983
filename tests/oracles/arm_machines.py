# SPDX-License-Identifier: GPL-2.0-or-later
"""Random registers, translation tables and addresses of AArch64, for the configurations of machines.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oracles.arm_walk import A1, AS, NOT_GLOBAL, PXN, READ_ONLY, TABLE_OR_PAGE, USER, VALID, ArmRegisters, M

if TYPE_CHECKING:
    from random import Random

#: Bits of an address in each half: the most and the fewest, and those at which a level is added.
SIZES = (48, 47, 40, 39, 38, 31, 30, 29, 25)
EPD0, EPD1, TBI0, TBI1, TG0_64K, TG1_4K, TG1_64K = (
    1 << 7,
    1 << 23,
    1 << 37,
    1 << 38,
    1 << 14,
    2 << 30,
    3 << 30,
)


def registers(random: Random, tables: int, *, wild: bool = False) -> ArmRegisters:
    """Return registers whose tables are on the first ``tables`` pages; ``wild`` ones may lack a half."""
    tcr = (64 - random.choice(SIZES)) | (64 - random.choice(SIZES)) << 16 | TG1_4K
    for bit in (A1, AS, TBI0, TBI1):
        tcr |= random.choice((0, bit))
    if wild:
        tcr |= random.choice((0, 0, EPD0, EPD1, TG0_64K, TG1_64K))
    bases = [random.randrange(tables) << 12 | random.randrange(1 << 16) << 48 for _ in range(2)]
    return ArmRegisters(M, tcr, *bases)


def spaces(random: Random, tables: int, count: int) -> list[ArmRegisters]:
    """Return address spaces that differ in their tables and ASIDs, some only in an ASID's upper half."""
    one = registers(random, tables)
    asids = [random.randrange(1 << 16) for _ in range(count - 1)]
    asids.append(asids[0] ^ 0x0100)
    found = []
    for asid in asids:
        low, high = (random.randrange(tables) << 12 for _ in range(2))
        other = random.randrange(1 << 16)
        named = (other, asid) if one.tcr & A1 else (asid, other)
        found.append(ArmRegisters(one.sctlr, one.tcr, low | named[0] << 48, high | named[1] << 48))
    return found


def table_ram(random: Random, tables: int, *, wild: bool) -> bytearray:
    """Return ``tables`` pages of random descriptors, each of which may serve at any level.

    ``wild`` ones are also invalid, reserved at the last level, or name tables beyond RAM.
    """
    ram = bytearray(tables * 4096)
    for at in range(0, len(ram), 8):
        descriptor = VALID | random.randrange(tables) << 12
        if random.random() < 0.15:
            descriptor |= random.randrange(16) << 30  # a block
        else:
            descriptor |= TABLE_OR_PAGE
        for bit in (USER, READ_ONLY, PXN):
            descriptor |= random.choice((0, bit))
        descriptor |= NOT_GLOBAL if random.random() < 0.7 else 0
        if wild:
            if random.random() < 0.1:
                descriptor &= ~VALID
            if random.random() < 0.1:
                descriptor &= ~TABLE_OR_PAGE
            if random.random() < 0.05:
                descriptor |= random.getrandbits(48) & ~0xFFF
        ram[at : at + 8] = descriptor.to_bytes(8, "little")
    return ram


def addresses(random: Random, tcr: int, count: int) -> list[int]:
    """Return addresses in a few clusters, each of them in both halves; some have a byte on top."""
    sizes = (64 - (tcr & 0x3F), 64 - (tcr >> 16 & 0x3F))
    clusters = [random.getrandbits(48) for _ in range(4)]
    found = []
    for _ in range(count):
        upper = random.getrandbits(1)
        bits = sizes[upper]
        near = random.choice(clusters) ^ random.getrandbits(random.choice((8, 14, 20, 24, 32)))
        vaddr = near & ((1 << bits) - 1)
        if upper:
            vaddr |= (1 << 64) - (1 << bits)
        if tcr & (TBI1 if upper else TBI0) and random.random() < 0.2:
            vaddr ^= random.getrandbits(8) << 56
        found.append(vaddr)
    return found
