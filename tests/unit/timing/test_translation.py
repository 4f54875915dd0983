# SPDX-License-Identifier: GPL-2.0-or-later
"""TLB and page-walk sequences worked out by hand, on page tables written entry by entry."""

from __future__ import annotations

import pytest
from oracles.native import FETCH, LOAD, STORE, UNMAPPED
from oracles.walk import GLOBAL, LARGE, LMA, PAE, PCIDE, PG, PGE, PRESENT

PAGE = 4096
PML4, PDPT, PD, PT = 0x1000, 0x2000, 0x3000, 0x4000
OTHER = 0x10000  # added to the tables of a second address space
FRAMES = 0x40_0000  # page n maps to frame FRAMES + n * PAGE


def tables(extra: dict[int, int] | None = None) -> bytearray:
    """Two address spaces that map the first 2 MiB, to different frames, and what `extra` adds."""
    ram = bytearray(0x20000)
    entries: dict[int, int] = {}
    for space in (0, OTHER):
        entries |= {space + PML4: space + PDPT, space + PDPT: space + PD, space + PD: space + PT}
        entries |= {space + PT + 8 * n: FRAMES + 16 * space + n * PAGE for n in range(512)}
    for address, entry in (entries | (extra or {})).items():
        ram[address : address + 8] = (entry | PRESENT).to_bytes(8, "little")
    return ram


@pytest.fixture
def machine(probe):
    """A probe in four-level paging on `tables()`."""

    def build(changes=None, extra=None, cr4=PAE):
        p = probe({"walk.pml4e_cached": 0, "walk.pdpte_cached": 0, "walk.pde_cached": 0} | (changes or {}))
        p.use_ram(tables(extra))
        p.state(PG, PML4, cr4, LMA)
        return p

    return build


def translations(p) -> tuple[int, ...]:
    """DTLB loads and misses, STLB loads and misses, walks."""
    names = ("dTLB-loads", "dTLB-load-misses", "L2-TLB-loads", "L2-TLB-load-misses", "page-walks")
    return tuple(p.counters().get(name, 0) for name in names)


def test_a_page_is_walked_once_and_then_found(machine) -> None:
    p = machine()
    assert p.translate(5 * PAGE + 7, LOAD) == FRAMES + 5 * PAGE + 7
    assert p.translate(5 * PAGE + 9, STORE) == FRAMES + 5 * PAGE + 9
    assert translations(p) == (2, 1, 1, 1, 1)


def test_fetches_have_their_own_tlb_and_share_the_second_level(machine) -> None:
    p = machine()
    p.translate(PAGE, LOAD)
    p.translate(PAGE, FETCH)
    assert p.counters()["iTLB-loads"] == p.counters()["iTLB-load-misses"] == 1
    assert translations(p) == (1, 1, 2, 1, 1)


def test_five_pages_of_one_set_of_four_ways_miss_but_the_second_level_has_them(machine, skylake) -> None:
    p = machine()
    pages = [n * 16 * PAGE for n in range(5)]  # 16 sets
    for vaddr in pages * 2:
        p.translate(vaddr, LOAD)
    assert translations(p) == (10, 10, 10, 5, 5)
    assert p.causes()["tlb-walk"] - p.counters()["page-walk-cycles"] == 5 * skylake["walk.stlb_hit"]


def test_a_walk_reads_four_entries_through_the_caches(machine, skylake) -> None:
    p = machine()
    p.translate(0, LOAD)
    assert p.counters()["page-walk-cycles"] == skylake["walk.base"] + 4 * skylake["by_memory.walk"]
    before = p.counters()["page-walk-cycles"]
    p.translate(PAGE, LOAD)  # all four lines are in L1D: the entry lies beside that of page 0
    assert p.counters()["page-walk-cycles"] - before == skylake["walk.base"] + 4 * skylake["walk.l1_read"]
    assert "L1-dcache-loads" not in p.counters()


