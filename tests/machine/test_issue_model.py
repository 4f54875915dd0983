# SPDX-License-Identifier: GPL-2.0-or-later
"""What blocks cost on a core of four instructions a cycle, worked out by hand from its profile's figures."""

from __future__ import annotations

import pytest

from ringscope.emulator.timing import profile as profiles
from ringscope.emulator.timing.parameters import ISSUE_UNITS_PER_CYCLE
from tests.machine.rig import Rig, skylake
from tests.machine.snippets import DATA, PAGE

ROUNDS = 200
FRACTION = 1.01 / ROUNDS  # of a cycle, carried over the end
LOAD = skylake().latency.l1
LATENCY = skylake().pipeline.latency
LOOP = "dec r12d; jnz again"
UNDEFINED = 6  # the vector of UD2


def cycles_of_a_round(rig: Rig, body: str, setup: str = "") -> float:
    """Return the cycles of one time round a loop, long after its beginning, when its branch is foreseen."""
    few, many = ROUNDS, 2 * ROUNDS
    spent = [
        rig.measure(f"{setup}; lfence; fence; mov r12d, {rounds}; again: {body}; {LOOP}; lfence", warm=True)[
            "cycles"
        ]
        for rounds in (many, few, many)  # the first one teaches the predictor
    ]
    return (spent[2] - spent[1]) / ROUNDS


@pytest.mark.parametrize(
    ("body", "cycles"),
    [
        ("nop; nop; nop; nop; nop; nop", 8 / 4),  # delivery: eight instructions
        ("add rax, rbx; add rcx, rbx; add rdx, rbx; add rsi, rbx; add rdi, rbx; add r8, rbx", 8 / 4),
        ("add rax, rbx;" * 6, 6),  # each waits for the one before
        ("imul rax, rbx;" * 4, 4 * LATENCY["mul"]),
        ("imul rax, rbx; imul rcx, rbx; imul rdx, rbx", 3),  # one multiplier
        ("addsd xmm0, xmm1;" * 3, 3 * LATENCY["sse_fp"]),
        ("xor eax, eax; imul rax, rbx; imul rax, rbx", 2),  # zeroed: nothing is carried from round to round
        ("mov rax, rbx; mov rbx, rax; mov rax, rbx; mov rbx, rax; nop; nop", 8 / 4),  # moves take no time
        ("nop", 1),  # three instructions, but a branch is taken once a cycle
        ("call leaf; jmp over; leaf: ret; over: nop", 2 + 2 + 1 + 1),  # calls and returns once in two
        ("movd xmm0, eax; movd eax, xmm0", 2 * LATENCY["sse_move"]),
        ("pmuludq xmm0, xmm1; pshufd xmm0, xmm0, 1", LATENCY["sse_mul"] + LATENCY["sse_shuffle"]),
        (f"mov [{DATA}], rax; mov [{DATA + 8}], rax; mov [{DATA + 16}], rax", 3),  # one store a cycle
        ("mov ax, cx;" * 3, 3 * LATENCY["alu"]),  # the upper part of EAX is carried along
        ("cmp rax, rbx; cmovl rax, rcx", 2 * LATENCY["alu"]),
    ],
)
def test_a_loop_takes_the_longest_of_delivery_ports_and_dependences(rig, body: str, cycles: float) -> None:
    assert cycles_of_a_round(rig, body) == pytest.approx(cycles, abs=FRACTION)


class Zen4Rig(Rig):
    """A core that takes one line of code a cycle."""

    profile = staticmethod(lambda: profiles.load("zen4"))


@pytest.mark.parametrize(("place", "cycles"), [(40, 1 + 1), (60, 1 + 2)])
def test_a_jump_to_a_lines_end_takes_a_cycle_for_the_next_line_too(place: int, cycles: int) -> None:
    rig = Zen4Rig()
    try:
        body = f"jmp there; .p2align 6; {'nop;' * place} there: nop; nop; nop; nop"
        assert cycles_of_a_round(rig, body) == pytest.approx(cycles, abs=FRACTION)
    finally:
        rig.close()


def test_a_chain_of_loads_takes_their_latency_and_independent_ones_the_ports(rig) -> None:
    setup = f"mov esi, {DATA}; mov [rsi], rsi"
    assert cycles_of_a_round(rig, "mov rsi, [rsi];" * 3, setup) == pytest.approx(3 * LOAD, abs=FRACTION)
    free = "mov rax, [rsi]; mov rbx, [rsi]; mov rcx, [rsi]; mov rdx, [rsi]"
    assert cycles_of_a_round(rig, free, setup) == pytest.approx(2, abs=FRACTION)


