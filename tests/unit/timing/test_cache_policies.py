# SPDX-License-Identifier: GPL-2.0-or-later
"""Replacement, writing, unified and inclusive or exclusive levels: sequences worked out by hand."""

from __future__ import annotations

import pytest
from oracles.cache import Xorshift

LINE = 64
A, B, C, D, E, F = (n * LINE for n in range(6))
LRU, TREE_PLRU, RANDOM = range(3)
NEITHER, INCLUSIVE, EXCLUSIVE = range(3)
ONE_SET = {
    "l1i.sets": 1, "l1i.ways": 1, "l1d.sets": 1, "l1d.ways": 4, "l2.sets": 1, "l2.ways": 8, "llc.sets": 1,
    "llc.ways": 16,
}  # fmt: skip
ALONE = ONE_SET | {"l2.sets": 0, "llc.sets": 0}
TWO_LEVELS = ONE_SET | {"llc.sets": 0, "l1d.ways": 2, "l2.ways": 2}


def loads(p, *addresses: int) -> None:
    for address in addresses:
        p.data(address, 8, 0)


def stores(p, *addresses: int) -> None:
    for address in addresses:
        p.data(address, 8, 1)


def counts(p, *names: str) -> tuple[int, ...]:
    return tuple(p.counters().get(name, 0) for name in names)


def missed(p, address: int) -> bool:
    """Whether a load misses L1; it is done."""
    before = counts(p, "L1-dcache-load-misses")
    loads(p, address)
    return counts(p, "L1-dcache-load-misses") != before


# ---- replacement ----


def test_tree_plru_evicts_from_the_half_not_used_last(probe) -> None:
    p = probe(ALONE | {"l1d.replacement": TREE_PLRU})
    loads(p, A, B, C, D)  # ways 0 to 3: the root points left, to the leaf used first
    loads(p, A)  # root right, left node to way 1
    loads(p, E)  # the right half, whose node points to way 2 since D: C goes, and true LRU would take B
    assert not missed(p, B)
    assert missed(p, C)


def test_tree_plru_can_evict_what_lru_would_keep(probe) -> None:
    p = probe(ALONE | {"l1d.replacement": TREE_PLRU})
    loads(p, A, B, C, D, C)  # after C the root points left, where B was used after A
    loads(p, E)  # A goes
    assert missed(p, A)  # which takes way 2, for E turned the root right and C the right node to D
    assert [missed(p, address) for address in (B, C)] == [False, False]


def test_a_repeated_hit_on_the_line_used_last_changes_no_tree(probe) -> None:
    once, often = (probe(ALONE | {"l1d.replacement": TREE_PLRU}) for _ in range(2))
    loads(once, A, B, C, D, A, E)
    loads(often, A, A, B, C, C, C, D, D, A, A, A, E)
    assert [missed(once, line) for line in (B, C, D)] == [missed(often, line) for line in (B, C, D)]


def test_random_replacement_evicts_the_way_that_its_generator_draws(probe) -> None:
    p = probe(ALONE | {"l1d.replacement": RANDOM, "l1d.seed": 7})
    generator, ways = Xorshift(7), [A, B, C, D]
    loads(p, *ways)
    for line in range(10, 30):
        gone = generator.draw() % 4
        loads(p, line * LINE)
        victim, ways[gone] = ways[gone], line * LINE
        assert not any(missed(p, held) for held in ways)
        assert victim not in ways


def test_the_generator_is_marsaglias() -> None:
    generator = Xorshift(2463534242)  # the seed and the first number of his paper
    assert generator.draw() == 723471715


def test_another_seed_makes_other_misses(probe) -> None:
    def misses(seed: int) -> int:
        p = probe(ALONE | {"l1d.replacement": RANDOM, "l1d.seed": seed})
        loads(p, *[A, B, C, D, E, F] * 40)
        return counts(p, "L1-dcache-load-misses")[0]

    assert misses(1) == misses(1)
    assert len({misses(seed) for seed in range(1, 9)}) > 1


@pytest.mark.parametrize("policy", [TREE_PLRU, RANDOM])
def test_an_empty_way_is_filled_before_any_line_is_evicted(probe, policy) -> None:
    p = probe(ALONE | {"l1d.replacement": policy})
    loads(p, A, B, C, D)
    p.flush_line(B)
    loads(p, E)
    assert not any(missed(p, line) for line in (A, C, D, E))


@pytest.mark.parametrize("policy", [TREE_PLRU, RANDOM])
def test_a_line_made_dirty_while_it_was_the_newest_is_written_back(probe, policy) -> None:
    p = probe(ALONE | {"l1d.replacement": policy, "l1d.ways": 2})
    loads(p, A)
    stores(p, A)  # a hit on the line used last
    loads(p, B)
    loads(p, *range(C, C + 20 * LINE, LINE))
    assert counts(p, "writebacks") == (1,)