def test_a_cached_page_directory_entry_leaves_one_read(machine, skylake) -> None:
    p = machine({"walk.pde_cached": 1})
    p.translate(0, LOAD)
    before = p.counters()["page-walk-cycles"]
    p.translate(PAGE, LOAD)
    assert p.counters()["page-walk-cycles"] - before == skylake["walk.base"] + skylake["walk.l1_read"]


def test_one_frame_through_two_pages_needs_two_translations(machine) -> None:
    p = machine(extra={PT + 8 * 9: FRAMES + 5 * PAGE})
    for _ in range(10):
        assert p.translate(5 * PAGE, LOAD) == p.translate(9 * PAGE, LOAD) == FRAMES + 5 * PAGE
    assert translations(p) == (20, 2, 2, 2, 2)


def test_address_spaces_with_pcids_keep_their_entries_apart(machine) -> None:
    p = machine(cr4=PAE | PCIDE)
    for _ in range(3):
        p.state(PG, PML4 | 1, PAE | PCIDE, LMA)
        assert p.translate(PAGE, LOAD) == FRAMES + PAGE
        p.state(PG, OTHER + PML4 | 2, PAE | PCIDE, LMA)
        assert p.translate(PAGE, LOAD) == FRAMES + 16 * OTHER + PAGE
    assert translations(p) == (6, 2, 2, 2, 2)


def test_flushing_one_address_space_leaves_the_other(machine) -> None:
    p = machine(cr4=PAE | PCIDE)
    for pcid in (1, 2):
        p.state(PG, PML4 | pcid, PAE | PCIDE, LMA)
        p.translate(PAGE, LOAD)
    p.flush_asid(1)
    p.translate(PAGE, LOAD)  # PCID 2
    assert translations(p) == (3, 2, 2, 2, 2)
    p.state(PG, PML4 | 1, PAE | PCIDE, LMA)
    p.translate(PAGE, LOAD)
    assert translations(p) == (4, 3, 3, 3, 3)


def test_a_flushed_entry_makes_room_before_a_live_one_is_evicted(machine) -> None:
    p = machine({"dtlb.small.entries": 2, "dtlb.small.ways": 2}, cr4=PAE | PCIDE)
    p.state(PG, PML4 | 1, PAE | PCIDE, LMA)
    p.translate(PAGE, LOAD)  # of space 1; then two of space 2, of which the first pushes out nothing
    p.state(PG, PML4 | 2, PAE | PCIDE, LMA)
    p.translate(2 * PAGE, LOAD)
    p.state(PG, PML4 | 1, PAE | PCIDE, LMA)
    p.translate(PAGE, LOAD)  # used last
    p.flush_asid(1)
    p.state(PG, PML4 | 2, PAE | PCIDE, LMA)
    p.translate(3 * PAGE, LOAD)
    misses = translations(p)[1]
    p.translate(2 * PAGE, LOAD)
    assert translations(p)[1] == misses


def test_global_pages_survive_a_flush_of_their_address_space(machine) -> None:
    p = machine(extra={PT + 8: (FRAMES + PAGE) | GLOBAL}, cr4=PAE | PGE)
    p.translate(PAGE, LOAD)
    p.flush_asid(0)
    p.flush_all(0)
    p.translate(PAGE, LOAD)
    assert translations(p) == (2, 1, 1, 1, 1)
    p.flush_all(1)
    p.translate(PAGE, LOAD)
    assert translations(p) == (3, 2, 2, 2, 2)


def test_the_global_bit_means_nothing_without_cr4_pge(machine) -> None:
    p = machine(extra={PT + 8: (FRAMES + PAGE) | GLOBAL})
    p.translate(PAGE, LOAD)
    p.flush_asid(0)
    p.translate(PAGE, LOAD)
    assert translations(p) == (2, 2, 2, 2, 2)


def test_invlpg_forgets_one_page_even_if_global(machine) -> None:
    p = machine(extra={PT + 8: (FRAMES + PAGE) | GLOBAL}, cr4=PAE | PGE)
    p.translate(PAGE, LOAD)
    p.translate(2 * PAGE, LOAD)
    p.invlpg(PAGE + 123)
    p.translate(PAGE, LOAD)
    p.translate(2 * PAGE, LOAD)
    assert translations(p) == (4, 3, 3, 3, 3)


