# SPDX-License-Identifier: GPL-2.0-or-later
"""What a probe books: exactly what passed between two addresses, and it changes nothing that is counted.

Functions are placed at FUNCTION, a page behind CODE, and called from there. All figures are worked out by
hand: with the way in and out of it a function of n instructions takes n.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ringscope.emulator.probing import add_probe, entries
from tests.machine import arm_snippets
from tests.machine.arm_rig import EL0_OPEN
from tests.machine.arm_snippets import SAME_SYNC, USER_IRQ
from tests.machine.test_crossings import visit_user

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringscope.emulator.books import Entry
    from tests.machine.processor import Processor

CALL = {"x86_64": "call", "aarch64": "bl"}
NOP_BYTES = {"x86_64": 1, "aarch64": 4}
OFFSET = 0x800


def function(processor: Processor, source: str, offset: int = OFFSET) -> int:
    """Place a function and return its address."""
    address = processor.snippets.CODE + offset
    processor.place(address, source)
    return address


def booked(processor: Processor, number: int) -> Entry:
    """Return what a probe booked."""
    return processor.ledger()[f"mark-{number}"]


def instructions(processor: Processor, number: int) -> tuple[int, int]:
    """Return how often a probe's operation ended, and its instructions."""
    entry = booked(processor, number)
    return entry.count, entry.books.total("instructions")


def call(processor: Processor, address: int, times: int = 1) -> str:
    """Return the code that calls a function."""
    return "; ".join([f"{CALL[processor.engine.arch]} {address:#x}; nop"] * times)


@pytest.mark.parametrize("inside", [0, 1, 5, 62, 63, 64, 100])
def test_a_function_is_booked_from_its_first_instruction_to_its_return(either, inside: int) -> None:
    address = function(either, f"{'nop;' * inside} ret")
    number = add_probe(either.engine, address)
    either.measure(call(either, address, times=3))
    assert instructions(either, number) == (3, 3 * (inside + 1))
    assert entries(either.engine, number) == 3


@pytest.mark.parametrize("before", [0, 1, 5, 63, 64])
@pytest.mark.parametrize("inside", [1, 2, 63, 64, 65])
def test_two_addresses_are_exact_to_the_instruction_wherever_they_stand_in_a_block(
    either, before: int, inside: int
) -> None:
    width = NOP_BYTES[either.engine.arch]
    begin = either.snippets.CODE + before * width
    number = add_probe(either.engine, begin, begin + inside * width)
    either.measure("nop;" * (before + inside + 10))
    assert instructions(either, number) == (1, inside)


def test_the_cycles_up_to_the_middle_of_a_block_are_those_of_marks_there(make_either) -> None:
    probed, marked = make_either(), make_either()
    begin = probed.snippets.CODE + 3 * NOP_BYTES[probed.engine.arch]
    number = add_probe(probed.engine, begin, begin + 40 * NOP_BYTES[probed.engine.arch])
    cycles = []
    for _ in range(2):  # the second time the lines are there
        probed.measure("nop;" * 60)
        marked.measure(f"nop; nop; nop; mark 0, 7; {'nop;' * 40} mark 1, 7; {'nop;' * 17}")
        entries = booked(probed, number), marked.ledger()["mark-7"]
        cycles.append([entry.books.causes()["issue"] for entry in entries])
    (probed_first, marked_first), (probed_both, marked_both) = cycles
    assert abs((probed_both - probed_first) - (marked_both - marked_first)) <= 1  # the marks' own


#: A loop that stores and calls, and what it calls.
BUSY = {
    "x86_64": (
        "mov ecx, 50; mov edi, {data}; again: mov [rdi], rcx; add rdi, 64; {call}; dec ecx; jnz again",
        "push rbx; mov rbx, [rsp]; pop rbx; test cl, 1; jz odd; nop; odd: nop; ret",
    ),
    "aarch64": (
        "movz x9, #50; set x1, {data}; again: str x9, [x1], #64; {call}; subs x9, x9, #1; b.ne again",
        "ldr x3, [x1]; tst x9, #1; b.ne odd; nop; odd: nop; ret",
    ),
}


def busy(processor: Processor, address: int) -> str:
    """Return the loop with its calls of a function."""
    main = BUSY[processor.engine.arch][0]
    return main.format(call=call(processor, address), data=processor.snippets.DATA)


@pytest.mark.parametrize("arch", BUSY)
@pytest.mark.parametrize("timing", [True, False])
def test_a_probe_changes_nothing_that_is_counted(make, arch: str, *, timing: bool) -> None:
    spent = []
    for probed in (False, True):
        processor = make(arch, timing=timing)
        address = function(processor, BUSY[arch][1])
        if probed:
            number = add_probe(processor.engine, address)
            add_probe(processor.engine, address + 4, address + 8)
        spent.append(processor.measure(busy(processor, address)))
    assert spent[0].everything() == spent[1].everything()
    assert booked(processor, number).count == 50


@pytest.mark.parametrize("arch", BUSY)
def test_a_run_step_by_step_books_the_same(make, arch: str) -> None:
    seen = []
    for stepped in (False, True):
        processor = make(arch)
        address = function(processor, BUSY[arch][1])
        number = add_probe(processor.engine, address)
        end = processor.place(processor.snippets.CODE, busy(processor, address))
        processor.place_end(end)
        processor.begin()
        processor.steps_to(end) if stepped else processor.run_to(end)
        seen.append((booked(processor, number), entries(processor.engine, number)))
    assert seen[0] == seen[1]


@pytest.mark.parametrize("arch", BUSY)
def test_stopping_at_a_probe_does_not_pass_it_twice(make, arch: str) -> None:
    processor = make(arch)
    address = function(processor, BUSY[arch][1])
    number = add_probe(processor.engine, address)
    end = processor.place(processor.snippets.CODE, busy(processor, address))
    processor.place_end(end)
    processor.begin()
    stops = 0
    while processor.run_to(address, end) == address:
        stops += 1
    assert stops == booked(processor, number).count == entries(processor.engine, number) == 50


