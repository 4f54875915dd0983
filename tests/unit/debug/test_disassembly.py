# SPDX-License-Identifier: GPL-2.0-or-later
"""Instructions in words and back, on encodings taken from the manuals."""

from __future__ import annotations

import pytest

from ringscope.emulator.debug.disassembly import AssemblyError, assemble, instructions

AT = 0x1000


def texts(arch, bits, code):
    return [each.text for each in instructions(arch, bits, code, AT)]


@pytest.mark.parametrize(
    ("arch", "bits", "code", "text"),
    [
        ("x86_64", 64, "4889e5", "mov rbp, rsp"),
        ("x86_64", 32, "89e5", "mov ebp, esp"),
        ("x86_64", 16, "89e5", "mov bp, sp"),
        ("aarch64", 64, "e00301aa", "mov x0, x1"),
    ],
)
def test_code_is_told_in_the_mode_that_it_is_for(arch, bits, code, text):
    assert texts(arch, bits, bytes.fromhex(code)) == [text]


def test_what_is_no_instruction_is_told_as_bytes_and_what_follows_is_not_lost():
    assert texts("x86_64", 64, bytes.fromhex("06 90")) == [".byte 0x6", "nop"]  # push es is gone in 64 bits
    assert texts("aarch64", 64, bytes.fromhex("00000000 1f2003d5"))[1] == "nop"


@pytest.mark.parametrize(
    ("arch", "code", "is_call", "target"),
    [
        ("x86_64", "e8fb0f0000", True, 0x2000),  # call: 0x1005 + 0xffb
        ("x86_64", "ebfe", False, 0x1000),
        ("x86_64", "ffd0", True, None),  # call rax
        ("x86_64", "90", False, None),
        ("aarch64", "00040094", True, 0x2000),  # bl: 0x1000 + 4 * 0x400
        ("aarch64", "00003fd6", True, None),  # blr x0
    ],
)
def test_calls_and_where_branches_lead_are_known(arch, code, is_call, target):
    (found,) = instructions(arch, 64, bytes.fromhex(code), AT)
    assert (found.is_call, found.target) == (is_call, target)


@pytest.mark.parametrize(
    ("arch", "bits", "text", "code"),
    [
        ("x86_64", 64, "mov rbp, rsp", "4889e5"),
        ("x86_64", 32, "nop; nop", "9090"),
        ("x86_64", 64, "jmp 0x1000", "ebfe"),
        ("aarch64", 64, "b #0x1000", "00000014"),
    ],
)
def test_instructions_are_assembled_for_their_place(arch, bits, text, code):
    assert assemble(arch, bits, text, AT).hex() == code


@pytest.mark.parametrize("text", ["frobnicate", "mov rax", "", ";"])
def test_what_is_no_instruction_is_not_assembled(text):
    with pytest.raises(AssemblyError, match=r"cannot be assembled|holds no instruction"):
        assemble("x86_64", 64, text, AT)