#: Four lines of one set beyond L1's eight ways: each load misses L1 and hits L2.
WAYS, SET_BYTES = 8, 64 * 64


def far_lines(load: str) -> str:
    return ";".join(
        load.format(at=i * SET_BYTES, next=(i + 1) % (WAYS + 4) * SET_BYTES) for i in range(WAYS + 4)
    )


def test_misses_that_wait_for_each_other_take_their_whole_latency(rig) -> None:
    places = WAYS + 4
    base = 4 << 20
    link = ";".join(
        f"mov eax, {base + (i + 1) % places * SET_BYTES}; mov ebx, {base + i * SET_BYTES}; mov [rbx], rax"
        for i in range(places)
    )
    chain = cycles_of_a_round(rig, "mov rsi, [rsi];" * places, f"{link}; mov esi, {base}")
    assert chain == pytest.approx(places * skylake().latency.l2, abs=FRACTION)


def test_misses_that_wait_for_nothing_overlap_as_far_as_buffers_and_the_lines_way_allow(rig) -> None:
    places, base = WAYS + 4, 4 << 20
    loads = ";".join(f"mov rax, [rsi + {i * SET_BYTES}]" for i in range(places))
    beyond = skylake().latency.l2 - LOAD
    buffers = skylake().pipeline.buffers
    each = max(beyond / buffers.fill_buffers, buffers.line_interval)
    round_ = cycles_of_a_round(rig, loads, f"mov esi, {base}")
    assert round_ == pytest.approx(
        places * each, abs=places / ISSUE_UNITS_PER_CYCLE + FRACTION
    )  # rounded down, each


def test_a_branch_that_was_not_foreseen_is_known_when_what_it_asks_is(rig) -> None:
    """The longer the chain before it, the later the front end starts anew."""
    cost = {}
    for chain in (1, 9):
        factors = "imul rax, r13;" * chain
        random = "imul rdi, r13; add rdi, 12345; mov rax, rdi"
        body = f"{random}; {factors} shr rax, 47; and eax, 1; jnz odd; nop; odd: nop"
        setup = "mov r13d, 0x9e3779b1; mov edi, 1"
        spent = rig.measure(f"{setup}; mov r12d, 2000; again: {body}; {LOOP}; lfence")
        assert spent["branch-misses"] > 500
        cost[chain] = spent["cycles"] / spent["branch-misses"]
        assert spent.cause("branch") >= spent["branch-misses"] * (skylake().predictor.mispredict - 1)
    assert cost[9] - cost[1] > 8 * LATENCY["mul"]


def test_the_first_misses_of_a_handler_are_those_of_its_own_loads(rig) -> None:
    """What the delivery itself pushes and reads is no access of the handler's first block."""
    stalls = []
    rig.handler(UNDEFINED, "add qword ptr [rsp], 2; iretq")
    rig.measure(f"mov rax, [{DATA}]; ud2; nop")  # what a delivery reads is near from now on
    for first, address in (
        (DATA + 0x400, "rax"),
        (DATA + 0x800, "rdi"),
    ):  # the second load waits for the first, or not
        rig.handler(UNDEFINED, f"mov rax, [rsi]; mov rbx, [{address}]; add qword ptr [rsp], 2; iretq")
        rig.write_word(first, first + 0x200)
        spent = rig.measure(f"mov esi, {first}; lea rdi, [rsi + 0x200]; ud2; nop")
        assert spent["L1-dcache-load-misses"] == 2
        stalls.append(spent.cause("d-miss"))
    assert stalls[0] - stalls[1] > 0.8 * (skylake().memory_latency - LOAD)


def test_every_cycle_of_a_loop_with_misses_has_a_cause(rig) -> None:
    body = f"mov rax, [rsi]; add rsi, {PAGE}; and esi, 0x7fffff; or esi, 0x400000; add [rsi + 64], rax"
    spent = rig.measure(f"mov esi, {4 << 20}; mov r12d, 600; again: {body}; {LOOP}; lfence")
    named = sum(
        spent.cause(name) for name in ("issue", "i-miss", "d-miss", "tlb-walk", "branch", "serialisation")
    )
    assert named == spent["cycles"]
    assert spent.cause("d-miss") > 0
    assert spent.cause("tlb-walk") > 0


def test_a_comparison_and_the_branch_behind_it_are_delivered_as_one(rig) -> None:
    free = "nop; nop; nop; nop; nop; cmp rax, rax; jne out; out: nop"
    assert cycles_of_a_round(rig, free) == pytest.approx((10 - 1) / 4, abs=FRACTION)
    apart = "nop; nop; nop; nop; cmp rax, rax; nop; jne out; out: nop"
    assert cycles_of_a_round(rig, apart) == pytest.approx(10 / 4, abs=FRACTION)
