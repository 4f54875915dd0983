# SPDX-License-Identifier: GPL-2.0-or-later
"""What the decoder says of an AArch64 block: where it ends, what it costs, which branch ends it."""

from __future__ import annotations

import ctypes
from array import array
from dataclasses import dataclass

import keystone
import pytest

from ringscope.emulator.cpu.aarch64 import decode
from ringscope.emulator.cpu.aarch64.decode import Decoder
from ringscope.emulator.native import library as native
from ringscope.emulator.timing import profile
from ringscope.emulator.timing.cost_table import CostTable
from ringscope.emulator.timing.micro_ops import LAYOUT, OPS_PER_INSN
from ringscope.emulator.timing.native_config import layout

PROFILE = profile.load("cortex-a57")
SINGLE = 4
COSTS = [name.removeprefix("cost.") for name in layout(native.load()) if name.startswith("cost.")]
MARK = 0x92E0001F  # of number 0
UNDEFINED = 0x02000000  # no instruction
UDF = 0x00000000
ANSWER_BYTES = decode.OPERATIONS_AT + native.BLOCK_INSNS_MAX * OPS_PER_INSN * LAYOUT.size


@dataclass(frozen=True)
class Block:
    """``struct decoded`` (native/block.h), read back."""

    insns: int
    branch: int
    flags: int
    mark: int
    element: int
    events: tuple[str | None, ...]
    operations: tuple[int, ...]


@pytest.fixture(scope="module")
def assemble():
    """The bytes of instructions, each given in assembly or as a word."""
    assembler = keystone.Ks(keystone.KS_ARCH_ARM64, keystone.KS_MODE_LITTLE_ENDIAN)

    def of(*code: str | int) -> bytes:
        words = [
            word.to_bytes(4, "little") if isinstance(word, int) else bytes(assembler.asm(word)[0])
            for word in code
        ]
        assert all(len(word) == 4 for word in words)
        return b"".join(words)

    return of


@pytest.fixture(scope="module")
def decode_block(assemble):
    """Decode instructions; the first ``page`` bytes of them lie on the first page."""
    answer = ctypes.create_string_buffer(ANSWER_BYTES)
    decoder = Decoder(CostTable(PROFILE), ctypes.addressof(answer))

    def run(*code: str | int, mode: int = 0, page: int | None = None, pc: int = 0x1000) -> Block:
        data = assemble(*code)
        buffer = ctypes.create_string_buffer(data, len(data))
        decoder.decode(pc, ctypes.addressof(buffer), len(data), page or len(data), mode)
        insns, branch, flags, mark, element, *words = array("I", answer.raw[: decode.OPERATIONS_AT])
        words = words[:insns]
        assert all(word & 0xFF == 4 for word in words)
        ids = [word >> 8 & 0xFF for word in words]
        events = tuple(None if i == decode.NO_COST else COSTS[i] for i in ids)
        return Block(insns, branch, flags, mark, element, events, tuple(word >> 16 for word in words))

    return run


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("b #0x2000", decode.DIRECT),
        ("b.ne #0x2000", decode.CONDITIONAL),
        ("cbz x0, #0x2000", decode.CONDITIONAL),
        ("cbnz w0, #0x2000", decode.CONDITIONAL),
        ("tbz w0, #3, #0x2000", decode.CONDITIONAL),
        ("tbnz x0, #40, #0x2000", decode.CONDITIONAL),
        ("bl #0x2000", decode.CALL),
        ("br x3", decode.INDIRECT),
        ("blr x3", decode.INDIRECT_CALL),
        ("ret", decode.RETURN),
        ("ret x3", decode.RETURN),
        ("svc #0", decode.NO_BRANCH),
        ("eret", decode.NO_BRANCH),
    ],
)
def test_a_block_ends_after_a_transfer_of_control_of_its_kind(decode_block, code, kind) -> None:
    block = decode_block("nop", code, "nop")
    assert (block.insns, block.branch, block.flags, block.element) == (2, kind, 0, 0)


