# SPDX-License-Identifier: GPL-2.0-or-later
"""What is counted on AArch64 is what was executed, blocks end where they should, every cycle has a cause."""

from __future__ import annotations

import pytest

from ringscope.emulator.native import library as native
from ringscope.emulator.native.library import Stop
from ringscope.emulator.timing.parameters import ISSUE_UNITS_PER_CYCLE
from tests.machine.arm_rig import ArmRig, cortex_a57
from tests.machine.arm_snippets import CODE, DATA, PAGE, RAM, SAME_SYNC, SKIP

ISSUE, COST = cortex_a57().issue, cortex_a57().cost
LATENCY = cortex_a57().pipeline.latency
UNITS = ISSUE_UNITS_PER_CYCLE
SLOT = UNITS // cortex_a57().width / UNITS  # cycles in which one instruction is delivered
ROUNDS = 320
CARRIED = 1.01 / ROUNDS  # of a cycle over each round: a sum has whole cycles
UNMAPPED = RAM + (8 << 20)
UNDEFINED, DATA_ABORT = 1, 4  # the engine's numbers

#: Name, snippet, instructions that it executes. SKIP, four instructions, answers what faults.
COUNTED = (
    ("straight", "nop; nop; nop", 3),
    ("loop", "movz x0, #10; again: subs x0, x0, #1; b.ne again", 1 + 2 * 10),
    ("call", "bl f; b over; f: nop; ret; over: nop", 5),
    ("not taken", "movz x0, #0; cbnz x0, over; nop; over: nop", 4),
    ("pairs", f"set x1, {DATA}; stp x2, x3, [x1]; ldp x4, x5, [x1], #16", 4),
    ("two hundred", "nop;" * 200, 200),
    ("serialising", "isb; dsb sy; dmb ish; mrs x0, cntvct_el0; msr daifset, #2; isb", 6),
    ("supervisor call", "svc #0; brk #0; nop", 2 + 4),  # the handler skips what stands behind it
    ("undefined", "nop; .word 0; nop", 2 + 4),
    ("abort", f"set x1, {UNMAPPED}; ldr x0, [x1, #8]; nop", 3 + 4),
    ("firmware", "movz x0, #0x8400, lsl #16; hvc #0", 2),
    ("exclusive", f"set x1, {DATA}; again: ldxr x2, [x1]; stxr w3, x2, [x1]; cbnz w3, again", 2 + 3),
)  # fmt: skip
BY_NAME = pytest.mark.parametrize(
    ("source", "instructions"), [c[1:] for c in COUNTED], ids=[c[0] for c in COUNTED]
)


def with_handler(arm: ArmRig) -> ArmRig:
    arm.handler(SAME_SYNC, SKIP)
    return arm


@pytest.mark.parametrize("timing", [True, False], ids=["timing", "functional"])
@BY_NAME
def test_each_instruction_counts_once(make_arm, source: str, instructions: int, timing: bool) -> None:
    assert with_handler(make_arm(timing=timing)).measure(source)["instructions"] == instructions


@BY_NAME
def test_as_many_instructions_count_as_steps_are_needed(make_arm, source: str, instructions: int) -> None:
    arm = with_handler(make_arm())
    end = arm.place(CODE, source)
    arm.place_end(end)
    arm.begin()
    steps = arm.steps_to(end, most=300)
    faults = sum(arm.exceptions().get(number, 0) for number in (UNDEFINED, DATA_ABORT))
    assert instructions == steps - faults  # a step that faults executes nothing


def test_without_models_every_instruction_is_one_cycle(make_arm) -> None:
    arm = with_handler(make_arm(timing=False))
    for _, source, instructions in COUNTED:
        spent = arm.measure(source)
        assert spent["cycles"] == spent.cause("issue") == instructions


@BY_NAME
def test_the_causes_sum_to_the_cycles_and_these_to_the_clock(
    arm: ArmRig, source: str, instructions: int
) -> None:
    assert with_handler(arm).measure(source)["cycles"] > instructions // 3  # three a cycle are the most
    cycles = arm.engine.library.core_cycles(arm.engine.core)
    assert sum(arm.books().causes().values()) == arm.books().total("cycles") == cycles
    assert arm.engine.time == cycles + arm.engine.idle


# ---- blocks ----

