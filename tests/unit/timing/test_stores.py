# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the stores of a block go after one another, from assembly; and how long that keeps their port."""

from __future__ import annotations

import capstone
import keystone
import pytest

from ringscope.emulator.timing import profile as profiles
from ringscope.emulator.timing.micro_ops import STORE, MicroOps, Operands
from ringscope.emulator.timing.parameters import ISSUE_UNITS
from ringscope.emulator.timing.pipeline import Reach
from ringscope.emulator.timing.x86_64_operands import X86Operands
from ringscope.emulator.timing.x86_64_stores import reaches

SAME, OTHER, RETURN = Reach.SAME_LINE, Reach.OTHER_LINE, Reach.NARROW_RETURN


@pytest.fixture(scope="module")
def found():
    """Where the stores go of a block in assembly: of those instructions alone that have one."""
    assembler = keystone.Ks(keystone.KS_ARCH_X86, keystone.KS_MODE_64)
    disassembler = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
    operands = X86Operands()

    def of(text: str, *, loops: bool = False) -> list[Reach]:
        code, _ = assembler.asm(text, as_bytes=True)
        traces = [operands.trace(bytes(insn.bytes), 2) for insn in disassembler.disasm(code, 0)]
        reach = reaches(traces, loops=loops)
        return [to for to, trace in zip(reach, traces, strict=True) if trace.place is not None]

    return of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mov [rbx], rax; mov [rbx + 8], rax", SAME),
        ("mov [rbx], rax; mov [rbx + 256], rax", OTHER),
        ("mov [rbx], rax; mov [rcx], rax", OTHER),
        ("mov [rbx], rax; add rbx, 8; mov [rbx], rax", SAME),
        ("mov [rbx], rax; add rbx, 64; mov [rbx], rax", OTHER),
        ("mov [rbx], rax; sub rbx, 64; mov [rbx + 64], rax", SAME),
        ("mov [rbx + rcx*8], rax; inc rcx; mov [rbx + rcx*8], rax", SAME),
        ("mov [rbx + rcx*8], rax; add rcx, 8; mov [rbx + rcx*8], rax", OTHER),
        ("mov [rbx], rax; mov rcx, rbx; mov [rcx], rax", SAME),
        ("mov [rbx], rax; lea rcx, [rbx + 128]; mov [rcx], rax", OTHER),
        ("mov [rbx], rax; add rbx, rcx; mov [rbx], rax", OTHER),  # nobody knows how far
        ("push rax; push rbx", SAME),
        ("push rax; sub rsp, 256; push rbx", OTHER),
        ("push rax; pop rbx; push rcx", SAME),
        ("mov [rsp + 8], rax; call 0x40", SAME),
    ],
)
def test_a_store_follows_another_by_what_is_known_of_its_registers(found, text: str, expected) -> None:
    assert found(text)[-1] is expected


@pytest.mark.parametrize(
    ("text", "expected"), [("push rax", SAME), ("mov [rsp], rax", SAME), ("mov [rbx], rax", OTHER)]
)
def test_before_a_blocks_first_store_lay_another_line_unless_it_is_the_stack(found, text, expected) -> None:
    assert found(text) == [expected]


@pytest.mark.parametrize(("step", "expected"), [(8, SAME), (256, OTHER)])
def test_in_a_block_that_jumps_to_itself_the_first_store_follows_the_last(found, step, expected) -> None:
    assert found(f"mov [rbx], rax; add rbx, {step}", loops=True) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mov [rbx], al; mov [rcx], al; mov [rbx], al", [OTHER, OTHER, RETURN]),
        ("mov [rbx], ax; mov [rcx], ax; mov [rbx + 2], ax", [OTHER, OTHER, RETURN]),
        ("mov [rbx], eax; mov [rcx], eax; mov [rbx], eax", [OTHER, OTHER, OTHER]),  # whole words
        ("mov [rbx], al; mov [rcx], al; mov [rbx + 4], al", [OTHER, OTHER, OTHER]),  # another word
        ("mov [rbx], al; mov [rbx], al; mov [rbx], al", [OTHER, SAME, SAME]),  # gathered
    ],
)
def test_a_narrow_store_returns_when_another_line_came_between(found, text, expected) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    ("reach", "wide", "units"),
    [(SAME, False, 32), (OTHER, False, 64), (RETURN, False, 157), (SAME, True, 64)],
)
def test_a_store_has_its_port_for_as_long_as_the_longest_of_its_kinds(reach, wide, units) -> None:
    ops = MicroOps(profiles.load("zen4")).of(("alu", "store"), Operands(stores=1, wide=wide), reach=reach)
    assert ops[-1].kind == STORE
    assert ops[-1].occupancy == units * ISSUE_UNITS["cycles/64"]
