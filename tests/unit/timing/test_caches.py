# SPDX-License-Identifier: GPL-2.0-or-later
"""Cache sequences worked out by hand."""

from __future__ import annotations

import pytest

ONE_SET = {"l1d.sets": 1, "l1d.ways": 2, "l2.sets": 1, "l2.ways": 4, "llc.sets": 1, "llc.ways": 8}
LINE = 64
A, B, C, D, E = (n * LINE for n in range(5))


def loads(probe, *addresses: int) -> None:
    for address in addresses:
        probe.data(address, 8, 0)


def test_a_line_is_missed_once_and_then_hit(probe) -> None:
    p = probe()
    loads(p, A, A, A + 56)
    assert p.counters() == {
        "L1-dcache-loads": 3,
        "L1-dcache-load-misses": 1,
        "L2-loads": 1,
        "L2-load-misses": 1,
        "LLC-loads": 1,
        "LLC-load-misses": 1,
    }


def test_the_line_touched_longest_ago_is_the_one_evicted(probe) -> None:
    p = probe(ONE_SET)
    loads(p, A, B, A, C)  # C takes the place of B
    assert p.counters()["L1-dcache-load-misses"] == 3
    loads(p, A)
    assert p.counters()["L1-dcache-load-misses"] == 3
    loads(p, B)
    assert p.counters()["L1-dcache-load-misses"] == 4


def test_lines_of_different_sets_do_not_evict_each_other(probe) -> None:
    p = probe({"l1d.sets": 4, "l1d.ways": 1})
    loads(p, A, B, C, D, A, B, C, D)
    assert p.counters()["L1-dcache-load-misses"] == 4


@pytest.mark.parametrize(("lines", "misses"), [(8, 8), (9, 27)])
def test_eight_ways_hold_eight_lines_of_a_set_and_thrash_with_nine(probe, lines, misses) -> None:
    p = probe()
    loads(p, *[n * 64 * LINE for n in range(lines)] * 3)
    assert p.counters()["L1-dcache-load-misses"] == misses


def test_an_access_across_two_lines_is_one_load_and_two_misses(probe) -> None:
    p = probe()
    p.data(LINE - 4, 8, 0)
    assert p.counters()["L1-dcache-loads"] == 1
    assert p.counters()["L1-dcache-load-misses"] == 2
    assert p.counters()["L2-loads"] == 2


def test_the_rest_of_an_access_beyond_a_page_is_no_second_load(probe) -> None:
    p = probe()
    p.data(4092, 4, 0)
    p.data_rest(3 * 4096, 4, 0)
    assert p.counters()["L1-dcache-loads"] == 1
    assert p.counters()["L1-dcache-load-misses"] == 2


def test_a_store_miss_reads_its_line_first(probe) -> None:
    p = probe()
    p.data(A, 8, 1)
    assert p.counters() == {
        "L1-dcache-stores": 1,
        "L1-dcache-store-misses": 1,
        "L2-loads": 1,
        "L2-load-misses": 1,
        "LLC-loads": 1,
        "LLC-load-misses": 1,
    }


def test_a_dirty_victim_is_written_to_l2_and_a_clean_one_is_not(probe) -> None:
    p = probe(ONE_SET)
    p.data(A, 8, 1)
    loads(p, B, C)  # out goes A, dirty
    assert (p.counters()["writebacks"], p.counters()["L2-stores"]) == (1, 1)
    loads(p, D)  # out goes B, clean
    assert p.counters()["writebacks"] == 1


def test_a_dirty_line_is_written_back_once_at_each_level_it_leaves(probe) -> None:
    p = probe({"l1d.sets": 1, "l1d.ways": 1, "l2.sets": 1, "l2.ways": 1, "llc.sets": 1, "llc.ways": 1})
    p.data(A, 8, 1)
    # B is put into every level. A leaves L2 and LLC clean; L1's copy is dirty: it is written to L2,
    # where it replaces B, which is clean.
    loads(p, B)
    assert p.counters()["writebacks"] == 1
    assert p.counters()["L2-stores"] == 1
    assert "LLC-stores" not in p.counters()
    loads(p, C)  # L2 loses A, dirty, to LLC, which loses C: clean
    assert p.counters()["writebacks"] == 2
    assert p.counters()["LLC-stores"] == 1
    loads(p, D)  # LLC loses A to memory
    assert p.counters()["writebacks"] == 3


def test_a_line_lost_by_l2_stays_in_l1(probe) -> None:
    p = probe({"l1d.sets": 1, "l1d.ways": 2, "l1i.sets": 1, "l1i.ways": 2, "l2.sets": 1, "l2.ways": 1})
    loads(p, A)
    p.fetch(B)  # L2 holds B alone
    loads(p, A)
    assert p.counters()["L1-dcache-load-misses"] == 1


