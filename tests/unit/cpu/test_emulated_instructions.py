# SPDX-License-Identifier: GPL-2.0-or-later
"""What the engine leaves to Python: INVPCID, and telling a stack fault from a protection fault."""

from __future__ import annotations

import struct

import pytest

from ringscope.emulator.cpu.x86_64.invpcid import Invpcid, recognise
from ringscope.emulator.cpu.x86_64.stack_fault import is_canonical, is_stack_fault

HIGH = 0xFFFF_8000_0000_0000
NOT_CANONICAL = 0x8000_0000_1000


@pytest.mark.parametrize("address", [0, 0x7FFF_FFFF_FFFF, HIGH, (1 << 64) - 1, -1])
def test_an_address_is_canonical_when_its_upper_bits_are_equal(address: int) -> None:
    assert is_canonical(address)


@pytest.mark.parametrize("address", [NOT_CANONICAL, HIGH - 1, 1 << 63])
def test_an_address_is_not_canonical_when_they_differ(address: int) -> None:
    assert not is_canonical(address)


def registers(**values: int):
    return lambda name: values.get(name, 0)


#: Code, registers that are not canonical, whether it is the stack segment's fault.
STACK_CASES = [
    ("50", "rsp", True),  # push rax
    ("58", "rsp", True),  # pop rax
    ("c3", "rsp", True),
    ("48cf", "rsp", True),  # iretq
    ("e800000000", "rsp", True),
    ("c9", "rbp", True),  # leave
    ("488b0424", "rsp", True),  # mov rax, [rsp]
    ("488b4500", "rbp", True),  # mov rax, [rbp]
    ("488b00", "rax", False),  # mov rax, [rax]
    ("ff30", "rax", False),  # push [rax]: its operand is in the data segment
    ("ff3424", "rsp", True),
    ("64488b0424", "rsp", False),  # mov rax, fs:[rsp]
    ("4889c8", "rax", False),
]


@pytest.mark.parametrize(("code", "register", "expected"), STACK_CASES)
def test_a_non_canonical_address_through_the_stack_segment_is_a_stack_fault(
    code: str, register: str, expected: bool
) -> None:
    values = registers(**{"rsp": 0x7000, "rbp": 0x7000, register: NOT_CANONICAL})
    assert is_stack_fault(bytes.fromhex(code), values) == expected


def test_a_push_just_above_the_hole_reaches_into_it() -> None:
    assert is_stack_fault(b"\x50", registers(rsp=HIGH))
    assert not is_stack_fault(b"\x50", registers(rsp=HIGH + 8))


def test_an_index_can_lead_out_of_the_canonical_space() -> None:
    code = bytes.fromhex("488b04cc")  # mov rax, [rsp + rcx*8]
    assert is_stack_fault(code, registers(rsp=0x7000, rcx=1 << 44))
    assert not is_stack_fault(code, registers(rsp=0x7000, rcx=1))


def test_what_is_no_instruction_is_no_stack_fault() -> None:
    assert not is_stack_fault(b"\x06", registers(rsp=NOT_CANONICAL))


def descriptor(pcid: int, vaddr: int):
    asked = []

    def read(address: int, length: int) -> bytes:
        asked.append((address, length))
        return struct.pack("<QQ", pcid, vaddr)

    return asked, read


@pytest.mark.parametrize(
    ("code", "address"),
    [
        ("660f388208", 0x5000),  # invpcid rcx, [rax]
        ("660f38824810", 0x5010),
        ("660f38824c9820", 0x5000 + 3 * 4 + 0x20),  # [rax + rbx*4 + 0x20]
        ("660f38820d00010000", 0x1000 + 9 + 0x100),  # [rip + 0x100]
        ("65660f388208", 0x5000 + 0x90_0000),  # gs:[rax]
    ],
)
def test_invpcid_is_recognised_with_its_operands(code: str, address: int) -> None:
    asked, read = descriptor(0x123, 0x40_0000)
    values = registers(rax=0x5000, rbx=3, rcx=1, rip=0x1000, gs_base=0x90_0000)
    data = bytes.fromhex(code)
    assert recognise(data.ljust(15, b"\x90"), 64, values, read) == Invpcid(len(data), 1, 0x123, 0x40_0000)
    assert asked == [(address, 16)]


@pytest.mark.parametrize("code", ["0f0b", "660f388008", "90660f388208", "0f388208"])
def test_anything_else_is_not_invpcid(code: str) -> None:
    _, read = descriptor(0, 0)
    assert recognise(bytes.fromhex(code).ljust(15, b"\x90"), 64, registers(), read) is None


@pytest.mark.parametrize(
    ("kind", "pcid", "vaddr", "valid"),
    [
        (0, 0xFFF, 0x1000, True),
        (3, 0, 0, True),
        (4, 0, 0, False),
        (1, 0x1000, 0, False),
        (0, 0, NOT_CANONICAL, False),
        (1, 0, NOT_CANONICAL, True),
    ],
)
def test_invpcid_faults_on_operands_it_does_not_take(kind: int, pcid: int, vaddr: int, valid: bool) -> None:
    assert Invpcid(5, kind, pcid, vaddr).is_valid == valid
