# SPDX-License-Identifier: GPL-2.0-or-later
"""What the decoder says of a block: where it ends, what its instructions cost, which branch ends it."""

from __future__ import annotations

import ctypes
from array import array
from dataclasses import dataclass

import pytest

from ringscope.emulator.cpu.x86_64 import decode
from ringscope.emulator.cpu.x86_64.decode import Decoder
from ringscope.emulator.native import library as native
from ringscope.emulator.timing import profile
from ringscope.emulator.timing.cost_table import CostTable
from ringscope.emulator.timing.micro_ops import LAYOUT, OPS_PER_INSN
from ringscope.emulator.timing.native_config import layout
from ringscope.emulator.timing.parameters import ISSUE_UNITS_PER_CYCLE

PROFILE = profile.load("skylake")
MODE_16, MODE_32, MODE_64, SINGLE = 0, 1, 2, 4
COSTS = [name.removeprefix("cost.") for name in layout(native.load()) if name.startswith("cost.")]
NOP, MARK = "90", "0f1f840007005352"
ANSWER_BYTES = decode.OPERATIONS_AT + native.BLOCK_INSNS_MAX * OPS_PER_INSN * LAYOUT.size


@dataclass(frozen=True)
class Block:
    """``struct decoded`` (native/block.h), read back."""

    branch: int
    flags: int
    mark: int
    element: int
    lengths: tuple[int, ...]
    events: tuple[str | None, ...]
    operations: tuple[int, ...]


@pytest.fixture(scope="module")
def decode_block():
    """Decode hex bytes in a mode; ``page`` bytes of them lie on the first page."""
    answer = ctypes.create_string_buffer(ANSWER_BYTES)
    decoder = Decoder(CostTable(PROFILE), ctypes.addressof(answer))

    def run(code: str, mode: int = MODE_64, page: int | None = None, pc: int = 0x1000) -> Block:
        data = bytes.fromhex(code)
        buffer = ctypes.create_string_buffer(data, len(data))
        decoder.decode(pc, ctypes.addressof(buffer), len(data), page or len(data), mode)
        insns, branch, flags, mark, element, *words = array("I", answer.raw[: decode.OPERATIONS_AT])
        words = words[:insns]
        ids = [word >> 8 & 0xFF for word in words]
        events = tuple(None if i == decode.NO_COST else COSTS[i] for i in ids)
        lengths, operations = tuple(word & 0xFF for word in words), tuple(word >> 16 for word in words)
        return Block(branch, flags, mark, element, lengths, events, operations)

    return run


KINDS = {
    "e900000000": decode.DIRECT,
    "eb00": decode.DIRECT,
    "ffe0": decode.INDIRECT,  # jmp rax
    "ff20": decode.INDIRECT,  # jmp [rax]
    "7400": decode.CONDITIONAL,
    "0f8400000000": decode.CONDITIONAL,
    "e2fe": decode.CONDITIONAL,  # loop
    "e3fe": decode.CONDITIONAL,  # jrcxz
    "e800000000": decode.CALL,
    "ffd0": decode.INDIRECT_CALL,
    "c3": decode.RETURN,
    "c20800": decode.RETURN,
    "f2c3": decode.RETURN,  # bnd ret
    "f3c3": decode.RETURN,  # the `rep ret` of old compilers
    "f2e800000000": decode.CALL,  # bnd call
    "3e7400": decode.CONDITIONAL,  # with a hint
    "0f05": decode.NO_BRANCH,  # syscall
    "48cf": decode.NO_BRANCH,  # iretq
    "cd80": decode.NO_BRANCH,
}


