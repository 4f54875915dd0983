# SPDX-License-Identifier: GPL-2.0-or-later
"""Small configurations, in which a few dozen accesses reach every case, and random page tables for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oracles.cache import EXCLUSIVE, INCLUSIVE, LRU, NEITHER, RANDOM, TREE_PLRU
from oracles.walk import FRAME, GLOBAL, LARGE, LMA, NX, NXE, PAE, PCIDE, PG, PGE, PRESENT, PSE, Registers

if TYPE_CHECKING:
    from random import Random

PRICES = {
    "by_l2.fetch": 9, "by_l2.load": 5, "by_l2.store": 1, "by_l2.walk": 12,
    "by_llc.fetch": 40, "by_llc.load": 20, "by_llc.store": 3, "by_llc.walk": 44,
    "by_memory.fetch": 200, "by_memory.load": 150, "by_memory.store": 30, "by_memory.walk": 246,
    "walk.stlb_hit": 7, "walk.base": 11, "walk.l1_read": 4,
    "pipeline.in_order": 0, "pipeline.blocking": 0, "pipeline.window": 64, "pipeline.fill_buffers": 8,
    "pipeline.store_buffer": 16, "pipeline.forward": 4, "pipeline.taken_interval": 1,
    "pipeline.call_interval": 2, "pipeline.code_line": 64,
    "pipeline.line_interval": 2,
}  # fmt: skip


def caches(random: Random) -> dict[str, int]:
    """Return a random small hierarchy of any policies; now and then a level is absent, or unified."""
    values = dict(PRICES)
    line = random.choice((16, 32, 64))
    for name, sets, ways in (("l1i", (0, 1, 2, 4), (1, 2, 3, 4)), ("l1d", (1, 2, 4), (1, 2, 3, 4)),
                             ("l2", (0, 2, 4, 8), (1, 2, 5, 8)), ("llc", (0, 4, 16), (2, 3, 8))):  # fmt: skip
        values |= {f"{name}.sets": random.choice(sets), f"{name}.ways": (way := random.choice(ways))}
        values |= {f"{name}.line_bytes": line, f"{name}.seed": random.randrange(1, 1 << 32)}
        policies = (LRU, RANDOM) if way & (way - 1) else (LRU, TREE_PLRU, RANDOM)
        values |= {f"{name}.replacement": random.choice(policies)}
        values |= {
            f"{name}.write_through": random.randrange(2),
            f"{name}.write_allocate": random.randrange(2),
        }
        outer = name in ("l2", "llc")
        values |= {f"{name}.inclusion": random.choice((NEITHER, INCLUSIVE, EXCLUSIVE)) if outer else NEITHER}
    return values


def tlbs(random: Random) -> dict[str, int]:
    """Return random small TLBs and paging-structure caches, some absent, some for small pages alone."""
    values: dict[str, int] = {}
    absent = [name for name in ("itlb", "stlb") if random.random() < 0.25]
    for name in ("itlb", "dtlb", "stlb"):
        shared = random.random() < (0.5 if name == "stlb" else 0.25)
        for size in ("small", "large", "huge"):
            sets, ways = random.choice((1, 2, 4)), random.choice((1, 2, 3, 4))
            no_array = size != "small" and random.random() < 0.3
            if name in absent or no_array or (shared and size == "large"):
                sets = ways = 0
            values |= {f"{name}.{size}.entries": sets * ways, f"{name}.{size}.ways": ways}
        values[f"{name}.large_in_small"] = int(shared)
    for name in ("pml4e", "pdpte", "pde"):
        values[f"walk.{name}_cached"] = random.choice((0, 1, 2, 5))
    return values


def registers(random: Random, mode: str, tables: int) -> Registers:
    """Return control registers for a mode, with CR3 on one of the first ``tables`` pages."""
    cr4 = random.choice((0, PGE)) | (PAE if mode != "32bit" else random.choice((0, PSE)))
    if mode == "4level":
        cr4 |= random.choice((0, PCIDE))
    efer = random.choice((0, NXE)) | (LMA if mode == "4level" else 0)
    pcid = random.randrange(4) if cr4 & PCIDE else 0
    return Registers(PG if mode != "off" else 0, random.randrange(tables) << 12 | pcid, cr4, efer)


def table_ram(random: Random, mode: str, tables: int, *, wild: bool) -> bytearray:
    """Return ``tables`` pages of random entries, each of which may serve at any level.

    ``wild`` entries also break rules (not present, reserved bits, tables beyond RAM) and name any frame.
    """
    ram = bytearray(tables * 4096)
    size = 4 if mode == "32bit" else 8
    for at in range(0, len(ram), size):
        frame = random.randrange(tables) << 12
        large = random.random() < 0.15
        entry = PRESENT | random.randrange(8) | (GLOBAL if random.random() < 0.2 else 0)
        if large:
            entry |= LARGE | (random.randrange(16) << 30 if size == 8 else random.randrange(4) << 22)
        else:
            entry |= frame
        if wild:
            if random.random() < 0.1:
                entry &= ~PRESENT
            if random.random() < 0.1:
                entry |= 1 << random.randrange(12, 22)
            if random.random() < 0.1:
                entry |= random.getrandbits(8 * size) & (FRAME | NX)
            if size == 8 and random.random() < 0.2:
                entry |= NX
        ram[at : at + size] = (entry & ((1 << 8 * size) - 1)).to_bytes(size, "little")
    return ram


def addresses(random: Random, mode: str, count: int) -> list[int]:
    """Return virtual addresses in a few clusters, so that some share pages, tables and sets."""
    bits = 48 if mode == "4level" else 32
    clusters = [random.getrandbits(bits) for _ in range(4)]
    found = []
    for _ in range(count):
        near = (
            random.choice(clusters) ^ random.getrandbits(random.choice((8, 14, 20, 24, 32)))
            if count > 1
            else clusters[0]
        )
        vaddr = near & ((1 << bits) - 1)
        if bits == 48 and vaddr >> 47:
            vaddr |= 0xFFFF << 48
        found.append(vaddr)
    return found