def test_invpcid_of_an_address_leaves_global_pages(machine) -> None:
    p = machine(extra={PT + 8: (FRAMES + PAGE) | GLOBAL}, cr4=PAE | PGE)
    p.translate(PAGE, LOAD)
    p.translate(2 * PAGE, LOAD)
    p.invlpg_asid(PAGE, 0)
    p.invlpg_asid(2 * PAGE, 0)
    p.translate(PAGE, LOAD)
    p.translate(2 * PAGE, LOAD)
    assert translations(p) == (4, 3, 3, 3, 3)


TWO_MIB, ONE_GIB = 1 << 21, 1 << 30


def test_a_large_page_needs_one_entry_for_all_of_it(machine) -> None:
    p = machine(extra={PD + 8: LARGE | 0x1000_0000})
    for offset in (0, PAGE, 511 * PAGE + 4095):
        assert p.translate(TWO_MIB + offset, LOAD) == 0x1000_0000 + offset
    assert translations(p) == (3, 1, 1, 1, 1)


def test_five_large_pages_of_one_set_of_four_ways_miss_wherever_they_are_asked_for(machine) -> None:
    apart = 8 * TWO_MIB  # 8 sets
    pages = range(apart, 6 * apart, apart)
    p = machine(extra={PD + 8 * (page >> 21): LARGE | page for page in pages})
    for n, page in enumerate([*pages, *pages]):
        assert p.translate(page + n * PAGE, LOAD) == page + n * PAGE
    for page in pages:
        p.translate(page, LOAD)
    assert translations(p)[:2] == (15, 15)


def test_pages_of_two_sizes_take_each_others_place_in_a_set_that_they_share(machine) -> None:
    shared = {"dtlb.large_in_small": 1, "dtlb.large.entries": 0, "dtlb.large.ways": 0}
    p = machine(
        shared | {"dtlb.small.entries": 2, "dtlb.small.ways": 1}, extra={PD + 16: LARGE | 2 * TWO_MIB}
    )
    for _ in range(3):
        p.translate(0, LOAD)
        p.translate(2 * TWO_MIB + PAGE, LOAD)  # in set 0 too
    assert translations(p)[:2] == (6, 6)


def test_a_huge_page_is_held_in_large_pieces_where_there_is_no_array_for_it(machine) -> None:
    p = machine(extra={PDPT + 8: LARGE | ONE_GIB})
    for offset in (0, PAGE, TWO_MIB, TWO_MIB + 5):
        assert p.translate(ONE_GIB + offset, FETCH) == ONE_GIB + offset
    # Two pieces of 2 MiB in the I-TLB; the second level holds the page whole.
    assert p.counters()["iTLB-load-misses"] == 2
    assert p.counters()["page-walks"] == 1
    p.invlpg(ONE_GIB + 3 * TWO_MIB)  # another piece of the same page: all of it goes
    p.translate(ONE_GIB, FETCH)
    assert p.counters()["iTLB-load-misses"] == 3
    assert p.counters()["page-walks"] == 2


def test_a_translation_that_faults_counts_nothing_and_is_counted_when_it_succeeds(machine) -> None:
    p = machine()
    assert p.translate(TWO_MIB, LOAD) == UNMAPPED
    assert p.counters() == {}
    assert p.cycles() == 0
    p.use_ram(tables({PD + 8: LARGE | 0x1000_0000}))  # the handler maps it
    assert p.translate(TWO_MIB, LOAD) == 0x1000_0000
    assert translations(p) == (1, 1, 1, 1, 1)


def test_with_paging_off_addresses_are_physical_and_nothing_is_counted(probe) -> None:
    p = probe()
    assert p.translate(0x1234_5678, LOAD) == 0x1234_5678
    assert p.counters() == {}