@pytest.mark.parametrize("code", KINDS)
def test_a_block_ends_after_a_transfer_of_control_of_its_kind(decode_block, code: str) -> None:
    block = decode_block(NOP + code + NOP)
    assert block.lengths == (1, len(code) // 2)
    assert block.branch == KINDS[code]
    assert block.flags == 0


ENDS = """
    fb fa f4 9d ee ec 0fa2 0f31 0f30 0f32 0f01f8 f390 0f22d8 0f23f8 8ed0 0f0138 0f09 0f01ca 0f0b cc
""".split()


@pytest.mark.parametrize("code", ENDS)
def test_a_block_ends_after_what_must_be_seen_before_the_next_instruction(decode_block, code: str) -> None:
    assert decode_block(NOP + code + NOP).lengths == (1, len(code) // 2)


@pytest.mark.parametrize("code", ["0f20d8", "0f21f8", "8ed8", "9c", "0faef0", "a4"])
def test_a_block_goes_on_after_what_needs_no_such_care(decode_block, code: str) -> None:
    assert decode_block(NOP + code + NOP).lengths == (1, len(code) // 2, 1)


STRINGS = {
    "f3a4": True, "f3a5": True, "f2a4": True, "f2a5": True, "f2ae": True, "f3a6": True, "66f3ab": True,
    "f348ab": True, "f2f3a5": True, "f36c": True, "a4": False, "48a5": False,
    "f20f104000": False,  # movsd xmm0, [rax]: the SSE instruction has the prefix in its opcode
    "f30f1000": False,  # movss
    "f30fb8c0": False,  # popcnt
}  # fmt: skip


@pytest.mark.parametrize("code", STRINGS)
def test_only_a_string_instruction_with_a_prefix_repeats_and_ends_its_block(decode_block, code: str) -> None:
    block = decode_block(NOP + code + NOP)
    assert bool(block.flags & decode.REPEATS) == STRINGS[code]
    assert len(block.lengths) == (2 if STRINGS[code] else 3)
    assert bool(block.element) == STRINGS[code]


@pytest.mark.parametrize("code", ["0f9400", "f00fba280f", "d110", "0fc708", "480fc708"])
def test_what_could_lose_the_flags_begins_a_block_and_says_so(decode_block, code: str) -> None:
    assert decode_block(NOP + code).lengths == (1,)
    block = decode_block(code + NOP)
    assert (block.flags, len(block.lengths)) == (decode.SETTLES_FLAGS, 2)


@pytest.mark.parametrize("code", ["0f94c0", "d1d0", "0fb108", "1108"])
def test_what_cannot_lose_them_does_not(decode_block, code: str) -> None:
    block = decode_block(NOP + code)
    assert (block.flags, len(block.lengths)) == (0, 2)


def test_the_elements_of_a_string_have_their_own_price(decode_block) -> None:
    block = decode_block("f3a4")
    assert (block.operations, block.element) == ((1,), PROFILE.issue["rep_element"])
    assert decode_block("f26f").element == PROFILE.cost["port_out"] * ISSUE_UNITS_PER_CYCLE


def test_a_mark_is_the_first_instruction_of_its_block(decode_block) -> None:
    assert len(decode_block(NOP * 3 + MARK).lengths) == 3
    first = decode_block(MARK + NOP * 2 + MARK)
    assert first.lengths == (8, 1, 1)
    assert first.mark & 0xFFFF == 7
    assert decode_block(NOP).mark == 0


def test_a_compilers_padding_is_no_mark(decode_block) -> None:
    block = decode_block(NOP + "0f1f840000000000" + NOP)
    assert (block.lengths, block.mark) == ((1, 8, 1), 0)


def test_a_block_has_at_most_sixty_four_instructions(decode_block) -> None:
    assert len(decode_block(NOP * 64).lengths) == len(decode_block(NOP * 200).lengths) == 64


def test_in_the_interrupt_shadow_a_block_is_one_instruction(decode_block) -> None:
    assert decode_block(NOP * 4, MODE_64 | SINGLE).lengths == (1,)


CROSSING = "4881c101000000"  # add rcx, 1


def test_an_instruction_that_crosses_the_page_end_is_left_for_a_block_of_its_own(decode_block) -> None:
    assert decode_block(NOP * 2 + CROSSING + NOP, page=5).lengths == (1, 1)
    assert decode_block(CROSSING + NOP, page=3).lengths == (7,)


def test_a_block_ends_where_its_page_does(decode_block) -> None:
    assert decode_block(NOP * 6, page=4).lengths == (1,) * 4


def test_what_is_no_instruction_is_an_empty_block(decode_block) -> None:
    assert decode_block("06", MODE_64).lengths == ()  # push es, which 64-bit mode does not have
    assert decode_block("06", MODE_32).lengths == (1,)
    assert decode_block(NOP + "06", MODE_64).lengths == (1,)


def test_the_mode_decides_how_bytes_are_read(decode_block) -> None:
    code = "b801000000" + "00" * 8
    assert decode_block(code, MODE_16).lengths[0] == 3
    assert decode_block(code, MODE_32).lengths[0] == 5
    assert decode_block("40" + NOP, MODE_32).lengths == (1, 1)  # inc eax
    assert decode_block("40" + NOP, MODE_64).lengths == (2,)  # a prefix


FIXED = {
    "0fa2": "cpuid", "0f31": "rdtsc", "0f01f8": "swapgs", "f4": "hlt", "0faef0": "mfence", "ec": "port_in",
}  # fmt: skip


@pytest.mark.parametrize(("code", "event"), FIXED.items())
def test_an_instruction_of_a_fixed_price_is_charged_with_its_block(
    decode_block, code: str, event: str
) -> None:
    block = decode_block(code)
    assert (block.events, block.operations) == ((event,), (1,))


@pytest.mark.parametrize("code", ["0f05", "0f07", "cd80", "48cf", "0f22d8", "0f34", "660f388208"])
def test_a_crossing_is_charged_when_it_happens_and_not_with_its_block(decode_block, code: str) -> None:
    block = decode_block(code)
    assert (block.events, block.operations) == ((None,), (1,))
