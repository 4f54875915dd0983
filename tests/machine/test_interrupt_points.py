# SPDX-License-Identifier: GPL-2.0-or-later
"""When an interrupt is taken: at the first block boundary at or after the cycle at which it became due.

The oracle steps through the same code with nothing due. A step that looks its instruction up in the
instruction TLB begins a block; the boundary's time is the step's, and what the branch before it cost when it
was decided.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from ringscope.emulator.native.library import Stop
from tests.machine import arm_snippets
from tests.machine.arm_snippets import SAME_IRQ
from tests.machine.processor import LIMIT, Processor, Spent
from tests.machine.rigs import RIGS
from tests.machine.snippets import CODE, DATA, PAGE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.machine.rig import Rig

VECTOR = 0x50
HANDLER = "mov r14, [rsp]; inc r15; iretq"  # where it was taken, and how often
#: Blocks of many lengths and costs, loads that miss, calls, taken and untaken branches, fixed prices.
BODY = f"""
    sti; nop; jmp start
    f: inc r8; mov rax, [{DATA + 5 * PAGE}]; ret
    start: mov r12d, 12; mov ebx, {DATA}
    again: mov rcx, [rbx]; add rbx, 192; lea rdx, [rcx + rbx]; imul rdx, rcx; test r12d, 3; jnz odd
    call f; mfence; mov [rbx], rdx; cpuid; mov ebx, {DATA}; jmp next
    odd: inc r9; inc r9; inc r9; mov rax, [rbx + 4096]; xor edx, edx; mov ecx, 7; div rcx; rdtsc
    next: dec r12d; jnz again
    cli
"""
ARM_HANDLER = "mrs x21, elr_el1; add x22, x22, #1; eret"
ARM_BODY = f"""
    msr daifclr, #2; nop; b start
    f: add x8, x8, #1; set x0, {arm_snippets.DATA + 5 * PAGE}; ldr x0, [x0]; ret
    start: movz x12, #12; set x1, {arm_snippets.DATA}
    again: ldr x2, [x1]; add x1, x1, #192; add x3, x2, x1; mul x3, x3, x2; tst x12, #3; b.ne odd
    bl f; dsb ish; str x3, [x1]; tlbi vae1, x3; set x1, {arm_snippets.DATA}; b next
    odd: add x9, x9, #1; add x9, x9, #1; ldr x0, [x1, #4096]; movz x5, #7; udiv x6, x0, x5; mrs x7, cntvct_el0
    next: subs x12, x12, #1; b.ne again
    msr daifset, #2