def test_an_address_that_is_not_canonical_has_no_translation(machine) -> None:
    p = machine()
    assert p.translate(1 << 47, LOAD) == UNMAPPED


def enter(p, pcid: int) -> None:
    p.state(PG, PML4 | pcid, PAE | PCIDE, LMA)


def exhaust_tags(p) -> None:
    """Flush another address space until all tags have been given away and are numbered anew."""
    p.use_up_tags()
    for _ in range(5):
        p.flush_asid(3)


def test_live_entries_stay_when_tags_run_out(machine) -> None:
    p = machine(cr4=PAE | PCIDE)
    enter(p, 7)
    p.flush_asid(7)  # now its tag is not the one it began with, nor the one it will get
    p.translate(PAGE, LOAD)
    exhaust_tags(p)
    p.translate(PAGE, LOAD)
    assert translations(p) == (2, 1, 1, 1, 1)


def test_forgotten_entries_do_not_come_back_when_tags_run_out(machine) -> None:
    p = machine(cr4=PAE | PCIDE)
    enter(p, 7)
    p.translate(PAGE, LOAD)  # under the tag that this address space will have again
    p.flush_asid(7)
    exhaust_tags(p)
    p.translate(PAGE, LOAD)
    assert translations(p) == (2, 2, 2, 2, 2)


UNIFIED = {f"itlb.{size}.{what}": 0 for size in ("small", "large", "huge") for what in ("entries", "ways")}
ONE_LEVEL = {key.replace("itlb", "stlb"): 0 for key in UNIFIED} | {"stlb.large_in_small": 0}


def test_a_unified_first_level_has_for_a_fetch_what_a_load_brought(machine) -> None:
    p = machine(UNIFIED)
    p.translate(PAGE, LOAD)
    p.translate(PAGE, FETCH)
    p.translate(2 * PAGE, FETCH)
    p.translate(2 * PAGE, LOAD)
    assert (p.counters()["iTLB-loads"], p.counters()["iTLB-load-misses"]) == (2, 1)
    assert translations(p) == (2, 1, 2, 2, 2)


def test_code_evicts_data_from_a_unified_first_level(machine) -> None:
    p = machine(UNIFIED | {"dtlb.small.entries": 2, "dtlb.small.ways": 2})
    p.translate(PAGE, LOAD)
    p.translate(2 * PAGE, FETCH)
    p.translate(3 * PAGE, FETCH)
    p.translate(PAGE, LOAD)
    assert translations(p)[:2] == (2, 2)


def test_large_pages_and_invlpg_in_a_unified_first_level(machine) -> None:
    p = machine(UNIFIED, extra={PD + 8: LARGE | 0x1000_0000})
    p.translate(TWO_MIB, FETCH)
    p.translate(TWO_MIB + PAGE, LOAD)
    assert translations(p) == (1, 0, 1, 1, 1)
    p.invlpg(TWO_MIB)
    p.translate(TWO_MIB + PAGE, LOAD)
    assert translations(p) == (2, 1, 2, 2, 2)


def test_without_a_second_level_every_miss_walks_and_nothing_is_counted_there(machine) -> None:
    p = machine(ONE_LEVEL | {"dtlb.small.entries": 1, "dtlb.small.ways": 1})
    for vaddr in (PAGE, 2 * PAGE, PAGE):
        assert p.translate(vaddr, LOAD) == FRAMES + vaddr
    assert translations(p) == (3, 3, 0, 0, 3)
    assert p.causes()["tlb-walk"] == p.counters()["page-walk-cycles"]


def test_live_entries_of_a_unified_level_stay_when_tags_run_out(machine) -> None:
    p = machine(UNIFIED | ONE_LEVEL, cr4=PAE | PCIDE)
    enter(p, 7)
    p.flush_asid(7)
    p.translate(PAGE, LOAD)
    exhaust_tags(p)
    p.translate(PAGE, FETCH)
    assert translations(p) == (1, 1, 0, 0, 1)
    assert "iTLB-load-misses" not in p.counters()
