# SPDX-License-Identifier: GPL-2.0-or-later
# ruff: noqa: S311 (the places are random and seeded; nothing is secret)
"""What the ledger says of marked code: exact to the instruction, and free of the interrupts that cut it."""

from __future__ import annotations

import struct
from random import Random
from typing import TYPE_CHECKING

import pytest

from ringscope.emulator import marks
from ringscope.emulator.timing.parameters import ISSUE_UNITS_PER_CYCLE
from tests.guest import catalogue
from tests.machine import arm_snippets
from tests.machine.arm_rig import EL0_OPEN, ArmRig, cortex_a57
from tests.machine.arm_snippets import USER_IRQ
from tests.machine.rig import Rig, skylake
from tests.machine.snippets import BEGIN, COPY_BEGIN, COPY_END, DATA, END, EVENT, mark
from tests.machine.test_crossings import visit_user

if TYPE_CHECKING:
    from tests.machine.processor import Processor


@pytest.mark.parametrize("before", [0, 1, 5, 63, 64])
@pytest.mark.parametrize("inside", [0, 1, 2, 63, 64, 65])
def test_marks_are_exact_to_the_instruction_wherever_they_stand_in_a_block(
    either, before: int, inside: int
) -> None:
    either.measure(f"{'nop;' * before} mark {BEGIN}, 7; {'nop;' * inside} mark {END}, 7; nop; nop")
    entry = either.ledger()["mark-7"]
    assert entry.count == 1
    assert entry.books.total("instructions") == 1 + inside  # the mark that begins is inside


@pytest.mark.parametrize("seed", range(10))
def test_any_arrangement_of_marked_regions_adds_up(either, seed: int) -> None:
    chance, source, expected, open_at, executed = Random(seed), [], {}, {}, 0
    for _ in range(120):
        number = chance.randrange(5)
        if chance.random() < 0.5:
            source.append("nop")
        elif number in open_at:
            source.append(f"mark {END}, {number}")
            count, total = expected.get(number, (0, 0))
            expected[number] = count + 1, total + executed - open_at.pop(number)
        else:
            source.append(f"mark {BEGIN}, {number}")
            open_at[number] = executed
        executed += 1
    assert either.measure("; ".join(source))["instructions"] == executed
    found = {name: (e.count, e.books.total("instructions")) for name, e in either.ledger().items()}
    assert found == {f"mark-{number}": entry for number, entry in expected.items()}


def test_marks_cost_a_slot_of_delivery_and_nothing_else(either) -> None:
    with_marks = either.measure(f"mark {BEGIN}, 1; mark {END}, 1;" * 32, warm=True)
    assert with_marks["cycles"] == with_marks.cause("issue")
    assert abs(with_marks["cycles"] - 64 / either.profile().width) < 1
    assert (with_marks["L1-dcache-loads"], with_marks["branches"], with_marks["mode-switches"]) == (0, 0, 0)


#: Stores of 8, 8 and 4 bytes, and a load, where DATA is.
COPIED = {
    "x86_64": (f"mov edi, {DATA}", "mov [rdi], rax", "mov [rdi], eax", "mov rcx, [rdi]"),
    "aarch64": (f"set x1, {arm_snippets.DATA}", "str x0, [x1]", "str w0, [x1]", "ldr x2, [x1]"),
}


@pytest.mark.parametrize("arch", COPIED)
def test_events_and_copies_are_counted_between_their_marks_alone(make, arch: str) -> None:
    point, store, store_half, load = COPIED[arch]
    spent = make(arch).measure(
        f"{point}; {store}; mark {EVENT}, 1; mark {EVENT}, 2; mark {EVENT}, 1; mark {EVENT}, 9;"
        f"mark {COPY_BEGIN}, 0; {store}; {store_half}; {load}; mark {COPY_END}, 0; {store}"
    )
    assert (spent["ipc"], spent["context-switches"]) == (2, 1)
    assert spent["bytes-copied"] == 8 + 4


def test_the_cycles_of_a_copy_have_a_cause_of_their_own(rig) -> None:
    spent = rig.measure(
        f"mov edi, {DATA}; lfence; mark {COPY_BEGIN}, 0; mov ecx, 640; rep stosb; mark {COPY_END}, 0;"
        + "nop;" * 7,
        warm=True,
    )
    issue = skylake().issue
    copy = issue["nop"] + issue["alu"] + issue["rep_string"] + 640 * issue["rep_element"]  # all is delivery
    assert abs(spent.cause("copy") - copy / ISSUE_UNITS_PER_CYCLE) < 1
    serialisation = skylake().cost["lfence"]
    assert spent.cause("issue") + spent.cause("copy") + serialisation == spent["cycles"]


def test_the_cycles_of_a_copying_loop_have_a_cause_of_their_own(arm) -> None:
    loop = "again: stp x2, x3, [x1], #16; subs x0, x0, #16; b.ne again"
    setup = f"set x1, {arm_snippets.DATA}; movz x0, #2048; dsb sy"
    copying = f"{setup}; mark {COPY_BEGIN}, 0; {loop}; mark {COPY_END}, 0"
    arm.measure(copying, warm=True)  # teaches the predictor
    spent = arm.measure(copying)
    assert spent["branch-misses"] == 1  # the last
    # The mark and the first STP are delivered, 128 SUBS wait for one another, the last branch for the last.
    copy = 2 / cortex_a57().width + 128 + 1
    assert abs(spent.cause("copy") - copy) < 1
    others = sum(spent.cause(name) for name in ("issue", "branch", "serialisation"))
    assert others + spent.cause("copy") == spent["cycles"]
    assert spent["bytes-copied"] == 2048


