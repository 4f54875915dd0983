# SPDX-License-Identifier: GPL-2.0-or-later
# ruff: noqa: S311 (the traces are random and seeded; nothing is secret)
"""Random AArch64 accesses, switches and TLB maintenance through the native models and their oracles."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest
from oracles import arm_machines, native
from oracles.arm_walk import NOT_GLOBAL, TABLE_OR_PAGE, VALID, ArmRegisters
from oracles.hierarchy import Hierarchy
from oracles.machines import caches, tlbs
from oracles.mmu import Mmu
from oracles.native import Probe, load_library
from oracles.walks import walk_both

from ringscope.emulator.timing.native_config import fields
from ringscope.emulator.timing.profile import load

if TYPE_CHECKING:
    import ctypes
    from collections.abc import Callable

ACCESS = {"fetch": native.FETCH, "load": native.LOAD, "store": native.STORE}
TABLES = 16
SEEDS = range(40)


@pytest.fixture(scope="session")
def arm_library() -> ctypes.CDLL:
    """AArch64's native models as a library of their own."""
    return load_library("aarch64")


class Pair:
    """The native models and their oracles, driven alike."""

    def __init__(self, library: ctypes.CDLL, changes: dict[str, int], ram: bytearray) -> None:
        config = fields(load("cortex-a57", "aarch64")) | changes
        self.probe = Probe(library, config, "aarch64")
        self.oracle = Mmu(config, Hierarchy(config))
        self.oracle.ram = ram
        self.probe.use_ram(ram)

    def enter(self, registers: ArmRegisters) -> None:
        self.probe.state(*registers.words())
        self.oracle.registers = registers

    def translate(self, vaddr: int, access: str) -> int | None:
        paddr = self.probe.translate(vaddr, ACCESS[access])
        expected = self.oracle.translate(vaddr, access)
        assert (None if paddr == native.UNMAPPED else paddr) == expected
        return expected

    def forget_va(self, vaddr: int, asid: int, *, tables: bool) -> None:
        """TLBI VAE1; without tables VALE1."""
        self.probe.forget_va(vaddr, asid, tables)
        self.oracle.forget_va(vaddr, asid, tables=tables)

    def forget_va_everywhere(self, vaddr: int, *, tables: bool) -> None:
        """TLBI VAAE1; without tables VAALE1."""
        self.probe.forget_va_all(vaddr, tables)
        self.oracle.forget_va(vaddr, None, tables=tables)

    def forget_space(self, asid: int) -> None:
        """TLBI ASIDE1."""
        self.probe.flush_asid(asid)
        self.oracle.flush_asid(asid)

    def forget_all(self) -> None:
        """TLBI VMALLE1."""
        self.probe.flush_all(True)
        self.oracle.flush_all(global_too=True)

    def assert_equal_books(self) -> None:
        hierarchy = self.oracle.hierarchy
        assert self.probe.counters() == +hierarchy.counters
        assert self.probe.causes() == +hierarchy.causes
        assert self.probe.cycles() == sum(hierarchy.causes.values())


@pytest.mark.parametrize("seed", range(24))
def test_a_walk_finds_what_the_oracle_finds_on_random_tables(arm_library, seed: int) -> None:
    random = Random(seed)
    ram = arm_machines.table_ram(random, TABLES, wild=seed % 2 == 1)
    mappings = 0
    for _ in range(40):
        registers = arm_machines.registers(random, TABLES, wild=seed % 2 == 1)
        pool = arm_machines.addresses(random, registers.tcr, 20)
        for vaddr in pool + [random.getrandbits(64) for _ in range(4)]:
            found, expected = walk_both(arm_library, ram, registers, vaddr)
            assert found == expected
            mappings += expected[0]
    assert mappings > 100


def step(random: Random, pair: Pair, spaces: list[ArmRegisters], pool: list[int]) -> str:
    """One random access, switch or invalidation; return what it was."""
    kind, vaddr, asid = random.random(), random.choice(pool), random.choice(spaces).asid
    if kind < 0.9:
        pair.translate(vaddr, random.choice(("fetch", "load", "load", "store")))
        return "translate"
    name, carry_out = random.choices(
        (
            ("enter", lambda: pair.enter(random.choice(spaces))),
            ("VAE1", lambda: pair.forget_va(vaddr, asid, tables=True)),
            ("VALE1", lambda: pair.forget_va(vaddr, asid, tables=False)),
            ("VAAE1", lambda: pair.forget_va_everywhere(vaddr, tables=True)),
            ("VAALE1", lambda: pair.forget_va_everywhere(vaddr, tables=False)),
            ("ASIDE1", lambda: pair.forget_space(asid)),
            ("VMALLE1", pair.forget_all),
        ),
        (40, 12, 12, 12, 12, 8, 4),
    )[0]
    carry_out()
    return name


