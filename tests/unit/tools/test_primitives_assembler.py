# SPDX-License-Identifier: GPL-2.0-or-later
"""The assembler of the microbenchmarks refuses what keystone gets wrong."""

from __future__ import annotations

import pytest

from ringscope.emulator.native import library as native
from ringscope.emulator.native.library import MarkArchitecture
from ringscope.tools.primitives.assembler import AssemblyError, assemble


@pytest.mark.parametrize(
    ("arch", "architecture"),
    [("x86_64", MarkArchitecture.X86), ("aarch64", MarkArchitecture.AARCH64)],
)
@pytest.mark.parametrize(("kind", "base"), [("begin", 0), ("end", 0x1000)])
@pytest.mark.parametrize("number", [0, 7, 4095])
def test_a_mark_is_one_that_the_machine_knows(arch, architecture, kind, base, number) -> None:
    code = assemble(arch, f"{kind} {number}", 0x1000)
    assert native.load().mark_at(code, len(code), architecture) & 0xFFFF == base | number


def test_what_keystone_does_not_know_is_written_as_bytes() -> None:
    assert assemble("x86_64", "nop; sysretq", 0) == b"\x90\x48\x0f\x07"


@pytest.mark.parametrize(
    ("source", "found"),
    [("jz next; next: nop", "jz was assembled as je"), ("mov rax, 0x123456789", "movabs")],
)
def test_an_instruction_of_another_name_than_the_one_written_is_refused(source, found) -> None:
    with pytest.raises(AssemblyError, match=found):
        assemble("x86_64", source, 0)


def test_an_absolute_address_is_refused_in_64_bits_where_it_would_become_a_distance() -> None:
    with pytest.raises(AssemblyError, match="put it into a register"):
        assemble("x86_64", "lgdt [32768]", 0)
    assert assemble("x86_64", "mov eax, [32768]", 0, 32) == b"\xa1\x00\x80\x00\x00"


def test_what_is_no_instruction_is_refused_with_the_source() -> None:
    with pytest.raises(AssemblyError, match=r"^fence"):
        assemble("x86_64", "fence", 0)


def test_labels_belong_to_the_snippet() -> None:
    assert assemble("x86_64", "again: dec ecx; jne again", 0x5000) == b"\xff\xc9\x75\xfc"