def test_code_and_data_have_their_own_first_level_and_share_the_second(probe) -> None:
    p = probe()
    p.fetch(A)
    loads(p, A)
    assert p.counters()["L1-icache-load-misses"] == 1
    assert p.counters()["L1-dcache-load-misses"] == 1
    assert (p.counters()["L2-loads"], p.counters()["L2-load-misses"]) == (2, 1)


def test_the_walkers_reads_use_l1_but_are_not_the_programs_loads(probe, skylake) -> None:
    p = probe()
    assert p.walk_load(A) == skylake["by_memory.walk"]
    assert p.walk_load(A) == skylake["walk.l1_read"]
    loads(p, A)
    counters = p.counters()
    assert counters["L1-dcache-loads"] == 1
    assert "L1-dcache-load-misses" not in counters
    assert counters["L2-loads"] == 1


def test_a_miss_takes_what_the_level_that_served_it_does(probe, skylake) -> None:
    p = probe(ONE_SET | {"l1i.sets": 1, "l1i.ways": 1})
    loads(p, A)
    assert p.causes() == {"d-miss": skylake["by_memory.load"]}
    loads(p, B, C)  # A leaves L1
    before = p.causes()["d-miss"]
    loads(p, A)
    assert p.causes()["d-miss"] - before == skylake["by_l2.load"]
    p.fetch(E)
    assert p.causes()["i-miss"] == skylake["by_memory.fetch"]


def test_a_hit_in_l1_is_free(probe) -> None:
    p = probe()
    loads(p, A)
    before = p.cycles()
    loads(p, A, A)
    p.data(A, 8, 1)
    assert p.cycles() == before


def test_flushing_a_line_takes_it_from_every_level_and_writes_it_back_once(probe) -> None:
    p = probe()
    p.data(A, 8, 1)
    p.flush_line(A + 5)
    assert p.counters()["writebacks"] == 1
    loads(p, A)
    assert p.counters()["LLC-load-misses"] == 2


def test_flushing_the_caches_empties_them(probe) -> None:
    p = probe()
    p.data(A, 8, 1)
    loads(p, B)
    p.flush_caches()
    assert p.counters()["writebacks"] == 1
    loads(p, A, B)
    assert p.counters()["LLC-load-misses"] == 4


def test_without_an_llc_a_miss_in_l2_is_served_by_memory(probe, skylake) -> None:
    p = probe({"llc.sets": 0})
    loads(p, A)
    assert "LLC-loads" not in p.counters()
    assert p.causes() == {"d-miss": skylake["by_memory.load"]}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"l2.sets": 3}, "l2: sets must be a power of two, at most 2^20; change size or ways"),
        ({"l1d.ways": 0}, "l1d: ways must be from 1 to 64"),
        ({"llc.line_bytes": 32}, "llc: line_bytes must be the same at every level"),
        ({"l1i.replacement": 7}, "l1i: replacement must be lru, tree-plru or random"),
        ({"l1d.replacement": 1, "l1d.ways": 3}, "l1d: ways must be a power of two for tree-plru"),
        ({"l2.replacement": 2, "l2.seed": 0}, "l2: seed must not be 0 for random replacement"),
        ({"llc.inclusion": 3}, "llc: inclusion must be neither, inclusive or exclusive"),
        ({"l1d.inclusion": 1}, "l1i, l1d: inclusion must be neither, there is no level before them"),
        ({"l1d.sets": 0}, "l1d: sets must not be 0; only l1i, l2 and llc may be absent"),
        ({"itlb.small.entries": 0}, "itlb: small.entries must not be 0"),
        ({"stlb.small.entries": 36}, "stlb: entries / ways must be a power of two"),
        ({"dtlb.small.entries": 0}, "dtlb: small.entries must not be 0"),
        ({"walk.pde_cached": 300}, "walk: a paging-structure cache has at most 256 entries"),
        ({"predictor.history_bits": 15}, "predictor: history_bits must not exceed table_bits"),
        ({"predictor.tagged_tables": 9}, "predictor: tagged_tables must be at most 8"),
        ({"predictor.tagged_bits": 17}, "predictor: tagged_bits must be from 1 to 16"),
        ({"predictor.tagged_history": 0}, "predictor: the longest history"),
        ({"predictor.btb_sets": 5}, "predictor: btb_sets must be a power of two, at most 2^20"),
    ],
)
def test_a_configuration_the_models_cannot_be_is_refused_by_name(probe, change, sentence) -> None:
    with pytest.raises(ValueError, match=sentence.replace("^", r"\^").replace("(", r"\(")):
        probe(change)


def test_issue_units_are_carried_from_block_to_block(probe) -> None:
    p = probe()
    for _ in range(3):
        p.issue(240)
    assert p.causes() == {"issue": 2}  # 720 units are 2 cycles of 320 and 80 units
    p.issue(240)
    assert p.causes() == {"issue": 3}
