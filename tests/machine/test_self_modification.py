# SPDX-License-Identifier: GPL-2.0-or-later
"""Code that rewrites what is about to be executed runs as it is then, and counts once, however it is run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from ringscope.emulator.native.library import Stop
from tests.machine.rig import LIMIT, Rig, Spent
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


def freely(rig: Rig, end: int) -> None:
    rig.run_to(end)


def stepped(rig: Rig, end: int) -> None:
    rig.steps_to(end, most=100)


def with_breakpoints(rig: Rig, end: int) -> None:
    rig.engine.set_breakpoints(range(end - 62, end + 1))
    for _ in range(100):
        rig.engine.step_over_breakpoint()
        assert rig.engine.run(rig.engine.time + LIMIT) is Stop.BREAKPOINT
        if rig.engine.register("rip") == end:
            return
    raise AssertionError("it does not come to its end")


def show(rig: Rig, source: str, way: Callable[[Rig, int], None]) -> Spent:
    end = rig.place(CODE, source)
    rig.place(end, "fence; hlt")
    rig.begin()
    before = rig.books()
    way(rig, end)
    return Spent(before, rig.books())


@pytest.mark.parametrize("name", CASES)
def test_what_was_rewritten_is_executed_and_counted_as_it_is_now(rig, name: str) -> None:
    case = CASES[name]
    assert show(rig, case.source, freely)["instructions"] == case.instructions
    assert rig.engine.register(case.register) == case.value


@pytest.mark.parametrize("way", [stepped, with_breakpoints], ids=lambda way: way.__name__)
@pytest.mark.parametrize("name", CASES)
def test_a_debugger_sees_the_same_of_it(make_rig, name: str, way) -> None:
    case, rig = CASES[name], make_rig()
    spent = show(rig, case.source, way)
    assert spent.everything() == show(make_rig(), case.source, freely).everything()
    assert rig.engine.register(case.register) == case.value
