# SPDX-License-Identifier: GPL-2.0-or-later
"""Address spaces, their identifiers and the invalidation of translations on AArch64, counted by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.machine.arm_rig import ArmRig, cortex_a57
from tests.machine.arm_snippets import (
    DATA,
    HIGH,
    KERNEL_PAGE,
    LEVEL_1,
    NOT_GLOBAL,
    PAGE,
    RAM,
    SAME_SYNC,
    SPARE_LEVEL_1,
    TCR,
    TCR_A1,
    TCR_AS,
    TCR_TBI0,
    USER_PAGE,
    page_entry,
)

if TYPE_CHECKING:
    from tests.machine.rig import Spent

COST = cortex_a57().cost
USER, OTHER, GLOBAL = DATA, DATA + PAGE, DATA + 2 * PAGE
BLOCK = RAM + (2 << 20)  # the first that is mapped as 2 MiB


def to_space(asid: int, table: int = LEVEL_1) -> str:
    return f"set x9, {table}; movk x9, #{asid}, lsl #48; msr ttbr0_el1, x9; isb"


def touch(*addresses: int) -> str:
    return "; ".join(f"set x10, {address}; ldr x11, [x10]" for address in addresses)


def touch_high(address: int) -> str:
    upper = f"movk x10, #{HIGH >> 32 & 0xFFFF}, lsl #32; movk x10, #{HIGH >> 48}, lsl #48"
    return f"set x10, {address}; {upper}; ldr x11, [x10]"


def data_translations(spent: Spent) -> tuple[int, int]:
    return spent["dTLB-loads"], spent["dTLB-load-misses"]


def test_one_frame_through_two_virtual_pages_needs_two_translations(arm: ArmRig) -> None:
    arm.write_word(page_entry(OTHER), USER | USER_PAGE)
    arm.measure("nop")
    spent = arm.measure("; ".join([touch(USER), touch(OTHER)] * 10))
    assert data_translations(spent) == (20, 2)
    assert (spent["L2-TLB-loads"], spent["L2-TLB-load-misses"], spent["page-walks"]) == (2, 2, 2)
    assert spent["L1-dcache-load-misses"] == 1  # it is one line


def test_the_two_halves_of_the_address_space_are_translated_apart(arm: ArmRig) -> None:
    arm.write(DATA, b"one frame")
    arm.measure("nop")
    spent = arm.measure("; ".join([touch(DATA), touch_high(DATA)] * 10))
    assert data_translations(spent) == (20, 2)
    assert arm.register("x11").to_bytes(8, "little") == b"one fram"


def test_one_frame_in_two_address_spaces_needs_two_translations_and_keeps_both(arm: ArmRig) -> None:
    rounds = "; ".join([to_space(1), touch(USER), to_space(2), touch(USER)] * 3)
    first = arm.measure(rounds)
    assert first["address-space-switches"] == 6
    assert data_translations(first) == (6, 2)
    again = arm.measure(rounds)
    assert again["address-space-switches"] == 6  # it begins in the second
    assert data_translations(again) == (6, 0)
    assert again["iTLB-load-misses"] == 0  # the code is global
    assert again.cause("serialisation") == 6 * (COST["ttbr_write"] + COST["isb"])


def test_two_tables_with_an_identifier_each_are_two_address_spaces(arm: ArmRig) -> None:
    rounds = "; ".join([to_space(1), touch(USER), to_space(2, SPARE_LEVEL_1), touch(USER)] * 2)
    assert data_translations(arm.measure(rounds)) == (4, 2)


def test_a_write_of_ttbr0_flushes_nothing(arm: ArmRig) -> None:
    """Not even with another table under the same identifier: that is for the guest to see to."""
    spent = arm.measure("; ".join([touch(USER), to_space(0, SPARE_LEVEL_1), touch(USER)]))
    assert data_translations(spent) == (2, 1)
    assert spent["address-space-switches"] == 1


def test_only_a_write_of_ttbr0_that_changes_it_switches_the_address_space(arm: ArmRig) -> None:
    writes = [to_space(0), to_space(1), to_space(1), to_space(0), to_space(0), "msr ttbr1_el1, x9; isb"]
    spent = arm.measure("; ".join(writes))
    assert spent["address-space-switches"] == 2
    assert spent.cause("serialisation") == 6 * (COST["ttbr_write"] + COST["isb"])


def test_a_global_page_is_translated_once_for_all_address_spaces(arm: ArmRig) -> None:
    arm.write_word(page_entry(GLOBAL), GLOBAL | KERNEL_PAGE)
    spent = arm.measure("; ".join([to_space(1), touch(GLOBAL), to_space(2), touch(GLOBAL)]))
    assert data_translations(spent) == (2, 1)


@pytest.mark.parametrize(("bits", "misses"), [(TCR_AS, 2), (0, 1)], ids=["16 bits", "8 bits"])
def test_identifiers_have_as_many_bits_as_tcr_says(make_arm, bits: int, misses: int) -> None:
    arm = make_arm(tcr=TCR & ~TCR_AS | bits)
    spent = arm.measure("; ".join([to_space(0x001), touch(USER), to_space(0x101), touch(USER)]))
    assert data_translations(spent) == (2, misses)


def test_the_identifier_is_that_of_ttbr1_where_tcr_says_so(make_arm) -> None:
    arm = make_arm(tcr=TCR | TCR_A1)
    apart = "; ".join([to_space(1), touch(USER), to_space(2), touch(USER)])
    assert data_translations(arm.measure(apart)) == (2, 1)
    spent = arm.measure(f"set x9, {LEVEL_1}; movk x9, #7, lsl #48; msr ttbr1_el1, x9; isb; {touch(USER)}")
    assert data_translations(spent) == (1, 1)


def test_a_tag_in_the_top_byte_is_no_part_of_an_address(make_arm) -> None:
    arm = make_arm(tcr=TCR | TCR_TBI0)
    tagged = f"set x10, {USER}; movk x10, #0x5a00, lsl #48; ldr x11, [x10]"
    assert data_translations(arm.measure("; ".join([tagged, touch(USER)] * 10))) == (20, 1)


def test_a_block_of_2_mib_is_one_translation(arm: ArmRig) -> None:
    spent = arm.measure(touch(BLOCK, BLOCK + PAGE, BLOCK + 255 * PAGE, BLOCK + (2 << 20)))
    assert data_translations(spent) == (4, 2)


# ---- invalidation ----


def operand(vaddr: int, asid: int = 0) -> str:
    """Return what puts the operand of TLBI into x9."""
    return f"set x9, {vaddr >> 12}; movk x9, #{asid}, lsl #48"


#: What is invalidated in address space 2; misses of the six loads that follow: of a page, another and a
#: global one, in address space 1 and in 2.
INVALIDATIONS = {
    "nothing": ("nop", 0),
    "vmalle1": ("tlbi vmalle1", 3 + 2),
    "vmalle1is": ("tlbi vmalle1is", 3 + 2),
    "aside1": (f"{operand(0, 1)}; tlbi aside1, x9", 2),
    "aside1is": (f"{operand(0, 2)}; tlbi aside1is, x9", 2),
    "aside1 of no space": (f"{operand(0, 3)}; tlbi aside1, x9", 0),
    "vae1": (f"{operand(USER, 1)}; tlbi vae1, x9", 1),
    "vae1is": (f"{operand(OTHER, 2)}; tlbi vae1is, x9", 1),
    "vae1 of no space": (f"{operand(USER, 3)}; tlbi vae1, x9", 0),
    "vae1 of a global page": (f"{operand(GLOBAL, 3)}; tlbi vae1, x9", 1),
    "vale1": (f"{operand(USER, 1)}; tlbi vale1, x9", 1),
    "vaae1": (f"{operand(USER)}; tlbi vaae1, x9", 2),
    "vaae1is": (f"{operand(USER)}; tlbi vaae1is, x9", 2),
    "vaale1": (f"{operand(OTHER)}; tlbi vaale1, x9", 2),
    "vaae1 of a global page": (f"{operand(GLOBAL)}; tlbi vaae1, x9", 1),
    "vaae1 of another page": (f"{operand(DATA + 5 * PAGE)}; tlbi vaae1, x9", 0),
}


@pytest.mark.parametrize("name", INVALIDATIONS)
def test_an_invalidation_drops_what_it_names_and_nothing_else(arm: ArmRig, name: str) -> None:
    source, misses = INVALIDATIONS[name]
    arm.write_word(page_entry(GLOBAL), GLOBAL | KERNEL_PAGE)
    both = "; ".join(f"{to_space(asid)}; {touch(USER, OTHER, GLOBAL)}" for asid in (1, 2))
    arm.measure(both)
    assert data_translations(arm.measure(f"{source}; dsb ish; isb; {both}")) == (6, misses)


def test_an_address_anywhere_in_a_block_invalidates_the_block(arm: ArmRig) -> None:
    arm.measure(touch(BLOCK))
    source = f"{operand(BLOCK + 37 * PAGE)}; tlbi vae1, x9; dsb ish; {touch(BLOCK, BLOCK + PAGE)}"
    assert data_translations(arm.measure(source)) == (2, 1)


def test_a_page_of_the_upper_half_is_invalidated_by_its_own_address(arm: ArmRig) -> None:
    fill = f"{touch(USER)}; {touch_high(USER)}"
    arm.measure(fill)
    page = (HIGH + USER) >> 12 & (1 << 44) - 1
    high = f"set x9, {page & 0xFFFF_FFFF}; movk x9, #{page >> 32}, lsl #32; tlbi vaae1, x9; dsb ish"
    assert data_translations(arm.measure(f"{high}; {fill}")) == (2, 1)
    assert data_translations(arm.measure(f"{operand(USER)}; tlbi vaae1, x9; dsb ish; {fill}")) == (2, 1)


def test_a_changed_table_is_seen_after_its_invalidation(arm: ArmRig) -> None:
    arm.write(USER, b"before..")
    arm.write(OTHER, b"after...")
    arm.measure(touch(USER))
    store = f"set x10, {page_entry(USER)}; set x11, {page_entry(OTHER)}; ldr x11, [x11]; str x11, [x10]"
    arm.measure(f"{store}; dsb ish; {operand(USER)}; tlbi vae1, x9; dsb ish; isb; {touch(USER)}")
    assert arm.register("x11").to_bytes(8, "little") == b"after..."


# ---- walks ----


def test_a_walk_reads_three_descriptors_and_the_next_one_only_the_last(arm: ArmRig) -> None:
    walk, read = cortex_a57().walk, cortex_a57().latency.l1
    forget = f"{operand(USER)}; tlbi vae1, x9; {operand(OTHER)}; tlbi vae1, x9; dsb ish"
    arm.measure(touch(USER, OTHER))  # the tables' lines are in the first level of cache from here on
    one = arm.measure(f"{forget}; {touch(USER)}")
    both = arm.measure(f"{forget}; {touch(USER, OTHER)}")
    assert (one["page-walks"], one["page-walk-cycles"]) == (1, walk.base + 3 * read)
    assert (both["page-walks"], both["page-walk-cycles"]) == (2, 2 * walk.base + 4 * read)
    assert both.cause("tlb-walk") == both["page-walk-cycles"]


def test_an_access_that_faults_and_is_tried_again_is_translated_once(arm: ArmRig) -> None:
    arm.write_word(page_entry(USER), 0)
    entry = f"set x12, {USER}; movz x13, #{USER_PAGE & 0xFFFF}; orr x12, x12, x13"
    supply = f"set x9, {page_entry(USER)}; {entry}"
    arm.handler(SAME_SYNC, f"{supply}; str x12, [x9]; dsb ish; eret")
    spent = arm.measure(touch(USER))
    assert spent["page-faults"] == 1
    assert data_translations(spent) == (2, 2)  # the handler's store into the table, and the load


def test_nothing_is_translated_while_the_mmu_is_off(arm: ArmRig) -> None:
    off = "mrs x9, sctlr_el1; bic x9, x9, #1; msr sctlr_el1, x9; isb"
    on = "orr x9, x9, #1; msr sctlr_el1, x9; isb"
    spent = arm.measure(f"{off}; {touch(USER, OTHER)}; {to_space(1).replace('x9', 'x12')}; {on}")
    assert data_translations(spent) == (0, 0)
    assert spent["address-space-switches"] == 0


def test_an_address_beyond_the_physical_ones_aborts_with_the_mmu_off_too(arm: ArmRig) -> None:
    arm.handler(SAME_SYNC, "mrs x15, esr_el1; mrs x16, elr_el1; add x16, x16, #4; msr elr_el1, x16; eret")
    off = "mrs x9, sctlr_el1; bic x9, x9, #1; msr sctlr_el1, x9; isb"
    on = "orr x9, x9, #1; msr sctlr_el1, x9; isb"
    arm.measure(f"{off}; movz x10, #0x4000, lsl #32; ldr x11, [x10]; {on}")
    data_abort, address_size_at_level_0 = 0x25 << 26 | 1 << 25, 0
    assert arm.register("x15") == data_abort | address_size_at_level_0


def test_pages_of_one_address_space_are_not_global(arm: ArmRig) -> None:
    assert USER_PAGE & NOT_GLOBAL
    assert not KERNEL_PAGE & NOT_GLOBAL
    assert arm.read_word(page_entry(USER)) == USER | USER_PAGE
