# SPDX-License-Identifier: GPL-2.0-or-later
# ruff: noqa: S311 (the traces are random and seeded; nothing is secret)
"""Random traces through the native models and their oracles: every counter and every cycle must be equal."""

from __future__ import annotations

from random import Random

import pytest
from oracles import native
from oracles.hierarchy import Hierarchy
from oracles.machines import addresses, caches, registers, table_ram, tlbs
from oracles.mmu import Mmu
from oracles.native import Probe
from oracles.predictor import Predictor
from oracles.walk import Registers
from oracles.walks import walk_both

ACCESS = {"fetch": native.FETCH, "load": native.LOAD, "store": native.STORE}
SEEDS = range(25)


def assert_equal_books(probe: Probe, oracle) -> None:
    assert probe.counters() == +oracle.counters
    assert probe.causes() == +oracle.causes
    assert probe.cycles() == sum(oracle.causes.values())


def step_in_memory(random: Random, probe: Probe, oracle: Hierarchy, memory: int) -> None:
    """One random access to the caches of both."""
    paddr, size, write = random.randrange(memory), random.choice((1, 2, 4, 8, 16, 64)), random.random() < 0.4
    kind = random.random()
    if kind < 0.6:
        probe.data(paddr, size, write)
        oracle.data(paddr, size, write=write)
    elif kind < 0.65:
        probe.data_rest(paddr, size, write)
        oracle.data(paddr, size, write=write, counted=False)
    elif kind < 0.85:
        probe.fetch(paddr)
        oracle.fetch(paddr)
    elif kind < 0.95:
        assert probe.walk_load(paddr) == oracle.walk_load(paddr)
    elif kind < 0.995:
        probe.flush_line(paddr)
        oracle.flush_line(paddr)
    else:
        probe.flush_caches()
        oracle.flush_all()


@pytest.mark.parametrize("seed", SEEDS)
def test_every_cache_counter_equals_the_oracles_on_a_random_trace(library, skylake, seed) -> None:
    random = Random(seed)
    config = skylake | caches(random)
    probe, oracle = Probe(library, config), Hierarchy(config)
    memory = random.choice((512, 4096, 65536))
    for _ in range(3000):
        step_in_memory(random, probe, oracle, memory)
    assert_equal_books(probe, oracle)
    assert oracle.counters["L1-dcache-store-misses"] > 0


def test_the_bundled_profiles_caches_equal_the_oracles_on_a_trace_larger_than_l2(library, skylake) -> None:
    random = Random(1)
    probe, oracle = Probe(library, skylake), Hierarchy(skylake)
    for _ in range(60_000):
        step_in_memory(random, probe, oracle, 16 << 20)
    assert_equal_books(probe, oracle)


@pytest.mark.parametrize("mode", ["off", "32bit", "pae", "4level"])
@pytest.mark.parametrize("seed", range(8))
def test_a_walk_finds_what_the_oracle_finds_on_random_tables(library, mode, seed) -> None:
    random = Random(seed)
    ram = table_ram(random, mode, 16, wild=seed % 2 == 1)
    mappings = 0
    for vaddr in addresses(random, mode, 400) + [random.getrandbits(64) for _ in range(40)]:
        found, expected = walk_both(library, ram, registers(random, mode, 16), vaddr)
        assert found == expected
        mappings += expected[0]
    assert mappings > 40


def enter(probe: Probe, oracle: Mmu, r: Registers) -> None:
    probe.state(r.cr0, r.cr3, r.cr4, r.efer)
    oracle.registers = r


def step_in_address_space(
    random: Random, probe: Probe, oracle: Mmu, spaces: list[Registers], pool: list[int]
) -> None:
    """One random translation, switch or flush of both."""
    r, vaddr, kind = oracle.registers, random.choice(pool), random.random()
    if kind < 0.93:
        access = random.choice(("fetch", "load", "load", "store"))
        paddr = probe.translate(vaddr, ACCESS[access])
        assert (None if paddr == native.UNMAPPED else paddr) == oracle.translate(vaddr, access)
    elif kind < 0.96:
        enter(probe, oracle, random.choice(spaces))
        if random.random() < 0.5:
            probe.flush_asid(oracle.registers.asid)
            oracle.flush_asid(oracle.registers.asid)
    elif kind < 0.98:
        probe.invlpg(vaddr)
        oracle.invlpg(vaddr, r.asid, global_too=True)
    elif kind < 0.99:
        asid = random.choice(spaces).asid
        probe.invlpg_asid(vaddr, asid)
        oracle.invlpg(vaddr, asid, global_too=False)
    else:
        global_too = random.random() < 0.5
        probe.flush_all(global_too)
        oracle.flush_all(global_too=global_too)


def address_spaces(random: Random, mode: str, tables: int) -> list[Registers]:
    """A few address spaces that differ in CR3 alone."""
    one = registers(random, mode, tables)
    pcids = random.sample(range(4096), 5)
    return [
        Registers(
            one.cr0, random.randrange(tables) << 12 | (pcid if one.cr4 & 1 << 17 else 0), one.cr4, one.efer
        )
        for pcid in pcids
    ]


