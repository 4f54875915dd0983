# SPDX-License-Identifier: GPL-2.0-or-later
"""Instructions disassembled a few at a time are those that are disassembled all at once."""

from __future__ import annotations

import itertools

import capstone
import pytest

from ringscope.emulator.cpu.instructions import FEW, disassemble

NOP, JUMP, BAD = b"\x90", b"\xe9\x01\x02\x03\x00", b"\x06"  # the last one pushes ES, in 32 bits
ADDRESS = 0x7000


@pytest.fixture
def engine():
    return capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)


@pytest.mark.parametrize("limit", [1, FEW - 1, FEW, FEW + 1, 3 * FEW + 2, 1000])
@pytest.mark.parametrize("count", [1, FEW, FEW + 1, 40])
def test_they_are_the_same_instructions_up_to_the_limit(engine, count, limit):
    code = (NOP + JUMP) * count  # of which the target depends on the address
    assert list(disassemble(engine, code, ADDRESS, limit)) == list(engine.disasm_lite(code, ADDRESS, limit))


@pytest.mark.parametrize("before", [0, 3, FEW, 2 * FEW + 1])
def test_they_end_before_what_is_no_instruction(engine, before):
    code = NOP * before + BAD + NOP * 50
    assert len(list(disassemble(engine, code, ADDRESS, 64))) == before


def test_no_more_are_asked_for_than_are_looked_at(engine, monkeypatch):
    asked = []
    lite = engine.disasm_lite

    def watched(code, address, count):
        asked.append(count)
        return lite(code, address, count)

    monkeypatch.setattr(engine, "disasm_lite", watched)
    assert len(list(itertools.islice(disassemble(engine, NOP * 64, ADDRESS, 64), FEW))) == FEW
    assert asked == [FEW]
