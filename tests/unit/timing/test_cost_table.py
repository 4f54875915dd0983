# SPDX-License-Identifier: GPL-2.0-or-later
"""What single instructions cost, from the bytes up: assembled, disassembled by capstone, priced."""

from __future__ import annotations

import capstone
import keystone
import pytest

from ringscope.emulator.timing.cost_table import CostTable, InstructionCost
from ringscope.emulator.timing.parameters import ISSUE_UNITS_PER_CYCLE, ProfileError
from ringscope.emulator.timing.profile import load


@pytest.fixture(scope="module")
def table() -> CostTable:
    return CostTable(load("skylake"))


@pytest.fixture(scope="module")
def cost(table):
    """The cost of one instruction given in assembly."""
    assembler = keystone.Ks(keystone.KS_ARCH_X86, keystone.KS_MODE_64)
    disassembler = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)

    def of(text: str) -> InstructionCost:
        code = bytes(assembler.asm(text)[0])
        ((_, size, mnemonic, operands),) = disassembler.disasm_lite(code, 0)
        assert size == len(code)
        return table.cost(mnemonic, operands)

    return of


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        ("mov eax, ebx", "alu"),
        ("add rax, 5", "alu"),
        ("cmovne eax, ebx", "alu"),
        ("lea rax, [rbx + rcx*4]", "lea"),
        ("nop dword ptr [rax]", "nop"),
        ("mov eax, [rbx]", "load"),
        ("add eax, [rbx]", "load"),
        ("cmp dword ptr [rbx], 7", "load"),
        ("mov [rbx], eax", "store"),
        ("add [rbx], eax", "store"),
        ("push rax", "store"),
        ("pop rax", "load"),
        ("call rax", "store"),
        ("ret", "load"),
        ("je 0x40", "branch"),
        ("jmp [rax]", "load"),
        ("imul rax, rbx", "mul"),
        ("div ecx", "div32"),
        ("div r9d", "div32"),
        ("div rcx", "div64"),
        ("idiv qword ptr [rcx]", "div64"),
        ("lock add dword ptr [rbx], 1", "locked"),
        ("xchg [rbx], eax", "locked"),
        ("xchg ebx, eax", "alu"),
        ("paddd xmm0, xmm1", "sse_int"),
        ("addsd xmm0, xmm1", "sse_fp"),
        ("cmpltsd xmm0, xmm1", "sse_fp"),
        ("pmuludq xmm0, xmm1", "sse_mul"),
        ("punpckldq xmm0, xmm1", "sse_shuffle"),
        ("movd xmm0, eax", "sse_move"),
        ("movq rax, xmm0", "sse_move"),
        ("movq xmm0, xmm1", "sse_int"),
        ("pmovmskb eax, xmm0", "sse_move"),
        ("ucomisd xmm0, xmm1", "sse_move"),
        ("cvtsi2sd xmm0, rax", "sse_convert"),
        ("cvttsd2si eax, xmm0", "sse_convert"),
        ("cvtdq2pd xmm0, xmm1", "sse_fp"),
        ("movd xmm0, [rax]", "load_vector"),
        ("divsd xmm0, xmm1", "sse_div"),
        ("movsd xmm0, [rax]", "load_vector"),
        ("mulsd xmm0, [rax]", "load_vector"),
        ("movsd [rax], xmm0", "store"),
        ("movaps [rax], xmm0", "store"),
        ("fld qword ptr [rax]", "x87"),
        ("movsb", "string"),
        ("ud2", "other"),
    ],
)
def test_an_instruction_has_the_ports_of_its_class_and_of_its_accesses(cost, table, text, needs) -> None:
    issue = table.profile.issue
    assert needs in cost(text).needs
    assert issue[needs] == max(issue[name] for name in cost(text).needs)
    assert cost(text)[1:] == (None, 0)


@pytest.mark.parametrize("text", ["rep movsb", "rep stosq", "repne scasb", "repe cmpsb", "rep lodsb"])
def test_a_repeated_string_instruction_has_a_start_and_a_price_per_element(cost, table, text) -> None:
    issue = table.profile.issue
    assert cost(text) == InstructionCost(("rep_string",), None, issue["rep_element"])


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ("syscall", "syscall"),
        ("swapgs", "swapgs"),
        ("sysexit", "sysexit"),
        ("int 0x80", "int_gate"),
        ("int3", "int_gate"),
        ("iretq", "iret"),
        ("mov cr3, rax", "mov_cr3"),
        ("mov cr0, rax", "mov_cr"),
        ("mov dr7, rax", "mov_dr"),
        ("mov ds, eax", "segment_load"),
        ("pop fs", "segment_load"),
        ("invlpg [rax]", "invlpg"),
        ("lgdt [rax]", "descriptor_table"),
        ("ltr ax", "descriptor_table"),
        ("wrmsr", "wrmsr"),
        ("in al, dx", "port_in"),
        ("out 0x80, al", "port_out"),
        ("fxsave [rax]", "fxsave"),
        ("fxrstor [rax]", "fxrstor"),
        ("popfq", "cli_sti"),
        ("pause", "pause"),
        ("rdtscp", "rdtsc"),
        ("hlt", "hlt"),
    ],
)
def test_an_instruction_of_fixed_price_is_an_event_without_issue_cost(cost, text, event) -> None:
    assert cost(text) == InstructionCost((), event, 0)


@pytest.mark.parametrize("text", ["mov rax, cr3", "mov rax, dr7", "mov eax, ds", "push fs"])
def test_reading_a_special_register_is_no_event(cost, text) -> None:
    assert cost(text).event is None


def test_a_repeated_port_instruction_pays_the_port_for_every_element(cost, table) -> None:
    assert cost("rep insb") == InstructionCost(
        (), "port_in", ISSUE_UNITS_PER_CYCLE * table.profile.cost["port_in"]
    )


def test_an_architecture_without_a_table_is_refused() -> None:
    profile = load("skylake")
    object.__setattr__(profile, "arch", "z80")  # frozen against accidents, not against tests
    with pytest.raises(ProfileError, match="z80: there is no table of instruction classes"):
        CostTable(profile)
