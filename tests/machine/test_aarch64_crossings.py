# SPDX-License-Identifier: GPL-2.0-or-later
"""Changes of exception level on AArch64, their prices and syndromes, of sequences counted by hand."""

from __future__ import annotations

import pytest

from tests.machine.arm_rig import VISIT, ArmRig, cortex_a57
from tests.machine.arm_snippets import (
    CODE,
    DATA,
    HIGH,
    KERNEL_PAGE,
    PAGE,
    READ_ONLY,
    SAME_SYNC,
    USER_CODE,
    USER_PAGE,
    UXN,
    page_entry,
)

COST = cortex_a57().cost
VISIT_TRAP = COST["svc"] + COST["eret"]
SKIP = "mrs x17, elr_el1; add x17, x17, #4; msr elr_el1, x17; eret"
#: What the user does; how EL1 answers; mode switches beside the visit's own, their cycles under `trap`.
CROSSINGS = {
    "nothing": ("nop", "eret", 0, 0),
    "svc": ("svc #0", "eret", 2, COST["svc"] + COST["eret"]),
    "three": ("svc #0; svc #1; svc #2", "eret", 6, 3 * (COST["svc"] + COST["eret"])),
    "undefined": (".word 0", SKIP, 2, COST["exception"] + COST["eret"]),
    "secure": (".word 0xd4000003", SKIP, 2, COST["exception"] + COST["eret"]),  # smc #0, without an EL3
    "breakpoint": ("brk #7", SKIP, 2, COST["exception"] + COST["eret"]),
    "privileged": ("mrs x0, sctlr_el1", SKIP, 2, COST["exception"] + COST["eret"]),
    "a fault": ("movz x1, #16; ldr x0, [x1]", SKIP, 2, COST["exception"] + COST["eret"]),
}


@pytest.mark.parametrize("name", CROSSINGS)
def test_a_crossing_is_two_mode_switches_at_the_profiles_price(arm: ArmRig, name: str) -> None:
    user, lower, switches, trap = CROSSINGS[name]
    spent = arm.visit_user(user, lower=lower)
    assert spent["mode-switches"] == 2 + switches
    assert spent.cause("trap") == VISIT_TRAP + trap
    assert spent["address-space-switches"] == 0


@pytest.mark.parametrize("name", CROSSINGS)
def test_without_models_the_crossings_are_counted_all_the_same(make_arm, name: str) -> None:
    user, lower, switches, _ = CROSSINGS[name]
    spent = make_arm(timing=False).visit_user(user, lower=lower)
    assert spent["mode-switches"] == 2 + switches
    assert spent["cycles"] == spent["instructions"]


def test_each_level_is_booked_what_it_executes(arm: ArmRig) -> None:
    spent = arm.visit_user("nop; nop; svc #0; nop; nop; nop", lower="nop; nop; eret")
    assert spent.by_ring("instructions") == (VISIT + 4 + 3, 6 + 1)


def test_an_exception_at_el1_switches_no_mode(arm: ArmRig) -> None:
    arm.handler(SAME_SYNC, "eret")
    spent = arm.measure("svc #0; svc #0")
    assert spent["mode-switches"] == 0
    assert spent.cause("trap") == 2 * (COST["svc"] + COST["eret"])


# ---- what the handler is told ----

ASK = "mrs x20, esr_el1; mrs x21, far_el1; mrs x22, elr_el1; mrs x23, spsr_el1"
UNMAPPED = 0x4080_0000  # behind RAM, in a table entry that is not valid
EC_UNKNOWN, EC_FPU, EC_SVC, EC_BRK = 0x00, 0x07, 0x15, 0x3C
EC_FETCH_USER, EC_FETCH, EC_DATA_USER, EC_DATA = 0x20, 0x21, 0x24, 0x25
IL, WRITE = 1 << 25, 1 << 6
TRANSLATION, ACCESS_FLAG, PERMISSION = 0x04, 0x08, 0x0C


def syndrome(kind: int, specific: int) -> int:
    return kind << 26 | IL | specific