"""


@dataclass(frozen=True)
class Guest:
    """What runs, what handles the interrupt, and where that leaves the place and the number of times."""

    vector: int
    handler: str
    body: str
    place: str
    times: str
    first_open: int  # the first boundary at which interrupts are taken


GUESTS = {
    "x86_64": Guest(VECTOR, HANDLER, BODY, "r14", "r15", 2),  # not at STI itself, nor in its shadow
    "aarch64": Guest(SAME_IRQ, ARM_HANDLER, ARM_BODY, "x21", "x22", 1),  # not at the MSR that opens them
}
BOTH = pytest.mark.parametrize("arch", GUESTS)


@dataclass(frozen=True)
class Boundary:
    """The beginning of a block: its address and the simulated time there."""

    pc: int
    time: int


def prepared(arch: str) -> Processor:
    processor, guest = RIGS[arch](), GUESTS[arch]
    processor.handler(guest.vector, guest.handler)
    processor.end = processor.place(processor.snippets.CODE, guest.body)
    processor.place_end(processor.end)
    processor.begin()
    return processor


@functools.cache
def boundaries(arch: str) -> list[Boundary]:
    """Step through the body and find its blocks."""
    processor, found = prepared(arch), []
    while (pc := processor.pc) != processor.end:
        time, before = processor.engine.time, processor.books()
        assert processor.engine.run(steps=1) is Stop.STEPS
        spent = Spent(before, processor.books())
        if spent["iTLB-loads"]:
            found.append(Boundary(pc, time + spent.cause("branch")))
    processor.close()
    return found


def open_boundaries(arch: str) -> list[Boundary]:
    """Those at which interrupts can be taken: not after they have been masked again."""
    return boundaries(arch)[GUESTS[arch].first_open :]


@BOTH
def test_the_body_has_blocks_of_many_costs(arch: str) -> None:
    times = [boundary.time for boundary in boundaries(arch)]
    costs = {later - earlier for earlier, later in pairwise(times)}
    assert len(times) > 40
    assert len(costs) >= 8
    assert max(costs) > 100


CASES = range(0, 100, 4)  # in hundredths of the body's duration


@BOTH
@pytest.mark.parametrize("hundredth", CASES)
def test_an_interrupt_is_taken_at_the_first_block_boundary_at_or_after_its_due_cycle(
    arch: str, hundredth: int
) -> None:
    at, guest = open_boundaries(arch), GUESTS[arch]
    due = at[0].time + (at[-1].time - at[0].time) * hundredth // 100
    expected = next(boundary for boundary in at if boundary.time >= due)
    processor = prepared(arch)
    processor.schedule((due, VECTOR))
    processor.run_to(processor.end)
    assert processor.register(guest.times) == 1
    assert processor.taken == [(expected.time, VECTOR)]
    assert processor.turns == [(due, expected.time)]
    assert processor.register(guest.place) == expected.pc
    assert processor.engine.lateness == expected.time - due
    processor.close()


@BOTH
@pytest.mark.parametrize("late", [-1, 0, 1])
def test_due_just_at_a_boundary_is_taken_there_and_a_cycle_later_at_the_next(arch: str, late: int) -> None:
    at = open_boundaries(arch)
    pairs = [(a, b) for a, b in pairwise(at) if b.time - a.time > 1]
    previous, here = pairs[len(pairs) // 2]
    following = next(boundary for boundary in at if boundary.time > here.time)
    processor = prepared(arch)
    processor.schedule((here.time + late, VECTOR))
    processor.run_to(processor.end)
    assert processor.taken == [((following if late > 0 else here).time, VECTOR)]
    assert previous.time < here.time + late
    processor.close()


def many(arch: str) -> Processor:
    """Return a rig with interrupts due all through the body."""
    at, processor = open_boundaries(arch), prepared(arch)
    processor.schedule(*((cycle, VECTOR) for cycle in range(at[0].time + 3, at[-1].time, 61)))
    return processor


@BOTH
def test_the_lateness_reported_is_the_longest_seen_and_no_longer_than_the_dearest_block(arch: str) -> None:
    at = open_boundaries(arch)
    dearest = max(later.time - earlier.time for earlier, later in pairwise(at))
    processor = many(arch)
    processor.run_to(processor.end)
    late = [turn - due for due, turn in processor.turns]
    assert len(late) > 20
    assert processor.engine.lateness == max(late) > 0
    handler = 2000  # a block of the handler, with its misses, may be the one that delays
    assert max(late) <= dearest + handler
    first_due, first_turn = processor.turns[0]
    assert first_turn - first_due <= dearest
    processor.close()


def stepped(processor: Processor) -> None:
    processor.steps_to(processor.end)


def with_breakpoints(processor: Processor) -> None:
    processor.engine.set_breakpoints(range(processor.end - 4 * 60, processor.end + 1, 4))
    while processor.pc != processor.end:
        processor.engine.step_over_breakpoint()
        assert processor.engine.run(processor.engine.time + LIMIT) is Stop.BREAKPOINT


def in_slices(processor: Processor) -> None:
    processor.engine.set_breakpoints([processor.end])
    while processor.engine.run(processor.engine.time + 23) is Stop.TIME:
        pass
    assert processor.pc == processor.end


@BOTH
@pytest.mark.parametrize("way", [stepped, with_breakpoints, in_slices], ids=lambda way: way.__name__)
def test_however_it_is_run_interrupts_are_taken_at_the_same_cycles(
    arch: str, way: Callable[[Processor], None]
) -> None:
    seen = []
    for run in (lambda processor: processor.run_to(processor.end), way):
        processor = many(arch)
        run(processor)
        engine = processor.engine
        seen.append((processor.taken, processor.turns, engine.lateness, engine.time, processor.books()))
        processor.close()
    assert len(seen[0][0]) > 20
    assert seen[0] == seen[1]


def test_with_interrupts_off_it_waits_until_they_are_on(rig) -> None:
    rig.handler(VECTOR, HANDLER)
    rig.measure("nop")
    rig.schedule((rig.engine.time + 10, VECTOR))
    rig.measure("cli; mov ecx, 100; spin: dec ecx; jnz spin; xor r15d, r15d; sti; nop; nop; cli")
    assert rig.engine.register("r15") == 1
    assert rig.engine.register("r14") == rig.end - 2  # the second nop, one instruction behind the sti


#: What unmasks interrupts, and how far behind it the one that waited is taken: ERET does so at its target.
UNMASKING = {
    "msr daifclr": "msr daifclr, #2",
    "msr daif": "mrs x9, daif; bic x9, x9, #0x80; msr daif, x9",
    "eret": "adr x9, on; msr elr_el1, x9; movz x9, #0x345; msr spsr_el1, x9; eret; on:",
}


@pytest.mark.parametrize("name", UNMASKING)
def test_with_interrupts_masked_it_waits_until_they_are_not(arm, name: str) -> None:
    arm.handler(SAME_IRQ, ARM_HANDLER)
    arm.measure("nop")
    arm.schedule((arm.engine.time + 10, VECTOR))
    spin = "movz x12, #100; spin: subs x12, x12, #1; b.ne spin; movz x22, #0"
    arm.measure(f"{spin}; {UNMASKING[name]}; nop; nop; msr daifset, #2")
    assert arm.register("x22") == 1
    assert arm.register("x21") == arm.end - 12


@pytest.mark.parametrize("late", range(-40, 200, 8))
def test_an_interrupt_that_becomes_due_anywhere_around_wfi_wakes_the_guest(arm, late: int) -> None:
    """Masked, it is taken only when it is let in; it wakes all the same (Arm ARM, WFI)."""
    arm.handler(SAME_IRQ, ARM_HANDLER)
    end = arm.place(
        arm_snippets.CODE, "movz x22, #0; nop; b go; go: nop; wfi; msr daifclr, #2; msr daifset, #2"
    )
    arm.place_end(end)
    arm.begin()
    arm.schedule((arm.engine.time + 60 + late, VECTOR))
    assert run_asleep(arm, end) <= 1
    assert arm.register("x22") == 1
    assert arm.register("x21") == end - 4


#: Interrupts before, the instruction that shadows the next, and the next.
SHADOWS = {
    "sti before a plain instruction": ("cli", "sti", "inc eax"),
    "sti before a branch": ("cli", "sti", "jmp on; on:"),
    "sti before a string of nothing": ("cli; xor ecx, ecx", "sti", "rep stosb"),
    "mov ss": ("sti; nop", "mov eax, ss; mov ss, eax", "inc eax"),
}


#: With interrupts on, one that is due at the shadowing instruction is taken before it.
WHEN = {"due before it": -1, "due at it": 0, "due during it": 1}
SHADOWED = [(name, when) for name in SHADOWS for when in WHEN if when == "due during it" or "sti" in name]


@pytest.mark.parametrize(("name", "when"), SHADOWED)
def test_the_instruction_behind_one_that_shadows_interrupts_comes_first(rig, name: str, when: str) -> None:
    before, shadow, shadowed = SHADOWS[name]
    rig.handler(VECTOR, HANDLER)
    here = rig.place(CODE, before)
    behind = rig.place(rig.place(here, f"fence; {shadow}"), shadowed)
    end = rig.place(behind, "nop; nop; cli")
    rig.place(end, "fence; hlt")
    rig.begin()
    rig.run_to(here)
    rig.schedule((rig.engine.time + WHEN[when], VECTOR))
    rig.run_to(end)
    assert len(rig.taken) == 1
    assert rig.engine.register("r14") == behind


def run_asleep(rig: Processor, end: int) -> int:
    """Run to an address, sleeping where the guest halts; return how often it slept."""
    rig.engine.set_breakpoints([end])
    slept = 0
    while (stop := rig.engine.run(rig.engine.time + 1_000_000)) is not Stop.BREAKPOINT:
        assert stop is Stop.HALT
        slept += 1
        if rig.due:
            rig.engine.skip_idle(rig.due[0][0])
            rig._events()
        assert rig.raised, "the guest sleeps for ever"
    return slept


@pytest.mark.parametrize("late", range(-40, 200, 8))
def test_an_interrupt_that_becomes_due_anywhere_around_sti_and_hlt_wakes_the_guest(rig, late: int) -> None:
    rig.handler(VECTOR, HANDLER)
    end = rig.place(CODE, "cli; mov r15d, 0; nop; nop; jmp go; go: inc r8; sti; hlt; nop; cli")
    rig.place(end, "fence; hlt")
    rig.begin()
    rig.schedule((rig.engine.time + 60 + late, VECTOR))
    assert run_asleep(rig, end) == 1
    assert rig.engine.register("r15") == 1
    assert rig.engine.register("r14") == end - 2  # the instruction behind the hlt


# ---- the interrupt that cannot be masked ----

NMI = 2


def with_nmi(rig: Rig, handler: str) -> None:
    rig.handler(NMI, handler)
    rig.end = rig.place(CODE, "cli; xor r15d, r15d; nop; jmp on; on: nop; nop")
    rig.place(rig.end, "fence; hlt")
    rig.begin()


def test_a_non_maskable_interrupt_is_taken_with_interrupts_off(rig) -> None:
    with_nmi(rig, "inc r15; iretq")
    rig.run_to(CODE + 5)  # behind the xor
    rig.engine.raise_nmi()
    before = rig.books()
    rig.run_to(rig.end)
    assert rig.engine.register("r15") == 1
    assert Spent(before, rig.books())["interrupts"] == 1


def test_a_second_non_maskable_interrupt_waits_until_the_first_has_returned(rig) -> None:
    finished = []

    def again(_port: int, _size: int, _value: int) -> int:
        finished.append(rig.engine.register("r15"))
        if len(finished) < 3:
            rig.engine.raise_nmi()
        return 0

    rig.on_port = again
    with_nmi(rig, "out 0x80, al; nop; jmp later; later: inc r15; iretq")
    rig.run_to(CODE + 5)
    rig.engine.raise_nmi()
    rig.run_to(rig.end)
    assert finished == [0, 1, 2]
    assert rig.engine.register("r15") == 3
