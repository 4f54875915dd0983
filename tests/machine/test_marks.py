# SPDX-License-Identifier: GPL-2.0-or-later
# ruff: noqa: S311 (the places are random and seeded; nothing is secret)
"""What the ledger says of marked code: exact to the instruction, and free of the interrupts that cut it."""

from __future__ import annotations

import struct
from random import Random

import pytest

from ringscope.emulator import marks
from tests.guest import catalogue
from tests.machine.rig import Rig, skylake
from tests.machine.snippets import BEGIN, COPY_BEGIN, COPY_END, DATA, END, EVENT, mark
from tests.machine.test_crossings import visit_user

COST = skylake().cost


@pytest.mark.parametrize("before", [0, 1, 5, 63, 64])
@pytest.mark.parametrize("inside", [0, 1, 2, 63, 64, 65])
def test_marks_are_exact_to_the_instruction_wherever_they_stand_in_a_block(
    rig, before: int, inside: int
) -> None:
    rig.measure(f"{'nop;' * before} mark {BEGIN}, 7; {'nop;' * inside} mark {END}, 7; nop; nop")
    entry = rig.ledger()["mark-7"]
    assert entry.count == 1
    assert entry.books.total("instructions") == 1 + inside  # the mark that begins is inside


@pytest.mark.parametrize("seed", range(10))
def test_any_arrangement_of_marked_regions_adds_up(rig, seed: int) -> None:
    chance, source, expected, open_at, executed = Random(seed), [], {}, {}, 0
    for _ in range(120):
        number = chance.randrange(5)
        if chance.random() < 0.5:
            source.append("inc eax")
        elif number in open_at:
            source.append(f"mark {END}, {number}")
            count, total = expected.get(number, (0, 0))
            expected[number] = count + 1, total + executed - open_at.pop(number)
        else:
            source.append(f"mark {BEGIN}, {number}")
            open_at[number] = executed
        executed += 1
    assert rig.measure("; ".join(source))["instructions"] == executed
    found = {name: (e.count, e.books.total("instructions")) for name, e in rig.ledger().items()}
    assert found == {f"mark-{number}": entry for number, entry in expected.items()}


def test_marks_cost_a_slot_of_issue_and_nothing_else(rig) -> None:
    with_marks = rig.measure(f"mark {BEGIN}, 1; mark {END}, 1;" * 32, warm=True)
    assert with_marks["cycles"] == with_marks.cause("issue") == 64 * skylake().issue["nop"] // 64
    assert (with_marks["L1-dcache-loads"], with_marks["branches"], with_marks["mode-switches"]) == (0, 0, 0)


def test_events_and_copies_are_counted_between_their_marks_alone(rig) -> None:
    spent = rig.measure(
        f"mov edi, {DATA}; mov [rdi], rax; mark {EVENT}, 1; mark {EVENT}, 2; mark {EVENT}, 1;"
        f"mark {EVENT}, 9; mark {COPY_BEGIN}, 0; mov [rdi], rax; mov [rdi], eax; mov rcx, [rdi];"
        f"mark {COPY_END}, 0; mov [rdi], rax"
    )
    assert (spent["ipc"], spent["context-switches"]) == (2, 1)
    assert spent["bytes-copied"] == 8 + 4


def test_the_cycles_of_a_copy_have_a_cause_of_their_own(rig) -> None:
    spent = rig.measure(
        f"mov edi, {DATA}; mark {COPY_BEGIN}, 0; mov ecx, 640; rep stosb; mark {COPY_END}, 0;" + "nop;" * 7,
        warm=True,
    )
    issue = skylake().issue
    copy = issue["nop"] + issue["alu"] + issue["rep_string"] + 640 * issue["rep_element"]
    assert abs(spent.cause("copy") - copy / 64) < 1
    assert spent.cause("issue") + spent.cause("copy") == spent["cycles"]


# ---- interrupts ----

VECTOR = 0x50
OPERATION = f"mark {BEGIN}, 3; syscall; mov ecx, 400; spin: dec ecx; jnz spin; syscall; mark {END}, 3"


#: Counters of one execution that no interrupt may change.
WHOLE = (
    "instructions",
    "mode-switches",
    "address-space-switches",
    "interrupts",
    "branches",
    "L1-dcache-loads",
)


def fast_loop(rig: Rig, period: int | None) -> dict:
    """The ledger of OPERATION, nine times in ring 3, interrupted every so many cycles or never."""
    rig.handler(VECTOR, f"push rax; mov eax, [{DATA}]; pop rax; iretq")
    user = f"mov r13d, 9; round: {OPERATION}; dec r13d; jnz round"
    if period is not None:
        rig.schedule(*((cycle, VECTOR) for cycle in range(8000, 60_000, period)))
    visit_user(rig, user, fast="sysretq", flags=0x202)
    return rig.ledger()


@pytest.mark.parametrize("period", [211, 977, 2500])
def test_an_operation_that_interrupts_cut_has_whole_counts_and_their_cost_is_booked_apart(
    make_rig, period: int
) -> None:
    rig = make_rig()
    operation, calm = fast_loop(rig, period)["mark-3"], fast_loop(make_rig(), None)["mark-3"]
    assert operation.count == calm.count == 18  # visit_user goes there twice
    for name in WHOLE:
        assert operation.books.total(name) == calm.books.total(name), name
    assert operation.books.total("mode-switches") == 18 * 4
    assert operation.books.causes()["trap"] == 18 * 2 * (COST["syscall"] + COST["sysret"])

    interrupt = rig.ledger()["interrupt"]
    cutting = [taken for taken in rig.taken if taken[1] == VECTOR]
    assert 0 < interrupt.count <= len(cutting)
    assert interrupt.books.total("interrupts") == interrupt.count
    assert interrupt.books.total("mode-switches") == 2 * interrupt.count
    assert interrupt.books.total("instructions") == 4 * interrupt.count
    assert interrupt.books.causes()["trap"] == interrupt.count * (COST["hardware_interrupt"] + COST["iret"])


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
