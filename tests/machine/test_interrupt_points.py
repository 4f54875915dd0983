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

import pytest

from ringscope.emulator.native.library import Stop
from tests.machine.rig import Rig, Spent
from tests.machine.snippets import CODE, DATA, PAGE

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


@dataclass(frozen=True)
class Boundary:
    """The beginning of a block: its address and the simulated time there."""

    pc: int
    time: int


def prepared() -> Rig:
    rig = Rig()
    rig.handler(VECTOR, HANDLER)
    rig.end = rig.place(CODE, BODY)
    rig.place(rig.end, "fence; hlt")
    rig.begin()
    return rig


@functools.cache
def boundaries() -> list[Boundary]:
    """Step through the body and find its blocks."""
    rig, found = prepared(), []
    while (pc := rig.engine.register("rip")) != rig.end:
        time, before = rig.engine.time, rig.books()
        assert rig.engine.run(steps=1) is Stop.STEPS
        spent = Spent(before, rig.books())
        if spent["iTLB-loads"]:
            found.append(Boundary(pc, time + spent.cause("branch")))
    rig.close()
    return found


def open_boundaries() -> list[Boundary]:
    """Those at which interrupts can be taken: not at STI itself, nor in its shadow, nor after the CLI."""
    return boundaries()[2:]


def test_the_body_has_blocks_of_many_costs() -> None:
    times = [boundary.time for boundary in boundaries()]
    costs = {later - earlier for earlier, later in pairwise(times)}
    assert len(times) > 40
    assert len(costs) >= 8
    assert max(costs) > 100


CASES = range(0, 100, 4)  # in hundredths of the body's duration


@pytest.mark.parametrize("hundredth", CASES)
def test_an_interrupt_is_taken_at_the_first_block_boundary_at_or_after_its_due_cycle(hundredth: int) -> None:
    at = open_boundaries()
    due = at[0].time + (at[-1].time - at[0].time) * hundredth // 100
    expected = next(boundary for boundary in at if boundary.time >= due)
    rig = prepared()
    rig.schedule((due, VECTOR))
    rig.run_to(rig.end)
    assert rig.engine.register("r15") == 1
    assert rig.taken == [(expected.time, VECTOR)]
    assert rig.turns == [(due, expected.time)]
    assert rig.engine.register("r14") == expected.pc
    assert rig.engine.lateness == expected.time - due
    rig.close()


@pytest.mark.parametrize("late", [-1, 0, 1])
def test_due_just_at_a_boundary_is_taken_there_and_a_cycle_later_at_the_next(late: int) -> None:
    at = open_boundaries()
    pairs = [(a, b) for a, b in pairwise(at) if b.time - a.time > 1]
    previous, here = pairs[len(pairs) // 2]
    following = at[at.index(here) + 1]
    rig = prepared()
    rig.schedule((here.time + late, VECTOR))
    rig.run_to(rig.end)
    assert rig.taken == [((following if late > 0 else here).time, VECTOR)]
    assert previous.time < here.time + late
    rig.close()


def test_the_lateness_reported_is_the_longest_seen_and_no_longer_than_the_dearest_block() -> None:
    at = open_boundaries()
    dearest = max(later.time - earlier.time for earlier, later in pairwise(at))
    rig = prepared()
    rig.schedule(*((cycle, VECTOR) for cycle in range(at[0].time + 3, at[-1].time, 61)))
    rig.run_to(rig.end)
    late = [turn - due for due, turn in rig.turns]
    assert len(late) > 20
    assert rig.engine.lateness == max(late) > 0
    handler = 2000  # a block of the handler, with its misses, may be the one that delays
    assert max(late) <= dearest + handler
    first_due, first_turn = rig.turns[0]
    assert first_turn - first_due <= dearest
    rig.close()


def test_with_interrupts_off_it_waits_until_they_are_on(rig) -> None:
    rig.handler(VECTOR, HANDLER)
    rig.measure("nop")
    rig.schedule((rig.engine.time + 10, VECTOR))
    rig.measure("cli; mov ecx, 100; spin: dec ecx; jnz spin; xor r15d, r15d; sti; nop; nop; cli")
    assert rig.engine.register("r15") == 1
    assert rig.engine.register("r14") == rig.end - 2  # the second nop, one instruction behind the sti


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


def run_asleep(rig: Rig, end: int) -> int:
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