#: Pieces at whose ends a block ends; x25 holds what TCR_EL1 does, x1 an address of data.
PIECES = {
    "isb": ["nop; isb", "nop; nop"],
    "masks": ["msr daifset, #2", "nop; msr daifclr, #8", "nop"],
    "what only keeps a value": ["msr tpidr_el1, x0; msr sp_el0, x0; msr elr_el1, x0; nop"],
    "barriers of memory": ["dmb ish; dsb sy; nop"],
    "reading a clock": ["nop; mrs x0, cntvct_el0", "nop"],
    "reading anything else": ["mrs x0, esr_el1; mrs x2, ttbr0_el1; nop"],
    "translation": ["nop; tlbi vmalle1", "nop; msr tcr_el1, x25", "msr contextidr_el1, x0", "nop"],
    "caches": ["dc cvau, x1", "ic ivau, x1", "nop; dc zva, x1; nop"],
    "a call of firmware": ["movz x0, #0x8400, lsl #16; hvc #0", "nop"],
    "a mark": ["nop; nop", "fence; nop"],
    "many": ["nop;" * native.BLOCK_INSNS_MAX, "nop; nop"],
}  # fmt: skip


def blocks_from(arm: ArmRig, begin: int, end: int) -> list[int]:
    """Run and return where the blocks begin: without models each takes a cycle at least, as a slice does."""
    arm.place_end(end)
    arm.engine.set_breakpoints([end])
    arm.engine.set_register("pc", begin)
    found, stop = [], Stop.TIME
    while stop is Stop.TIME and len(found) < 100:
        found.append(arm.pc)
        stop = arm.engine.run(arm.engine.time + 1)
    assert (stop, arm.pc) == (Stop.BREAKPOINT, end)
    return found


@pytest.mark.parametrize("name", PIECES)
def test_a_block_ends_where_its_bytes_say(make_arm, name: str) -> None:
    arm, at, expected = make_arm(timing=False), CODE, []
    arm.measure(f"set x1, {DATA}; mrs x25, tcr_el1")
    for piece in PIECES[name]:
        expected.append(at)
        at = arm.place(at, piece)
    assert blocks_from(arm, CODE, at) == expected


BRANCHES = (
    "b {}",
    "bl {}",
    "cbz xzr, {}",
    "tbz xzr, #3, {}",
    "b.al {}",
    "adr x9, {}; br x9",
    "adr x30, {}; ret",
)


@pytest.mark.parametrize("branch", BRANCHES)
def test_a_block_ends_with_a_branch(make_arm, branch: str) -> None:
    arm = make_arm(timing=False)
    arm.begin()
    end = arm.place(CODE, f"nop; {branch.format('target')}; nop; nop; target: nop; nop")
    assert blocks_from(arm, CODE, end) == [CODE, end - 8]


def test_a_block_ends_at_the_end_of_its_page(make_arm) -> None:
    arm = make_arm(timing=False)
    arm.begin()
    start = CODE + 2 * PAGE - 8
    end = arm.place(start, "nop; nop; nop; nop")
    assert blocks_from(arm, start, end) == [start, start + 8]


# ---- prices ----


def rounds(source: str, count: int) -> str:
    """A snippet that runs ``source`` so many times, with nothing before it in flight each time."""
    around = f"around: dsb sy; fence; {source}; subs x12, x12, #1; b.ne around"
    return f"movz x12, #{count}; nop; nop; fence; {around}"


def issue_of_a_round(arm: ArmRig, source: str) -> float:
    """Return the issue cycles of one round: of twice ROUNDS of them, less those of ROUNDS."""
    few, many = (
        arm.measure(rounds(source, count), warm=True).cause("issue") for count in (ROUNDS, 2 * ROUNDS)
    )
    return (many - few) / ROUNDS


def test_a_block_takes_what_its_longest_chain_does(arm: ArmRig) -> None:
    """Delivered in turn: the mark, ADD, LDR. The rest waits for what LDR gives, longest ADD with a shift."""
    arm.measure(f"set x1, {DATA}")
    body = "add x0, x0, #1; ldr x2, [x1]; str x2, [x1]; add x0, x0, x2, lsl #3; stp x2, x3, [x1]"
    chain = cortex_a57().latency.l1 + LATENCY["alu_shifted"]
    assert abs(issue_of_a_round(arm, body) - (2 * SLOT + chain)) <= CARRIED


