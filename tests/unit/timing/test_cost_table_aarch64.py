# SPDX-License-Identifier: GPL-2.0-or-later
"""What single AArch64 instructions cost, from the bytes up: assembled, disassembled by capstone, priced."""

from __future__ import annotations

import capstone
import keystone
import pytest

from ringscope.emulator.timing.cost_table import CostTable, InstructionCost
from ringscope.emulator.timing.parameters import ISSUE_UNITS_PER_CYCLE
from ringscope.emulator.timing.profile import load

CORES = ("cortex-a53", "cortex-a57", "cortex-a72")


@pytest.fixture(scope="module", params=CORES)
def table(request) -> CostTable:
    return CostTable(load(request.param))


@pytest.fixture(scope="module")
def disassemble():
    """Capstone's mnemonic and operands of one instruction given in assembly, or as a word."""
    assembler = keystone.Ks(keystone.KS_ARCH_ARM64, keystone.KS_MODE_LITTLE_ENDIAN)
    disassembler = capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM)

    def of(text: str | int) -> tuple[str, str]:
        code = text.to_bytes(4, "little") if isinstance(text, int) else bytes(assembler.asm(text)[0])
        ((_, size, mnemonic, operands),) = disassembler.disasm_lite(code, 0)
        assert size == len(code) == 4
        return mnemonic, operands

    return of


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        ("mov x0, x1", "alu"),
        ("movz x0, #5", "alu"),
        ("add x0, x1, #1", "alu"),
        ("add x0, x1, x2", "alu"),
        ("add x0, x1, x2, lsl #3", "alu_shifted"),
        ("add x0, x1, w2, uxtw", "alu_shifted"),
        ("lsl x0, x1, #3", "alu"),
        ("csel x0, x1, x2, eq", "alu"),
        ("adrp x0, #0x1000", "alu"),
        ("ubfx x0, x1, #3, #4", "alu"),
        ("bfi x0, x1, #3, #4", "bit_field"),
        ("nop", "nop"),
        ("prfm pldl1keep, [x0]", "nop"),
        ("b #0x40", "branch"),
        ("b.eq #0x40", "branch"),
        ("bl #0x40", "branch"),
        ("blr x3", "branch"),
        ("ret", "branch"),
        ("cbz x0, #0x40", "branch"),
        ("tbnz w0, #3, #0x40", "branch"),
        ("mul w0, w1, w2", "mul32"),
        ("madd x0, x1, x2, x3", "mul64"),
        ("umull x0, w1, w2", "mul32"),
        ("umulh x0, x1, x2", "mul_high"),
        ("udiv w0, w1, w2", "div32"),
        ("sdiv x0, x1, x2", "div64"),
        ("ldr x0, [x1, #8]", "load"),
        ("ldr x0, [x1, x2, lsl #3]", "load"),
        ("ldrb w0, [x1], #1", "load"),
        ("ldrsw x0, [x1]", "load"),
        ("ldp x0, x1, [sp], #16", "load_pair"),
        ("str x0, [x1]", "store"),
        ("strh w0, [x1]", "store"),
        ("stp x29, x30, [sp, #-16]!", "store_pair"),
        ("ldr d0, [x1]", "load"),
        ("str d0, [x1]", "store"),
        ("str q0, [x1]", "store_vector"),
        ("ldp q0, q1, [x2]", "load_vector"),
        ("stp q0, q1, [x2]", "store_vector"),
        ("ld1 {v0.16b}, [x0]", "load_vector"),
        ("ldxr x0, [x1]", "exclusive"),
        ("stlxr w2, x0, [x1]", "exclusive"),
        ("ldar x0, [x1]", "exclusive"),
        ("add v0.4s, v1.4s, v2.4s", "simd"),
        ("mul v0.4s, v1.4s, v2.4s", "simd"),
        ("movi v0.2d, #0", "simd"),
        ("mov v0.16b, v1.16b", "simd"),
        ("fadd d0, d1, d2", "fp"),
        ("fmov d0, x0", "fp"),
        ("fdiv d0, d1, d2", "fp_div"),
        ("mrs x0, esr_el1", "special"),
        ("msr tpidr_el0, x0", "special"),
        ("msr elr_el1, x0", "special"),
        (0x00000000, "other"),  # udf
    ],
)
def test_an_instruction_costs_what_its_class_does(table, disassemble, text, needs) -> None:
    assert table.classify(*disassemble(text)) == needs
    assert table.cost(*disassemble(text)) == InstructionCost((needs,), None, 0)


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ("svc #0", "svc"),
        ("hvc #0", "firmware_call"),
        ("smc #0", "firmware_call"),
        ("eret", "eret"),
        ("brk #1", "exception"),
        ("msr ttbr0_el1, x0", "ttbr_write"),
        ("msr ttbr1_el1, x0", "ttbr_write"),
        ("msr sctlr_el1, x0", "system_write"),
        ("msr vbar_el1, x0", "system_write"),
        ("msr cntv_ctl_el0, x0", "system_write"),
        ("msr daifset, #2", "pstate_write"),
        ("msr spsel, #1", "pstate_write"),
        ("mrs x0, cntvct_el0", "counter_read"),
        ("tlbi vmalle1", "tlbi"),
        ("tlbi vae1, x0", "tlbi"),
        ("at s1e1r, x0", "address_translation"),
        ("dc zva, x0", "dc_zva"),
        ("dc civac, x0", "cache_line"),
        ("ic iallu", "cache_line"),
        ("isb", "isb"),
        ("dsb sy", "dsb"),
        ("dsb ish", "dsb"),
        ("dmb ish", "dmb"),
        ("wfi", "wait"),
        ("wfe", "wait"),
    ],
)
def test_an_instruction_of_fixed_price_is_an_event_without_issue_cost(
    table, disassemble, text, event
) -> None:
    assert table.classify(*disassemble(text)) == event
    assert table.cost(*disassemble(text)) == InstructionCost((), event, 0)


def test_reading_a_system_register_is_no_event(table, disassemble) -> None:
    assert table.cost(*disassemble("mrs x0, sctlr_el1")).event is None


@pytest.mark.parametrize("name", CORES)
def test_nothing_issues_faster_than_the_core_is_wide(name) -> None:
    profile = load(name)
    assert all(units * profile.width >= ISSUE_UNITS_PER_CYCLE for units in profile.issue.values())