@pytest.mark.parametrize("seed", SEEDS)
def test_every_tlb_counter_equals_the_oracles_on_a_random_trace(arm_library, seed: int) -> None:
    random = Random(seed)
    ram = arm_machines.table_ram(random, TABLES, wild=seed % 3 == 2)
    pair = Pair(arm_library, caches(random) | tlbs(random), ram)
    spaces = arm_machines.spaces(random, TABLES, 5)
    pool = arm_machines.addresses(random, spaces[0].tcr, random.choice((12, 60)))
    pair.enter(spaces[0])
    if seed % 5 == 0:
        pair.probe.use_up_tags()
    done = {step(random, pair, spaces, pool) for _ in range(2500)}
    pair.assert_equal_books()
    assert len(done) == 8
    assert pair.oracle.hierarchy.counters["page-walks"] > 0


# ---- by hand ----

A_PAGE, A_TABLE = VALID | TABLE_OR_PAGE, VALID | TABLE_OR_PAGE
TWO_HALVES_OF_48_BITS = 16 | 16 << 16 | arm_machines.TG1_4K
FRAMES = 8 << 12


def one_way(leaf: Callable[[int], int]) -> bytearray:
    """Four levels of tables, each entry of which names the next; the last has what ``leaf`` says by index."""
    ram = bytearray(4 * 4096)
    for level in range(4):
        for index in range(512):
            entry = leaf(index) if level == 3 else (level + 1) << 12 | A_TABLE
            at = level * 4096 + 8 * index
            ram[at : at + 8] = entry.to_bytes(8, "little")
    return ram


def test_one_address_in_both_halves_of_48_bits_is_two_pages(arm_library) -> None:
    pair = Pair(arm_library, {}, one_way(lambda index: FRAMES + (index << 12) | A_PAGE | NOT_GLOBAL))
    pair.enter(ArmRegisters(1, TWO_HALVES_OF_48_BITS))
    for vaddr in (0x0000_8000_0000_5008, 0xFFFF_8000_0000_5008):
        assert pair.translate(vaddr, "load") == FRAMES + 0x5008
    assert pair.probe.counters()["dTLB-load-misses"] == 2
    pair.forget_va(0xFFFF_8000_0000_5008, 0, tables=True)
    pair.translate(0x0000_8000_0000_5008, "load")
    assert pair.probe.counters()["dTLB-load-misses"] == 2


@pytest.mark.parametrize("tag", [0x01, 0x5A, 0x80, 0xFF])
def test_a_byte_on_top_that_is_ignored_names_the_same_page(arm_library, tag: int) -> None:
    pair = Pair(arm_library, {}, one_way(lambda index: FRAMES + (index << 12) | A_PAGE))
    pair.enter(ArmRegisters(1, TWO_HALVES_OF_48_BITS | arm_machines.TBI0 | arm_machines.TBI1))
    for vaddr in (0x0000_0000_0000_5008, 0xFFFF_8000_0000_5008):
        pair.translate(vaddr ^ tag << 56, "load")
        assert pair.translate(vaddr, "load") == FRAMES + 0x5008
    assert pair.probe.counters()["dTLB-loads"] == 4
    assert pair.probe.counters()["dTLB-load-misses"] == 2


@pytest.mark.parametrize(("tables", "reads"), [(True, 4), (False, 1)], ids=["vae1", "vale1"])
def test_what_is_left_of_the_tables_saves_the_walk_their_reads(arm_library, tables, reads: int) -> None:
    """With a cache for the entries of each level; one address is forgotten, its neighbour's way is not."""
    cached = {f"walk.{name}_cached": 4 for name in ("pml4e", "pdpte", "pde")}
    pair = Pair(arm_library, cached, one_way(lambda index: FRAMES + (index << 12) | A_PAGE | NOT_GLOBAL))
    pair.enter(ArmRegisters(1, TWO_HALVES_OF_48_BITS))
    here, far = 0x5000, 0x0000_4000_0000_5000
    pair.translate(here, "load")
    pair.translate(far, "load")
    pair.forget_va(here, 0, tables=tables)
    before = pair.probe.counters()["page-walk-cycles"]
    pair.translate(here, "load")
    config = fields(load("cortex-a57", "aarch64"))
    spent = pair.probe.counters()["page-walk-cycles"] - before
    assert spent == config["walk.base"] + reads * config["walk.l1_read"]
    pair.translate(far + 0x1000, "load")
    neighbour = pair.probe.counters()["page-walk-cycles"] - before - spent
    assert neighbour == config["walk.base"] + config["walk.l1_read"]