def fault_at_el1(arm: ArmRig, source: str) -> tuple[int, int, int]:
    """Run something that faults, at its last instruction; return ESR, FAR, ELR's distance from that."""
    arm.handler(SAME_SYNC, f"{ASK}; mrs x17, elr_el1; add x17, x17, #4; msr elr_el1, x17; eret")
    arm.measure(source)
    assert arm.register("x23") & 0xF == 5  # from EL1 with its own stack
    return arm.register("x20"), arm.register("x21"), arm.register("x22") - (arm.end - 4)


#: Source; exception class; the rest of the syndrome; the address, None where the syndrome has none.
FAULTS = {
    "load from nothing": (f"set x1, {UNMAPPED}; ldr x0, [x1, #8]", EC_DATA, TRANSLATION | 2, UNMAPPED + 8),
    "store to nothing": (f"set x1, {UNMAPPED}; str x0, [x1]", EC_DATA, TRANSLATION | 2 | WRITE, UNMAPPED),
    "load out of reach": ("movz x1, #1, lsl #48; ldr x0, [x1]", EC_DATA, TRANSLATION, 1 << 48),
    "load beyond the first table": ("movz x1, #2, lsl #32; ldr x0, [x1]", EC_DATA, TRANSLATION | 1, 2 << 32),
    "load from a page that is not there": (f"set x1, {DATA}; ldr x0, [x1]", EC_DATA, TRANSLATION | 3, DATA),
    "load from a page not accessed": (
        f"set x1, {DATA + PAGE}; ldr x0, [x1]", EC_DATA, ACCESS_FLAG | 3, DATA + PAGE,
    ),
    "store to a page for reading": (
        f"set x1, {DATA + 2 * PAGE}; str w0, [x1, #4]", EC_DATA, PERMISSION | 3 | WRITE, DATA + 2 * PAGE + 4,
    ),
    "undefined": (".word 0", EC_UNKNOWN, 0, None),
    "breakpoint": ("brk #0x123", EC_BRK, 0x123, None),
    "floating point": ("fmov d0, x0", EC_FPU, 1 << 24 | 0xE << 20, None),
}  # fmt: skip


def with_odd_pages(arm: ArmRig) -> ArmRig:
    arm.write_word(page_entry(DATA), 0)
    arm.write_word(page_entry(DATA + PAGE), (DATA + PAGE) | USER_PAGE & ~(1 << 10))
    arm.write_word(page_entry(DATA + 2 * PAGE), (DATA + 2 * PAGE) | KERNEL_PAGE | READ_ONLY)
    return arm


@pytest.mark.parametrize("name", FAULTS)
def test_the_handler_is_told_what_where_and_why(arm: ArmRig, name: str) -> None:
    source, kind, specific, address = FAULTS[name]
    told, far, distance = fault_at_el1(with_odd_pages(arm), source)
    assert (hex(told), distance) == (hex(syndrome(kind, specific)), 0)
    assert address is None or far == address


@pytest.mark.parametrize("name", FAULTS)
def test_only_aborts_count_as_page_faults(arm: ArmRig, name: str) -> None:
    source, kind, *_ = FAULTS[name]
    before = arm.books().total("page-faults")
    fault_at_el1(with_odd_pages(arm), source)
    assert arm.books().total("page-faults") - before == (kind == EC_DATA)


def test_a_store_across_pages_faults_at_the_page_that_is_missing(arm: ArmRig) -> None:
    arm.write_word(page_entry(DATA + PAGE), 0)
    told, far, _ = fault_at_el1(arm, f"set x1, {DATA + PAGE - 4}; str x0, [x1]")
    assert told == syndrome(EC_DATA, TRANSLATION | 3 | WRITE)
    assert far == DATA + PAGE


def test_an_unaligned_load_succeeds_where_alignment_is_not_checked(arm: ArmRig) -> None:
    arm.write(DATA, bytes(range(1, 10)))
    arm.measure(f"set x1, {DATA + 1}; ldr x0, [x1]")
    assert arm.register("x0") == int.from_bytes(bytes(range(2, 10)), "little")


#: Where the user jumps to; what the fetch fails by.
FETCHES = {
    "nothing": (UNMAPPED, TRANSLATION | 2),
    "the kernel's": (CODE, PERMISSION | 3),
    "data": (DATA, PERMISSION | 3),
    "the upper half": (HIGH + CODE, PERMISSION | 3),
}