# ---- interrupts ----

VECTOR = 0x50
OPERATION = f"mark {BEGIN}, 3; syscall; mov ecx, 400; spin: dec ecx; jnz spin; syscall; mark {END}, 3"
ARM_OPERATION = (
    f"mark {BEGIN}, 3; svc #0; movz x9, #400; spin: subs x9, x9, #1; b.ne spin; svc #0; mark {END}, 3"
)


#: Counters of one execution that no interrupt may change.
WHOLE = (
    "instructions",
    "mode-switches",
    "address-space-switches",
    "interrupts",
    "branches",
    "L1-dcache-loads",
)


PERIODS = (211, 977, 2500)


def schedule(processor: Processor, period: int | None) -> None:
    if period is not None:
        processor.schedule(*((cycle, VECTOR) for cycle in range(8000, 60_000, period)))


def fast_loop(rig: Rig, period: int | None) -> dict:
    """The ledger of OPERATION, nine times in ring 3, interrupted every so many cycles or never."""
    rig.handler(VECTOR, f"push rax; mov eax, [{DATA}]; pop rax; iretq")
    schedule(rig, period)
    visit_user(rig, f"mov r13d, 9; round: {OPERATION}; dec r13d; jnz round", fast="sysretq", flags=0x202)
    return rig.ledger()


def arm_loop(arm: ArmRig, period: int | None) -> dict:
    """The ledger of ARM_OPERATION, as of OPERATION; EL1's own code is not interrupted."""
    arm.handler(USER_IRQ, f"msr tpidr_el1, x16; set x16, {arm_snippets.DATA}; eret")
    schedule(arm, period)
    arm.visit_user(f"movz x13, #9; round: {ARM_OPERATION}; subs x13, x13, #1; b.ne round", pstate=EL0_OPEN)
    return arm.ledger()


#: How the loop is run, and the events under `trap` of its two calls and of an interrupt.
LOOPS = {
    "x86_64": (fast_loop, ("syscall", "sysret"), ("hardware_interrupt", "iret")),
    "aarch64": (arm_loop, ("svc", "eret"), ("hardware_interrupt", "eret")),
}


@pytest.mark.parametrize("arch", LOOPS)
@pytest.mark.parametrize("period", PERIODS)
def test_an_operation_that_interrupts_cut_has_whole_counts_and_their_cost_is_booked_apart(
    make, arch: str, period: int
) -> None:
    run, call, interruption = LOOPS[arch]
    processor = make(arch)
    cost = processor.profile().cost
    operation, calm = run(processor, period)["mark-3"], run(make(arch), None)["mark-3"]
    assert operation.count == calm.count == 18  # the user is visited twice
    for name in WHOLE:
        assert operation.books.total(name) == calm.books.total(name), name
    assert operation.books.total("mode-switches") == 18 * 4
    assert operation.books.causes()["trap"] == 18 * 2 * sum(cost[name] for name in call)

    interrupt = processor.ledger()["interrupt"]
    cutting = [taken for taken in processor.taken if taken[1] == VECTOR]
    assert 0 < interrupt.count <= len(cutting)
    assert interrupt.books.total("interrupts") == interrupt.count
    assert interrupt.books.total("mode-switches") == 2 * interrupt.count
    assert interrupt.books.total("instructions") == 4 * interrupt.count
    assert interrupt.books.causes()["trap"] == interrupt.count * sum(cost[name] for name in interruption)


# ---- names ----


def record(number: int, name: str) -> bytes:
    data = struct.pack("<I", number) + name.encode() + b"\0"
    return data.ljust(-(-len(data) // 4) * 4, b"\0")


def test_names_are_read_from_their_section_record_by_record() -> None:
    data = record(7, "read-block") + record(8, "abc") + record(4095, "")
    assert marks.read_names(data) == {7: "read-block", 8: "abc", 4095: ""}


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_section_that_was_cut_off_gives_the_names_that_are_whole(cut: int) -> None:
    data = record(1, "one") + record(2, "a-long-name")
    assert marks.read_names(data[: len(record(1, "one")) + cut]) in ({1: "one"}, {1: "one", 2: "a-long-name"})


def test_a_program_brings_the_names_of_its_marks() -> None:
    program = catalogue.build(catalogue.by_name("ledger_marks")).with_suffix(".elf").read_bytes()
    names, _ = marks.survey([b"not a program", program, program[:4000]])
    assert {names[number] for number in (20, 21, 22)} == {"nothing", "one", "middle"}


def test_code_says_which_counters_its_marks_supply() -> None:
    padding = bytes.fromhex("0f1f840000000000")  # a compiler's long NOP
    assert marks.counters_in(padding + mark(BEGIN, 1) + mark(EVENT, 9)) == set()
    assert marks.counters_in(b"\x0f" + mark(EVENT, 1)) == {"ipc"}
    assert marks.counters_in(padding + mark(EVENT, 2) + mark(COPY_BEGIN)) == {
        "context-switches",
        "bytes-copied",
    }
    assert marks.counters_in(mark(EVENT, 1)[:-1]) == set()