@pytest.mark.parametrize("policy", [LRU, TREE_PLRU, RANDOM])
def test_flushing_all_counts_each_dirty_line_once(probe, policy) -> None:
    p = probe(ALONE | {"l1d.replacement": policy})
    stores(p, A, B)
    loads(p, C)
    stores(p, C)
    p.flush_caches()
    assert counts(p, "writebacks") == (3,)


def test_levels_may_have_different_policies(probe) -> None:
    p = probe(ONE_SET | {"l1d.ways": 1, "l2.ways": 4, "llc.sets": 0, "l2.replacement": TREE_PLRU})
    loads(p, A, B, C, D, A, E, A, B)  # as above one level further out: E takes C's way
    before = counts(p, "L2-load-misses")
    loads(p, C)
    assert (before, counts(p, "L2-load-misses")) == ((5,), (6,))


# ---- stores ----


def test_a_write_through_store_that_hits_goes_on_and_leaves_the_line_clean(probe) -> None:
    p = probe(ONE_SET | {"l1d.write_through": 1})
    loads(p, A)
    stores(p, A, A)
    assert counts(p, "L2-stores", "L1-dcache-store-misses") == (2, 0)
    loads(p, B, C, D, E)  # A leaves L1: clean
    assert counts(p, "writebacks") == (0,)
    p.flush_caches()  # L2 has it dirty
    assert counts(p, "writebacks") == (1,)


def test_a_write_through_store_that_hits_is_free(probe) -> None:
    p = probe(ONE_SET | {"l1d.write_through": 1})
    loads(p, A)
    before = p.cycles()
    stores(p, A, A)
    assert p.cycles() == before


def test_a_store_to_a_cache_that_does_not_allocate_leaves_it_alone(probe, skylake) -> None:
    p = probe(ALONE | {"l1d.write_allocate": 0})
    stores(p, A, A)
    assert counts(p, "L1-dcache-store-misses", "writebacks") == (2, 0)
    assert p.causes() == {"d-miss": 2 * skylake["by_memory.store"]}
    assert missed(p, A)


def test_a_store_that_l1_does_not_allocate_is_priced_by_the_level_that_takes_it(probe) -> None:
    p = probe(ONE_SET | {"l1d.write_allocate": 0, "by_l2.store": 7, "by_memory.store": 90})
    stores(p, A)  # L2 and LLC allocate: memory has the line
    assert p.causes() == {"d-miss": 90}
    stores(p, A)  # L2 has it now
    assert p.causes() == {"d-miss": 97}
    assert counts(p, "L2-stores", "L2-loads", "LLC-loads", "LLC-load-misses") == (2, 0, 1, 1)


@pytest.mark.parametrize(
    ("through", "allocate", "l2_loads", "l2_stores"),
    [(0, 1, 1, 0), (0, 0, 0, 3), (1, 1, 1, 3), (1, 0, 0, 3)],
)
def test_three_stores_to_a_line_reach_the_next_level_as_the_policies_say(
    probe, through, allocate, l2_loads, l2_stores
) -> None:
    p = probe(ONE_SET | {"l1d.write_through": through, "l1d.write_allocate": allocate})
    stores(p, A, A, A)
    assert counts(p, "L2-loads", "L2-stores") == (l2_loads, l2_stores)


def test_a_dirty_victim_passes_a_level_that_does_not_allocate_and_lacks_it(probe) -> None:
    p = probe(ONE_SET | {"l1d.ways": 1, "l2.ways": 1, "l2.write_allocate": 0})
    stores(p, A)
    loads(p, B)  # takes A's place in L2, then in L1; A goes past L2 to LLC, which holds it
    assert counts(p, "writebacks", "L2-stores", "LLC-stores") == (1, 1, 1)
    loads(p, B)
    assert counts(p, "L2-load-misses") == (2,)


def test_a_write_through_second_level_hands_dirty_victims_on_once(probe) -> None:
    p = probe(ONE_SET | {"l1d.ways": 1, "l2.write_through": 1})
    stores(p, A)
    loads(p, B)
    assert counts(p, "writebacks", "L2-stores", "LLC-stores") == (1, 1, 1)


def test_a_written_through_store_across_two_lines_arrives_as_two(probe) -> None:
    p = probe(ONE_SET | {"l1d.write_through": 1})
    loads(p, A, B)
    p.data(B - 4, 8, 1)
    assert counts(p, "L1-dcache-stores", "L2-stores") == (1, 2)


# ---- one first level ----


def test_code_and_data_share_a_unified_first_level(probe) -> None:
    p = probe(ONE_SET | {"l1i.sets": 0})
    p.fetch(A)
    loads(p, A)
    p.fetch(A)
    assert counts(p, "L1-icache-loads", "L1-icache-load-misses") == (2, 1)
    assert counts(p, "L1-dcache-loads", "L1-dcache-load-misses") == (1, 0)