def test_a_fault_in_the_middle_of_a_block_charges_just_what_was_executed(arm: ArmRig) -> None:
    """At a store that faults: the block goes on behind it."""
    with_handler(arm)
    arm.measure(f"set x1, {UNMAPPED}")
    before = 2 * SLOT  # the mark and NOP
    handler = LATENCY["special"] + LATENCY["alu"] + LATENCY["special"]  # one after the other; then ERET
    # ADD, DMB, and ADD, which has its pipeline for half a cycle; SUBS behind it, and the branch. Then DSB.
    behind = 2 * SLOT + ISSUE["alu"] / UNITS + LATENCY["alu"] + LATENCY["branch"] + SLOT
    faulting = "nop; str x0, [x1]; add x0, x0, #1; dmb ish; add x0, x0, #1"
    assert abs(issue_of_a_round(arm, faulting) - (before + handler + behind)) <= CARRIED
    spent = arm.measure(rounds(faulting, ROUNDS), warm=True)
    assert spent["instructions"] == 4 + ROUNDS * (2 + 1 + 4 + 3 + 2)
    assert spent.cause("trap") == ROUNDS * (COST["exception"] + COST["eret"])
    assert spent.cause("serialisation") == ROUNDS * (COST["dsb"] + COST["dmb"])


def test_events_of_fixed_price_cost_it(arm: ArmRig) -> None:
    events = "isb; dsb sy; dmb sy; mrs x0, cntvct_el0; msr daifset, #2; tlbi vmalle1; nop"
    spent = arm.measure(events, warm=True)
    names = ("isb", "dsb", "dmb", "counter_read", "pstate_write", "tlbi")
    assert spent.cause("serialisation") == sum(COST[name] for name in names)


UART = 0x0900_0000


def test_an_access_to_a_device_has_a_price_of_its_own_and_no_line(arm: ArmRig) -> None:
    access = f"set x1, {UART}; movz w2, #65; ldr w3, [x1, #24]; ldr w3, [x1, #24]; strb w2, [x1]"
    spent = arm.measure(access, warm=True)
    assert spent.cause("serialisation") == 2 * COST["device_read"] + COST["device_write"]
    assert spent["L1-dcache-loads"] == spent["L1-dcache-stores"] == 0
    assert arm.written == [(UART, 1, 65)] * 2


#: What one instruction reads and writes: accesses that the first level of cache sees.
ACCESSES = {
    "ldr": ("ldr x2, [x1]", 1, 0),
    "ldp": ("ldp x2, x3, [x1]", 2, 0),
    "ldr of a vector": ("ldr q0, [x1]", 2, 0),
    "stp": ("stp x2, x3, [x1]", 0, 2),
    "a pair of vectors": ("stp q0, q1, [x1]", 0, 4),
    "across lines": ("str x2, [x1, #60]", 0, 1),
    "exclusive": ("ldxr x2, [x1]; stxr w3, x2, [x1]", 1 + 1, 1),  # the store compares first
    "acquire and release": ("ldar x2, [x1]; stlr x2, [x1]", 1, 1),
    "exclusive pair": ("ldxp x2, x3, [x1]; stxp w4, x2, x3, [x1]", 2, 2),
    "exclusive pair of words": ("ldxp w2, w3, [x1]; stxp w4, w2, w3, [x1]", 1 + 1, 1),
    "exclusive pair that fails": ("clrex; stxp w4, x2, x3, [x1]", 0, 0),
    "zeroing": ("dc zva, x1", 0, 1),  # of a line
    "unaligned": ("ldr x2, [x1, #1]", 1, 0),
    "prefetch": ("prfm pldl1keep, [x1]", 0, 0),
}  # fmt: skip


@pytest.mark.parametrize("name", ACCESSES)
def test_an_instruction_counts_the_accesses_that_it_makes(arm: ArmRig, name: str) -> None:
    source, loads, stores = ACCESSES[name]
    arm.measure(f"set x1, {DATA}; movz x9, #0x30, lsl #16; msr cpacr_el1, x9; isb")
    spent = arm.measure(source, warm=True)
    assert (spent["L1-dcache-loads"], spent["L1-dcache-stores"]) == (loads, stores)