@pytest.mark.parametrize("mode", ["32bit", "pae", "4level"])
@pytest.mark.parametrize("seed", SEEDS)
def test_every_tlb_counter_equals_the_oracles_on_a_random_trace(library, skylake, mode, seed) -> None:
    random = Random(seed)
    config = skylake | caches(random) | tlbs(random)
    probe = Probe(library, config)
    oracle = Mmu(config, Hierarchy(config))
    ram = table_ram(random, mode, 16, wild=seed % 3 == 2)
    probe.use_ram(ram)
    oracle.ram = ram
    spaces = address_spaces(random, mode, 16)
    pool = addresses(random, mode, random.choice((12, 60)))
    enter(probe, oracle, spaces[0])
    if seed % 5 == 0:
        probe.use_up_tags()
    for _ in range(2500):
        step_in_address_space(random, probe, oracle, spaces, pool)
    assert_equal_books(probe, oracle.hierarchy)
    assert oracle.hierarchy.counters["page-walks"] > 0


@pytest.mark.parametrize("seed", range(6))
def test_a_whole_machines_trace_of_translated_accesses_equals_the_oracles(library, skylake, seed) -> None:
    random = Random(seed)
    config = skylake if seed == 0 else skylake | caches(random) | tlbs(random)
    probe = Probe(library, config)
    oracle = Mmu(config, Hierarchy(config))
    ram = table_ram(random, "4level", 16, wild=False)
    probe.use_ram(ram)
    oracle.ram = ram
    spaces = address_spaces(random, "4level", 16)
    pool = addresses(random, "4level", 300)
    enter(probe, oracle, spaces[0])
    for _ in range(6000):
        if random.random() < 0.01:
            enter(probe, oracle, random.choice(spaces))
        vaddr, access = random.choice(pool), random.choice(("fetch", "load", "store"))
        paddr = oracle.translate(vaddr, access)
        assert probe.translate(vaddr, ACCESS[access]) == (native.UNMAPPED if paddr is None else paddr)
        if paddr is None:
            continue
        if access == "fetch":
            probe.fetch(paddr)
            oracle.hierarchy.fetch(paddr)
        else:
            probe.data(paddr, 8, access == "store")
            oracle.hierarchy.data(paddr, 8, write=access == "store")
    assert_equal_books(probe, oracle.hierarchy)


KINDS = {
    "conditional": native.CONDITIONAL,
    "direct": native.DIRECT,
    "indirect": native.INDIRECT,
    "call": native.CALL,
    "indirect-call": native.INDIRECT_CALL,
    "return": native.RETURN,
}


LONGEST_HISTORY = 64


def any_predictor(random: Random) -> dict[str, int]:
    table_bits, tagged_tables = random.choice((1, 3, 6)), random.choice((0, 1, 3, 4, 5))
    histories = [n for n in (1, 4, 5, 8) if n << max(tagged_tables - 1, 0) <= LONGEST_HISTORY]
    return {
        "predictor.table_bits": table_bits,
        "predictor.history_bits": random.randrange(table_bits + 1),
        "predictor.tagged_tables": tagged_tables,
        "predictor.tagged_bits": random.choice((1, 3, 5)),
        "predictor.tagged_history": random.choice(histories),
        "predictor.btb_sets": random.choice((1, 2, 8)),
        "predictor.btb_ways": random.choice((1, 2, 3)),
        "predictor.return_depth": random.choice((1, 2, 5)),
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_every_misprediction_is_the_oracles_on_a_random_trace(library, skylake, seed) -> None:
    random = Random(seed)
    config = skylake | any_predictor(random)
    probe, oracle = Probe(library, config), Predictor(config)
    pool = [random.getrandbits(48) for _ in range(random.choice((4, 20)))] + [0]
    calls: list[int] = []
    for _ in range(3000):
        kind, pc, target = random.choice(list(KINDS)), random.choice(pool), random.choice(pool)
        next_pc = pc + random.randrange(1, 8)
        if kind == "return" and calls and random.random() < 0.8:
            target = calls.pop()
        if "call" in kind:
            calls.append(next_pc)
        taken = kind != "conditional" or random.random() < 0.6
        native_answer = probe.branch(KINDS[kind], pc, next_pc, target, taken)
        assert bool(native_answer) == oracle.branch(kind, pc, next_pc, target, taken=taken)
    assert_equal_books(probe, oracle)


@pytest.mark.parametrize("seed", SEEDS)
def test_looking_up_whichever_branch_early_changes_no_prediction(library, skylake, seed) -> None:
    random = Random(seed)
    config = skylake | any_predictor(random)
    early, late = Probe(library, config), Probe(library, config)
    pool = [random.getrandbits(48) for _ in range(6)]
    for _ in range(2000):
        pc, taken = random.choice(pool), random.random() < 0.6
        for looked_up in random.choice(((), (pc,), (random.choice(pool),), (pc, random.choice(pool)))):
            early.foresee(looked_up)
        answers = [probe.branch(native.CONDITIONAL, pc, pc + 2, pc, taken) for probe in (early, late)]
        assert answers[0] == answers[1]
