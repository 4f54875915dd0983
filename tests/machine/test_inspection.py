# SPDX-License-Identifier: GPL-2.0-or-later
"""Walks and the contents of the models, on memory whose tables the test has laid itself."""

from __future__ import annotations

import pytest

from ringscope.emulator.debug import inspection, page_tables
from ringscope.emulator.debug.inspection import CACHES, Level, Walk

PAGE = 0x1000
LINE = 64


def touch(rig, address):
    """Load a word, and store one in the page after it."""
    if rig.engine.arch == "x86_64":
        rig.measure(f"mov ebx, {address}; mov rax, [rbx]; mov [rbx + {PAGE}], rax")
    else:
        rig.measure(f"set x1, {address}; ldr x0, [x1]; add x1, x1, #{PAGE}; str x0, [x1]")


def code(rig):
    return rig.snippets.CODE


def data(rig):
    return rig.snippets.DATA


def test_a_walk_ends_where_the_engine_translates_to(either):
    either.begin()
    for vaddr in range(code(either), code(either) + (4 << 20), 0x10_123):
        assert inspection.walk(either.engine, vaddr).paddr == either.engine.physical(vaddr)


def test_where_nothing_is_mapped_a_walk_says_by_which_entry_it_ended(either):
    either.begin()
    walk = inspection.walk(either.engine, 0x40_0000_0000)
    assert walk.paddr is None
    assert walk.levels[-1].entry & 1 == 0
    assert page_tables.tell(either.engine.arch, walk)[-1].leads_to is None


def test_each_entry_of_a_walk_lies_where_the_one_before_leads(either):
    either.begin()
    walk = inspection.walk(either.engine, data(either))
    told = page_tables.tell(either.engine.arch, walk)
    for level, before in zip(walk.levels[1:], told, strict=False):
        assert level.paddr & -PAGE == before.leads_to
    assert told[-1].leads_to == data(either)


def test_a_page_that_was_read_is_in_the_tlb_and_its_line_in_the_caches(either):
    touch(either, data(either))
    pages = {entry.vaddr: entry for entry in inspection.translations(either.engine, "dtlb") if entry.live}
    assert pages[data(either)].paddr == data(either)
    assert pages[data(either)].page_shift == 12
    lines = {line.paddr: line for line in inspection.lines(either.engine, "l1d")}
    assert not lines[data(either)].dirty
    assert lines[data(either) + PAGE].dirty


def test_code_that_ran_is_in_the_instruction_tlb_and_cache(either):
    touch(either, data(either))
    assert code(either) & -PAGE in {entry.vaddr for entry in inspection.translations(either.engine, "itlb")}
    assert code(either) & -LINE in {line.paddr for line in inspection.lines(either.engine, "l1i")}


def test_of_two_lines_in_one_set_the_one_used_last_comes_first(either):
    touch(either, data(either))
    sets = 64 if either.engine.arch == "x86_64" else 256
    first, second = data(either), data(either) + sets * LINE
    touch(either, second)
    ways = {
        line.paddr: line.way
        for line in inspection.lines(either.engine, "l1d")
        if line.paddr in (first, second)
    }
    assert ways[second] < ways[first]


def test_what_was_flushed_is_dead_or_gone(either):
    touch(either, data(either))
    flush = "mov rax, cr3; mov cr3, rax" if either.engine.arch == "x86_64" else "tlbi vmalle1; dsb sy; isb"
    either.measure(flush)
    assert data(either) not in {
        entry.vaddr for entry in inspection.translations(either.engine, "dtlb") if entry.live
    }


def test_without_models_there_is_nothing_in_them(make_either):
    rig = make_either(timing=False)
    touch(rig, data(rig))
    assert not any(inspection.lines(rig.engine, cache) for cache in CACHES)


def test_looking_changes_no_count(either):
    touch(either, data(either))
    before = either.books()
    inspection.walk(either.engine, data(either))
    inspection.translations(either.engine, "stlb")
    inspection.lines(either.engine, "l2")
    assert either.books() == before


# ---- entries in words, each bit by hand ----

NX = 1 << 63


@pytest.mark.parametrize(
    ("shift", "entry", "name", "flags", "leads_to"),
    [
        (39, 0x2067, "PML4E", ("writable", "user", "accessed"), 0x2000),
        (30, 0x3063 | NX, "PDPTE", ("writable", "supervisor", "accessed", "no-execute"), 0x3000),
        (21, 0x20_00E3, "PDE", ("2 MiB page", "writable", "supervisor", "accessed", "dirty"), 0x20_0000),
        (30, 0x4000_0087, "PDPTE", ("1 GiB page", "writable", "user"), 0x4000_0000),
        (12, 0x5000 | 1 | 1 << 8, "PTE", ("read-only", "supervisor", "global"), 0x5000),
        (12, 0xFEE0_0000 | 0x1B, "PTE", ("writable", "supervisor", "write-through", "uncached"), 0xFEE0_0000),
        (12, 0x1234_5678 & ~1, "PTE", ("not present",), None),
    ],
)
def test_an_x86_entry_is_told_by_its_bits(shift, entry, name, flags, leads_to):
    *_, told = page_tables.tell("x86_64", walk_of(shift, entry, Level(0x1000, 39, 0x2067)))
    assert (told.name, told.flags, told.leads_to) == (name, flags, leads_to)


@pytest.mark.parametrize(
    ("shift", "entry", "name", "flags", "leads_to"),
    [
        (39, 0x4000_2003, "level 0", ("table",), 0x4000_2000),
        (30, 0x4000_3003 | 1 << 59, "level 1", ("table", "PXNTable"), 0x4000_3000),
        (
            21,
            0x4020_0000 | 1 | 1 << 10 | 3 << 8 | 1 << 2 | 1 << 54,
            "level 2",
            ("2 MiB block", "writable", "EL1", "accessed", "global", "UXN", "MAIR 1", "inner shareable"),
            0x4020_0000,
        ),
        (
            12,
            0x4030_1000 | 3 | 1 << 6 | 1 << 7 | 1 << 11 | 1 << 53,
            "level 3",
            ("page", "read-only", "EL0", "not accessed", "not global", "PXN", "MAIR 0"),
            0x4030_1000,
        ),
        (12, 0x4030_1001, "level 3", ("not valid",), None),  # bit 1 clear at the last level is reserved
        (21, 0, "level 2", ("not valid",), None),
    ],
)
def test_a_descriptor_is_told_by_its_bits(shift, entry, name, flags, leads_to):
    (told,) = page_tables.tell("aarch64", walk_of(shift, entry))
    assert (told.name, told.flags, told.leads_to) == (name, flags, leads_to)


def test_the_outermost_entry_of_pae_says_nothing_of_rights():
    (told,) = page_tables.tell("x86_64", walk_of(30, 0x3001 | 1 << 3))
    assert (told.name, told.flags, told.leads_to) == ("PDPTE", ("write-through",), 0x3000)


def walk_of(shift, entry, *before):
    return Walk((*before, Level(0x1000, shift, entry)), None, 0, False, False, False, False)