@pytest.mark.parametrize("name", FETCHES)
def test_a_fetch_that_fails_says_where_it_was_to_be(arm: ArmRig, name: str) -> None:
    where, why = FETCHES[name]
    arm.write_word(page_entry(DATA), DATA | USER_PAGE | UXN)
    upper = where >> 32
    jump = f"movz x2, #{upper & 0xFFFF}, lsl #32; movk x2, #{upper >> 16}, lsl #48; orr x1, x1, x2; blr x1"
    lower = f"{ASK}; msr elr_el1, x30; eret"
    spent = arm.visit_user(f"set x1, {where & 0xFFFF_FFFF}; {jump}", lower=lower)
    assert arm.register("x20") == syndrome(EC_FETCH_USER, why)
    assert arm.register("x21") == arm.register("x22") == where
    assert arm.register("x23") & 0xF == 0  # from EL0
    assert spent["page-faults"] == 1


def test_an_access_of_the_user_to_what_is_the_kernels_is_a_permission_fault(arm: ArmRig) -> None:
    arm.visit_user(f"set x1, {CODE}; ldr x0, [x1]", lower=f"{ASK}; {SKIP}")
    assert arm.register("x20") == syndrome(EC_DATA_USER, PERMISSION | 3)
    assert arm.register("x21") == CODE
    assert arm.register("x22") == USER_CODE + 8


def test_a_system_call_says_its_number_and_returns_behind_itself(arm: ArmRig) -> None:
    arm.visit_user("nop; svc #0xbeef", lower=f"{ASK}; eret")
    assert arm.register("x20") == syndrome(EC_SVC, 0xBEEF)
    assert arm.register("x22") == USER_CODE + 8


def test_an_instruction_that_faulted_is_carried_out_when_it_is_tried_again(arm: ArmRig) -> None:
    arm.write_word(page_entry(DATA), 0)
    supply = f"set x9, {page_entry(DATA)}; set x10, {DATA}; movz x11, #{USER_PAGE & 0xFFFF};"
    supply += "orr x10, x10, x11; str x10, [x9]; dsb ish; eret"
    spent = arm.visit_user(
        f"set x1, {DATA}; movz x0, #77; str x0, [x1]; ldr x2, [x1]", lower=supply, warm=False
    )
    assert (arm.register("x2"), arm.read_word(DATA)) == (77, 77)
    assert spent["page-faults"] == 1
    assert spent.by_ring("instructions") == (VISIT + 4 + 9, 5 + 1)


def test_floating_point_traps_until_it_is_allowed(arm: ArmRig) -> None:
    allow = "movz x9, #0x30, lsl #16; msr cpacr_el1, x9; isb; eret"
    source = "movz x0, #5; fmov d0, x0; fmov x1, d0; fmov x2, d0"
    spent = arm.visit_user(source, lower=f"{ASK}; {allow}", warm=False)
    assert arm.register("x20") == syndrome(EC_FPU, 1 << 24 | 0xE << 20)
    assert (arm.register("x1"), arm.register("x2")) == (5, 5)
    assert spent["mode-switches"] == 2 + 2  # it is asked for once


NOTHING = 0x7000_0000  # far behind RAM
EXTERNAL, FAR_NOT_VALID = 0x10, 1 << 10


@pytest.mark.parametrize("level", [0, 1])
def test_a_jump_to_where_no_memory_answers_is_an_external_abort(arm: ArmRig, level: int) -> None:
    arm.write_word(page_entry(DATA), NOTHING | (KERNEL_PAGE if level else USER_PAGE))
    answer = f"{ASK}; msr elr_el1, x30; eret"
    source = f"set x1, {DATA}; blr x1; nop"
    if level:
        arm.handler(SAME_SYNC, answer)
        arm.measure(source)
    else:
        arm.visit_user(source, lower=answer, warm=False)
    kind = EC_FETCH if level else EC_FETCH_USER
    assert hex(arm.register("x20")) == hex(syndrome(kind, FAR_NOT_VALID | EXTERNAL))
    assert arm.register("x22") == DATA
