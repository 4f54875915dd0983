# SPDX-License-Identifier: GPL-2.0-or-later
"""Code that rewrites what is about to be executed runs as it is then, and counts once, however it is run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from ringscope.emulator.native.library import Stop
from tests.machine.processor import LIMIT, Processor, Spent
from tests.machine.snippets import CODE, DATA, PAGE, PAGE_TABLE

if TYPE_CHECKING:
    from collections.abc import Callable

ELSEWHERE = CODE + PAGE
MAP_ALIAS = f"mov qword ptr [{PAGE_TABLE + 8 * (DATA // PAGE)}], {ELSEWHERE | 7}; invlpg [{DATA}]"
NOP_INC_EAX_RET, NOP_INC_ECX_RET = 0xC3C0FF90, 0xC3C1FF90
SKIP_TWO_BYTES, INC_EBX, TWO_NOPS = 0x02EB, 0xC3FF, 0x9090


@dataclass(frozen=True)
class Case:
    """A snippet, how many instructions it executes, and what it leaves in a register."""

    source: str
    instructions: int
    register: str
    value: int


CASES = {
    "through another address of the page": Case(
        f"{MAP_ALIAS}; mov eax, {ELSEWHERE}; mov dword ptr [rax], {NOP_INC_EAX_RET}; xor ecx, ecx; call rax;"
        f"mov ebx, {DATA}; mov dword ptr [rbx], {NOP_INC_ECX_RET}; mov edx, {ELSEWHERE}; call rdx; call rdx",
        2 + 3 + (1 + 3) + 3 + 2 * (1 + 3), "rcx", 2,
    ),
    "a branch appears": Case(
        f"lea rdi, [rip + t]; xor ebx, ebx; jmp go; go: mov word ptr [rdi], {SKIP_TWO_BYTES};"
        "t: nop; nop; inc ebx; inc ebx; inc ebx",
        4 + 1 + 2, "rbx", 2,
    ),
    "a branch disappears": Case(
        f"lea rdi, [rip + t]; xor ebx, ebx; jmp go; go: mov word ptr [rdi], {TWO_NOPS}; nop; t: jmp e;"
        "inc ebx; inc ebx; e: inc ebx",
        5 + 2 + 3, "rbx", 3,
    ),
    "some instructions ahead": Case(
        f"lea rdi, [rip + t]; xor ebx, ebx; jmp go; go: mov word ptr [rdi], {INC_EBX};"
        "nop; inc ecx; inc ecx; t: nop; nop; inc ebx",
        7 + 1 + 1, "rbx", 2,
    ),
    "an immediate in a loop": Case(
        "mov ecx, 5; lea rdi, [rip + t + 2]; xor ebx, ebx; again: inc byte ptr [rdi]; t: add ebx, 1;"
        "dec ecx; jnz again",
        3 + 5 * 4, "rbx", 2 + 3 + 4 + 5 + 6,
    ),
    "by a push": Case(
        "mov rbp, rsp; lea rsp, [rip + t + 8]; mov rax, 0x9090c3ffc3ffc3ff; xor ebx, ebx; jmp go;"
        "go: push rax; t: nop; nop; nop; nop; nop; nop; nop; nop; mov rsp, rbp",
        6 + (3 + 2) + 1, "rbx", 3,
    ),
    "by exchanges and locked instructions": Case(
        "lea rdi, [rip + t]; mov eax, 0x9090c3ff; xor ebx, ebx; jmp go; go: xchg [rdi], eax;"
        "t: nop; nop; nop; nop; lock add dword ptr [rdi], 0; nop; lock xadd [rdi], ecx; inc ebx",
        5 + 3 + 4, "rbx", 2,
    ),
    "by a vector store over the instructions behind it": Case(
        "lea rdi, [rip + t - 4]; movdqu xmm0, [rip + src]; xor eax, eax; jmp go; go: movdqu [rdi], xmm0;"
        "inc ebx; inc ebx; t:" + "nop;" * 14 + "jmp e; src: .byte 0x90, 0x90, 0xff, 0xc3"
        + ", 0xff, 0xc0" * 6 + "; e: nop",
        5 + 3 + 6 + 2 + 2, "rax", 6,
    ),
    "by a string instruction": Case(
        "lea rdi, [rip + t]; lea rsi, [rip + src]; mov ecx, 4; xor eax, eax; jmp go; go: rep movsb;"
        "t: nop; nop; nop; nop; jmp e; src: .byte 0xff, 0xc0, 0xff, 0xc0; e: nop",
        6 + 2 + 2, "rax", 2,
    ),
    "by a string instruction over itself": Case(
        "lea rdi, [rip + t]; mov ecx, 6; mov al, 0x90; jmp t; nop; t: rep stosb;"
        "nop; nop; nop; nop; nop; nop; inc ebx",
        4 + 1 + 2 + 6 + 1, "rcx", 5,  # after one byte it is `nop; stosb`
    ),
}  # fmt: skip


SYNC = "dc cvau, x1; dsb ish; ic ivau, x1; dsb ish; isb"
#: x1 points to what is rewritten, w3 holds the first of the new instructions; x0 is 0.
FETCH_NEW = "adr x1, t; adr x2, new; ldr w3, [x2]; movz x0, #0; b go"
ALLOW_VECTORS = "movz x9, #0x30, lsl #16; msr cpacr_el1, x9; isb"
ARM_CASES = {
    "with maintenance": Case(
        f"{FETCH_NEW}; go: str w3, [x1]; {SYNC}; t: nop; b e; new: add x0, x0, #5; e: nop",
        5 + 1 + 5 + 3, "x0", 5,
    ),
    "with a context synchronisation alone": Case(
        f"{FETCH_NEW}; go: str w3, [x1]; isb; t: nop; nop; b e; new: add x0, x0, #5; e: nop",
        5 + 6, "x0", 5,
    ),
    "a function": Case(
        f"b start; t: movz x0, #1; ret; new: movz x0, #2; start: {FETCH_NEW}; go: str w3, [x1]; {SYNC}; bl t",
        1 + 5 + 1 + 5 + 1 + 2, "x0", 2,
    ),
    "through another address of the page": Case(
        f"{FETCH_NEW}; go: orr x1, x1, #0xffffff8000000000; str w3, [x1]; b t; t: nop; b e;"
        "new: add x0, x0, #5; e: nop",
        5 + 6, "x0", 5,
    ),
    "a branch appears": Case(
        f"{FETCH_NEW}; go: str w3, [x1]; isb; t: nop; add x0, x0, #1; add x0, x0, #1; b e;"
        "new: b new + 8; nop; e: nop",
        5 + 2 + 1 + 3, "x0", 1,
    ),
    "a branch disappears": Case(
        f"{FETCH_NEW}; go: str w3, [x1]; isb; t: b past; add x0, x0, #1; add x0, x0, #1; past: b e;"
        "new: nop; e: nop",
        5 + 2 + 3 + 2, "x0", 2,
    ),
    "an immediate in a loop": Case(
        f"movz x0, #0; movz x4, #5; adr x1, t; again: ldr w3, [x1]; add w3, w3, #1024; str w3, [x1]; {SYNC};"
        "t: add x0, x0, #1; subs x4, x4, #1; b.ne again",
        3 + 5 * 11, "x0", 2 + 3 + 4 + 5 + 6,
    ),
    "by a pair": Case(
        f"adr x6, new; ldp w3, w4, [x6]; {FETCH_NEW}; go: stp w3, w4, [x1]; isb; t: nop; nop; b e;"
        "new: add x0, x0, #1; add x0, x0, #2; e: nop",
        2 + 5 + 6, "x0", 3,
    ),
    "by an exclusive store": Case(
        f"{FETCH_NEW}; go: ldxr w5, [x1]; stxr w6, w3, [x1]; isb; t: nop; b e; new: add x0, x0, #5; e: nop",
        5 + 6, "x0", 5,
    ),
    "by a vector store": Case(
        f"{ALLOW_VECTORS}; {FETCH_NEW}; go: ldr q0, [x2]; str q0, [x1]; isb; t: nop; nop; nop; nop; b e;"
        "new: add x0, x0, #1; add x0, x0, #1; add x0, x0, #1; add x0, x0, #1; e: nop",
        3 + 5 + 3 + 6, "x0", 4,
    ),
}  # fmt: skip
ALL = {"x86_64": CASES, "aarch64": ARM_CASES}
EVERY = pytest.mark.parametrize(
    ("arch", "name"), [(arch, name) for arch, cases in ALL.items() for name in cases]
)


def freely(processor: Processor, end: int) -> None:
    processor.run_to(end)


def stepped(processor: Processor, end: int) -> None:
    processor.steps_to(end, most=100)


def with_breakpoints(processor: Processor, end: int) -> None:
    each = processor.snippets.INSN_ALIGNMENT
    processor.engine.set_breakpoints(range(end - 62 * each, end + 1, each))
    for _ in range(100):
        processor.engine.step_over_breakpoint()
        assert processor.engine.run(processor.engine.time + LIMIT) is Stop.BREAKPOINT
        if processor.pc == end:
            return
    raise AssertionError("it does not come to its end")


def show(processor: Processor, source: str, way: Callable[[Processor, int], None]) -> Spent:
    end = processor.place(processor.snippets.CODE, source)
    processor.place_end(end)
    processor.begin()
    before = processor.books()
    way(processor, end)
    return Spent(before, processor.books())


@EVERY
def test_what_was_rewritten_is_executed_and_counted_as_it_is_now(make, arch: str, name: str) -> None:
    case, processor = ALL[arch][name], make(arch)
    assert show(processor, case.source, freely)["instructions"] == case.instructions
    assert processor.register(case.register) == case.value


@pytest.mark.parametrize("way", [stepped, with_breakpoints], ids=lambda way: way.__name__)
@EVERY
def test_a_debugger_sees_the_same_of_it(make, arch: str, name: str, way) -> None:
    case, processor = ALL[arch][name], make(arch)
    spent = show(processor, case.source, way)
    assert spent.everything() == show(make(arch), case.source, freely).everything()
    assert processor.register(case.register) == case.value


def test_what_a_block_stores_into_its_own_rest_is_seen_at_its_end_where_nothing_synchronises(arm) -> None:
    """The old instruction and the new one are both right then (Arm ARM B2.2.5)."""
    source = "go: str w3, [x1]; nop; t: nop; subs x7, x7, #1; b.ne go; b e; new: add x0, x0, #5; e: nop"
    arm.measure(f"movz x7, #3; {FETCH_NEW}; {source}")
    assert arm.register("x0") == 2 * 5  # in the second and the third round