@pytest.mark.parametrize(
    "code",
    [
        *("hvc #0", "smc #0", "brk #1", "hlt #1", UDF, "wfi", "wfe", "isb"),
        *("msr daifset, #2", "msr daif, x0", "msr spsel, #1", "msr ttbr0_el1, x0", "msr ttbr1_el1, x0"),
        *(
            "msr sctlr_el1, x0",
            "msr tcr_el1, x0",
            "msr mair_el1, x0",
            "msr vbar_el1, x0",
            "msr cpacr_el1, x0",
        ),
        *("msr cntv_ctl_el0, x0", "msr cntp_cval_el0, x0", "msr cntkctl_el1, x0", "msr contextidr_el1, x0"),
        *("mrs x0, cntvct_el0", "mrs x0, cntpct_el0", "mrs x0, cntv_ctl_el0", "mrs x0, pmccntr_el0"),
        *("tlbi vmalle1", "tlbi vae1is, x0", "ic iallu", "ic ivau, x0", "dc civac, x0", "dc cvau, x0"),
        0xD51FF000,  # msr s3_7_c15_c0_0, x0: whatever that is
    ],
)
def test_a_block_ends_where_what_follows_must_see_the_effect(decode_block, code) -> None:
    block = decode_block("nop", code, "nop")
    assert (block.insns, block.branch) == (2, decode.NO_BRANCH)


@pytest.mark.parametrize(
    "code",
    [
        *("nop", "yield", "sev", "dsb sy", "dmb ish", "dc zva, x0", "prfm pldl1keep, [x0]", "clrex"),
        *("ldxr x0, [x1]", "stlxr w2, x0, [x1]", "ldar x0, [x1]", "stlr x0, [x1]", "at s1e1r, x0"),
        *("msr tpidr_el0, x0", "msr sp_el0, x0", "msr elr_el1, x0", "msr spsr_el1, x0", "msr nzcv, x0"),
        *("mrs x0, esr_el1", "mrs x0, far_el1", "mrs x0, cntfrq_el0", "mrs x0, tpidr_el0", "mrs x0, daif"),
    ],
)
def test_nothing_else_ends_a_block(decode_block, code) -> None:
    assert decode_block("nop", code, "nop").insns == 3


def test_a_block_has_at_most_so_many_instructions(decode_block) -> None:
    assert decode_block(*["nop"] * 70).insns == native.BLOCK_INSNS_MAX


def test_a_block_ends_with_its_page(decode_block) -> None:
    assert decode_block(*["nop"] * 5, page=8).insns == 2


def test_a_single_step_is_a_block_of_one_instruction(decode_block) -> None:
    assert decode_block("nop", "nop", mode=SINGLE).insns == 1


def test_a_mark_is_always_the_first_instruction_of_its_block(decode_block) -> None:
    assert decode_block("nop", "nop", MARK | 7 << 5, "nop").insns == 2
    block = decode_block(MARK | 0x2001 << 5, "nop", MARK | 7 << 5)
    assert (block.insns, block.mark) == (2, 0x52532001)


@pytest.mark.parametrize("code", ["mov x0, xzr", "cmp xzr, x1", 0xD2E0001F | 7 << 5, 0x92E00000 | 7 << 5])
def test_what_is_no_mark_ends_no_block(decode_block, code) -> None:
    block = decode_block("nop", code, "nop")
    assert (block.insns, block.mark) == (3, 0)


def test_a_block_ends_before_what_is_no_instruction(decode_block) -> None:
    assert decode_block("nop", UNDEFINED, "nop").insns == 1
    assert decode_block(UNDEFINED).insns == 0


def test_instructions_carry_their_operations_and_their_fixed_price(decode_block) -> None:
    block = decode_block("add x0, x1, x2", "dc zva, x0", "dsb sy", "ldr x0, [x1]", "isb")
    assert block.events == (None, "dc_zva", "dsb", None, "isb")
    assert block.operations == (1, 1, 1, 1, 1)


@pytest.mark.parametrize("code", ["svc #0", "hvc #0", "smc #0", "eret", "brk #1", "msr ttbr0_el1, x0"])
def test_what_the_core_charges_when_it_happens_costs_nothing_with_the_block(decode_block, code) -> None:
    block = decode_block(code)
    assert (block.events, block.operations) == ((None,), (1,))