RECURSION = {
    "x86_64": ("mov ecx, 3;", "dec ecx; jz out; call {self}; out: ret"),
    "aarch64": (
        "movz x9, #3; str x30, [sp, #-16]!;",
        "str x30, [sp, #-16]!; subs x9, x9, #1; b.eq out; bl {self}; out: ldr x30, [sp], #16; ret",
    ),
}
#: Instructions of the three activations, each with those within.
WITHIN = {"x86_64": 3 + (4 + 3) + (4 + 4 + 3), "aarch64": 5 + (6 + 5) + (6 + 6 + 5)}


@pytest.mark.parametrize("arch", RECURSION)
def test_each_activation_of_a_recursion_is_booked_with_those_within(make, arch: str) -> None:
    processor = make(arch)
    ready, callee = RECURSION[arch]
    address = processor.snippets.CODE + OFFSET
    function(processor, callee.format(self=f"{address:#x}"))
    number = add_probe(processor.engine, address)
    processor.measure(ready + call(processor, address))
    assert instructions(processor, number) == (3, WITHIN[arch])
    assert processor.engine.library.core_dropped_marks(processor.engine.core) == 0


def test_an_x86_function_whose_first_instruction_faults_is_entered_once(rig) -> None:
    rig.handler(0, "mov ecx, 1; iretq")  # a division by zero
    address = function(rig, "div ecx; ret")
    number = add_probe(rig.engine, address)
    rig.measure(f"xor ecx, ecx; mov eax, 8; xor edx, edx; {call(rig, address)}")
    assert entries(rig.engine, number) == 1
    assert instructions(rig, number) == (1, 2 + 2)  # the handler's are of the operation


def test_an_arm_function_whose_first_instruction_faults_is_entered_once(arm) -> None:
    arm.handler(SAME_SYNC, f"set x1, {arm_snippets.DATA}; eret")
    address = function(arm, "ldr x2, [x1]; ret")
    number = add_probe(arm.engine, address)
    arm.measure(f"movz x1, #0; movk x1, #0x7f, lsl #32; {call(arm, address)}")
    assert entries(arm.engine, number) == 1
    assert instructions(arm, number) == (1, 2 + 3)


# ---- in user mode ----

VECTOR, ROUNDS = 0x50, 9
USER_PAGE_OFFSET = 0x100


def user_call(processor: Processor) -> str:
    """Return user code that calls a function of 402 instructions, ROUNDS times; place the function."""
    address = processor.snippets.USER_CODE + USER_PAGE_OFFSET
    if processor.engine.arch == "x86_64":
        processor.place(address, "mov ecx, 200; spin: dec ecx; jnz spin; ret")
        return f"mov r13d, {ROUNDS}; round: call {address:#x}; dec r13d; jnz round"
    processor.place(address, "movz x9, #200; spin: subs x9, x9, #1; b.ne spin; ret")
    return f"movz x13, #{ROUNDS}; round: bl {address:#x}; subs x13, x13, #1; b.ne round"


def visit(processor: Processor, period: int | None) -> None:
    """Run ``user_call`` in user mode, twice, interrupted every so many cycles or never."""
    if period is not None:
        processor.schedule(*((cycle, VECTOR) for cycle in range(2500, 60_000, period)))
    if processor.engine.arch == "x86_64":
        processor.handler(VECTOR, "push rax; pop rax; iretq")
        visit_user(processor, user_call(processor), fast="sysretq", flags=0x202)
    else:
        processor.handler(USER_IRQ, "msr tpidr_el1, x16; eret")
        processor.visit_user(user_call(processor), pstate=EL0_OPEN)


def probe_user(processor: Processor, code: bytes) -> int:
    """Probe the user's function in the program that has some code at it."""
    address = processor.snippets.USER_CODE + USER_PAGE_OFFSET
    return add_probe(processor.engine, address, page=(USER_PAGE_OFFSET, code))


def user_code(make: Callable[..., Processor]) -> bytes:
    processor = make()
    user_call(processor)
    return bytes(processor.read(processor.snippets.USER_CODE + USER_PAGE_OFFSET, 16))


@pytest.mark.parametrize("period", [None, 977, 2500])
def test_interrupts_are_no_part_of_a_function_that_they_cut(make_either, period: int | None) -> None:
    processor = make_either()
    number = probe_user(processor, user_code(make_either))
    visit(processor, period)
    entry = booked(processor, number)
    assert (entry.count, entry.books.total("instructions")) == (2 * ROUNDS, 2 * ROUNDS * 402)
    assert entry.books.total("interrupts") == entry.books.total("mode-switches") == 0
    assert bool(processor.taken) == (period is not None)


def test_another_program_at_the_address_is_not_the_one_that_is_probed(make_either) -> None:
    processor = make_either()
    number = probe_user(processor, bytes(16))
    visit(processor, None)
    assert entries(processor.engine, number) == 0


def test_the_kernel_at_the_address_is_not_the_program_that_is_probed(make_either) -> None:
    processor = make_either()
    address = function(processor, "nop; ret")
    code = bytes(processor.read(address, 2))
    number = add_probe(processor.engine, address, page=(address % 0x1000, code))
    processor.measure(call(processor, address))
    assert entries(processor.engine, number) == 0


def test_more_probes_than_there_is_room_for_are_refused(either) -> None:
    for place in range(64):
        add_probe(either.engine, either.snippets.CODE + 8 * place)
    with pytest.raises(ValueError, match="64 probes"):
        add_probe(either.engine, either.snippets.CODE)
