# SPDX-License-Identifier: GPL-2.0-or-later
"""Which registers instructions read and write, assembled and asked; and the operations they become."""

from __future__ import annotations

import keystone
import pytest

from ringscope.emulator.timing import profile as profiles
from ringscope.emulator.timing.aarch64_operands import VECTORS, operands
from ringscope.emulator.timing.micro_ops import LOAD, PLAIN, REGISTERS, STORE, TEMPORARY, MicroOps, Operands
from ringscope.emulator.timing.parameters import ISSUE_UNITS_PER_CYCLE
from ringscope.emulator.timing.x86_64_operands import FLAGS, XMM, X86Operands

AX, CX, DX, BX, SP, BP, SI, DI = range(8)
ARM_SP, ARM_FLAGS, LINK = 31, 32, 30


@pytest.fixture(scope="module")
def x86():
    """The operands of one x86 instruction given in assembly."""
    assembler, found = keystone.Ks(keystone.KS_ARCH_X86, keystone.KS_MODE_64), X86Operands()
    return lambda text: found.of(assembler.asm(text, as_bytes=True)[0], 2)


@pytest.mark.parametrize(
    ("text", "address", "reads", "writes"),
    [
        ("add rax, rbx", (), {AX, BX}, {AX, FLAGS}),
        ("mov eax, [rbx + rcx*4]", {BX, CX}, set(), {AX}),
        ("mov rax, [rax]", {AX}, set(), {AX}),
        ("add [rbx], eax", {BX}, {AX}, {FLAGS}),
        ("mov [rbx], ebx", {BX}, {BX}, set()),
        ("lea rax, [rbx + rcx]", set(), {BX, CX}, {AX}),
        ("xor eax, eax", set(), set(), {AX, FLAGS}),  # a zero, whatever it was
        ("mov al, cl", set(), {AX, CX}, {AX}),  # the rest of EAX stays
        ("mov eax, ecx", set(), {CX}, {AX}),
        ("cmovl rax, rcx", set(), {AX, CX, FLAGS}, {AX}),
        ("cmp rax, rcx", set(), {AX, CX}, {FLAGS}),
        ("jne 0x40", set(), {FLAGS}, set()),
        ("mul rcx", set(), {AX, CX}, {AX, DX, FLAGS}),
        ("div rcx", set(), {AX, CX, DX}, {AX, DX, FLAGS}),
        ("push rax", set(), {AX}, set()),  # the stack pointer's steps are no dependence
        ("pop rax", set(), set(), {AX}),
        ("ret", set(), set(), set()),
        ("mulsd xmm0, xmm1", set(), {XMM, XMM + 1}, {XMM}),
        ("movups xmm0, [rsi]", {SI}, set(), {XMM}),
    ],
)
def test_what_an_x86_instruction_depends_on(x86, text: str, address, reads, writes) -> None:
    found = x86(text)
    assert (set(found.address), set(found.reads), set(found.writes)) == (set(address), reads, writes)


@pytest.mark.parametrize(
    ("text", "loads", "stores"),
    [("mov eax, [rbx]", 1, 1), ("movups xmm0, [rbx]", 2, 2), ("movq xmm0, [rbx]", 1, 1)],
)
def test_sixteen_bytes_are_two_accesses_of_the_engine(x86, text: str, loads: int, stores: int) -> None:
    found = x86(text)
    assert (found.loads, found.stores) == (loads, stores)


@pytest.mark.parametrize(
    ("mnemonic", "text", "address", "reads", "writes"),
    [
        ("add", "x0, x1, x2", (), (1, 2), (0,)),
        ("adds", "x0, x1, #1", (), (1,), (0, ARM_FLAGS)),
        ("cmp", "x0, x1", (), (0, 1), (ARM_FLAGS,)),
        ("csel", "x0, x1, x2, eq", (), (1, 2, ARM_FLAGS), (0,)),
        ("b.ne", "#0x40", (), (ARM_FLAGS,), ()),
        ("cbz", "x3, #0x40", (), (3,), ()),
        ("bl", "#0x40", (), (), (LINK,)),
        ("ret", "", (), (LINK,), ()),
        ("ldr", "x0, [x1, x2, lsl #3]", (1, 2), (), (0,)),
        ("str", "x0, [sp, #8]", (ARM_SP,), (0,), ()),
        ("ldp", "x29, x30, [sp], #0x10", (ARM_SP,), (), (29, 30)),
        ("stlxr", "w2, x0, [x1]", (1,), (0,), (2,)),
        ("movk", "x0, #1, lsl #16", (), (0,), (0,)),
        ("mov", "x0, xzr", (), (), (0,)),
        ("fadd", "d0, d1, d2", (), (VECTORS + 1, VECTORS + 2), (VECTORS,)),
        ("fmla", "v0.4s, v1.4s, v2.4s", (), (VECTORS + 1, VECTORS + 2, VECTORS), (VECTORS,)),
    ],
)
def test_what_an_aarch64_instruction_depends_on(mnemonic, text, address, reads, writes) -> None:
    found = operands(mnemonic, text)
    assert (found.address, found.reads, found.writes) == (address, reads, writes)


@pytest.mark.parametrize(
    ("mnemonic", "text", "accesses", "updates"),
    [
        ("ldr", "x0, [x1]", 1, ()),
        ("ldp", "x0, x1, [sp], #16", 2, (ARM_SP,)),
        ("stp", "x0, x1, [sp, #-16]!", 2, (ARM_SP,)),
        ("ldr", "x0, #0x1000", 1, ()),
        ("ldr", "q0, [x1]", 2, ()),
        ("ldr", "q0, #0x1000", 2, ()),
        ("prfm", "pldl1keep, #0x1000", 0, ()),
        ("ldp", "q0, q1, [x1]", 4, ()),
    ],
)
def test_pairs_and_vectors_are_several_accesses_of_the_engine(mnemonic, text, accesses, updates) -> None:
    found = operands(mnemonic, text)
    assert (found.loads, found.updates) == (accesses, updates)


@pytest.mark.parametrize(
    ("text", "cycles"),
    [
        ("mov rax, [rbx + 8]", 4),
        ("mov rax, [rbx + rcx]", 4),
        ("mov rax, [rbx + rcx*8]", 5),  # an index that is multiplied
        ("movsd xmm0, [rbx]", 6),  # a vector register
        ("movsd xmm0, [rbx + rcx*8]", 7),
    ],
)
def test_a_hit_takes_longer_by_a_multiplied_index_and_into_a_vector_register(x86, text, cycles) -> None:
    name = "load_vector" if "xmm" in text else "load"
    (load,) = MicroOps(profiles.load("skylake")).of(("alu", name), x86(text))
    assert load.latency == cycles * ISSUE_UNITS_PER_CYCLE


def test_an_addition_to_memory_is_a_load_an_operation_and_a_store() -> None:
    profile = profiles.load("skylake")
    ops = MicroOps(profile).of(("alu", "load", "store"), Operands((BX,), (AX,), (FLAGS,), loads=1, stores=1))
    assert [op.kind for op in ops] == [LOAD, PLAIN, STORE]
    assert [op.slot for op in ops] == [ISSUE_UNITS_PER_CYCLE // profile.width, 0, 0]
    assert ops[0].destinations == ops[2].sources[1:] == (TEMPORARY,)
    assert ops[0].latency == ISSUE_UNITS_PER_CYCLE * profile.latency.l1
    assert ops[1].sources == (REGISTERS + AX, TEMPORARY)
    assert ops[2].sources[0] == REGISTERS + BX