def test_data_evicts_code_from_a_unified_first_level(probe) -> None:
    p = probe(ALONE | {"l1i.sets": 0})
    p.fetch(A)
    loads(p, B, C, D, E)
    p.fetch(A)
    assert counts(p, "L1-icache-load-misses") == (2,)


def test_a_fetch_that_evicts_a_dirty_line_of_a_unified_level_writes_it_back(probe) -> None:
    p = probe(ALONE | {"l1i.sets": 0, "l1d.ways": 1})
    stores(p, A)
    p.fetch(B)
    assert counts(p, "writebacks") == (1,)
    stores(p, C)
    p.flush_caches()  # one more, not two
    assert counts(p, "writebacks") == (2,)


# ---- inclusive and exclusive ----


def test_a_line_that_an_inclusive_level_evicts_leaves_the_first_level(probe) -> None:
    p = probe(TWO_LEVELS | {"l2.inclusion": INCLUSIVE})
    loads(p, A, B)
    p.fetch(C)  # L2 evicts A
    assert missed(p, A)


def test_a_dirty_line_that_an_inclusive_level_evicts_is_written_back_once(probe) -> None:
    p = probe(TWO_LEVELS | {"l2.inclusion": INCLUSIVE})
    stores(p, A)
    loads(p, B)
    p.fetch(C)
    assert counts(p, "writebacks", "L2-stores") == (1, 0)


def test_an_inclusive_last_level_evicts_from_all_before_it(probe) -> None:
    p = probe(ONE_SET | {"llc.ways": 2, "llc.inclusion": INCLUSIVE})
    loads(p, A, B, C)  # A leaves LLC, and so L2 and L1
    loads(p, A)
    assert counts(p, "L1-dcache-load-misses", "L2-load-misses", "LLC-load-misses") == (4, 4, 4)


def test_the_room_that_an_inclusive_eviction_makes_in_l1_is_used(probe) -> None:
    p = probe(TWO_LEVELS | {"l2.inclusion": INCLUSIVE})
    loads(p, A, B, A)  # L1 would evict B; L2, which saw only the misses, evicts A
    loads(p, C)  # A is gone from L1 before C arrives: B stays
    assert not missed(p, B)
    assert missed(p, A)


def test_an_exclusive_level_holds_victims_alone(probe) -> None:
    p = probe(TWO_LEVELS | {"l2.inclusion": EXCLUSIVE})
    loads(p, A, B)
    assert counts(p, "L2-loads", "L2-load-misses", "L2-stores") == (2, 2, 0)
    loads(p, C, D)  # A and B move to L2, clean
    assert counts(p, "L2-stores", "writebacks") == (2, 0)
    loads(p, A, B, C, D)  # two and two: four lines are held, none twice
    assert counts(p, "L2-load-misses") == (4,)


def test_an_exclusive_level_gives_a_line_away_with_its_dirtiness(probe) -> None:
    p = probe(TWO_LEVELS | {"l1d.ways": 1, "l2.inclusion": EXCLUSIVE})
    stores(p, A)
    loads(p, B)  # A to L2, dirty: a writeback
    loads(p, A)  # back again, dirty; B to L2
    assert counts(p, "writebacks") == (1,)
    p.flush_caches()
    assert counts(p, "writebacks") == (2,)


def test_a_dirty_line_may_come_to_the_instruction_cache_and_is_not_lost(probe) -> None:
    p = probe(TWO_LEVELS | {"l1d.ways": 1, "l2.inclusion": EXCLUSIVE})
    stores(p, A)
    loads(p, B)
    p.fetch(A)
    p.flush_line(A)
    assert counts(p, "writebacks") == (2,)


def test_an_exclusive_level_takes_no_line_that_the_one_before_it_keeps(probe) -> None:
    p = probe(ONE_SET | {"l1d.ways": 1, "l2.write_through": 1, "llc.inclusion": EXCLUSIVE})
    stores(p, A)
    loads(p, B)  # L2 keeps A, clean, and hands it on; LLC does not hold it, nor shall it
    p.flush_line(A)
    assert counts(p, "writebacks", "LLC-stores") == (1, 1)


def test_a_victim_cache_behind_an_inclusive_second_level(probe) -> None:
    """Zen's arrangement: L2 holds what L1 holds, LLC what left L2."""
    p = probe(ONE_SET | {"l1d.ways": 1, "l2.ways": 2, "l2.inclusion": INCLUSIVE, "llc.inclusion": EXCLUSIVE})
    loads(p, A, B, C)  # A leaves L2 for LLC
    assert counts(p, "LLC-loads", "LLC-load-misses", "LLC-stores") == (3, 3, 1)
    loads(p, A)  # from LLC, which gets B instead
    assert counts(p, "LLC-load-misses", "LLC-stores") == (3, 2)
    loads(p, B)
    assert counts(p, "LLC-load-misses") == (3,)
