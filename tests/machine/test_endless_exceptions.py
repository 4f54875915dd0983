# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest whose exceptions lead to exceptions alone takes time, can be stepped, and ends at its limit."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from ringscope.emulator.native.library import Stop
from tests.machine import arm_snippets, snippets
from tests.machine.arm_snippets import SAME_SYNC

if TYPE_CHECKING:
    from tests.machine.arm_rig import ArmRig
    from tests.machine.processor import Processor
    from tests.machine.rig import Rig

UNMAPPED = 0x4000_0000
UNDEFINED, PAGE_FAULT = 6, 14
UNDEFINED_ARM = 1
#: A handler at EL1 that cannot be fetched ends the run: test_crashes.py.
CASES = [("x86_64", "undefined"), ("x86_64", "unmapped"), ("aarch64", "undefined")]


def with_a_stack_of_its_own(rig: Rig, vector: int, handler: int) -> None:
    """Else the frames would fill memory, and the third fault end it."""
    rig.write(snippets.TSS + 36, struct.pack("<Q", snippets.KERNEL_STACK - 0x1000))
    gate = bytearray(snippets.gate(handler))
    gate[4] = 1
    rig.write(snippets.IDT + 16 * vector, bytes(gate))


def prepare_x86(rig: Rig, name: str) -> tuple[int, int]:
    if name == "undefined":
        handler = snippets.HANDLERS + 0x40 * UNDEFINED
        with_a_stack_of_its_own(rig, UNDEFINED, handler)
        rig.handler(UNDEFINED, "ud2")
        rig.place(snippets.CODE, "nop; ud2")
        return UNDEFINED, handler
    with_a_stack_of_its_own(rig, PAGE_FAULT, UNMAPPED)
    rig.place(snippets.CODE, f"nop; mov eax, [{UNMAPPED}]")
    return PAGE_FAULT, UNMAPPED


def prepare_arm(arm: ArmRig) -> tuple[int, int]:
    arm.handler(SAME_SYNC, ".word 0")
    arm.place(arm_snippets.CODE, "nop; .word 0")
    return UNDEFINED_ARM, arm_snippets.VECTORS + SAME_SYNC


def prepare(processor: Processor, arch: str, name: str) -> tuple[int, int]:
    """Return the exception that is raised for ever and the handler that raises it."""
    found = prepare_x86(processor, name) if arch == "x86_64" else prepare_arm(processor)
    processor.begin()
    return found


@pytest.mark.parametrize("timing", [True, False], ids=["timing", "functional"])
@pytest.mark.parametrize(("arch", "name"), CASES)
def test_it_ends_when_its_time_has_come(make, arch: str, name: str, timing: bool) -> None:
    processor = make(arch, timing=timing)
    exception, handler = prepare(processor, arch, name)
    until = processor.engine.time + 100_000
    assert processor.engine.run(until) is Stop.TIME
    assert processor.pc == handler
    assert until <= processor.engine.time < until + 1000
    assert processor.exceptions()[exception] > 100


@pytest.mark.parametrize("timing", [True, False], ids=["timing", "functional"])
@pytest.mark.parametrize(("arch", "name"), CASES)
def test_each_exception_is_a_step(make, arch: str, name: str, timing: bool) -> None:
    processor = make(arch, timing=timing)
    exception, handler = prepare(processor, arch, name)
    processor.steps_to(handler, most=10)
    before = processor.exceptions()[exception]
    for _ in range(5):
        assert processor.engine.run(steps=1) is Stop.STEPS
        assert processor.pc == handler
    assert processor.exceptions()[exception] == before + 5


@pytest.mark.parametrize(("arch", "name"), CASES)
def test_whoever_waits_for_its_end_is_heard(make, arch: str, name: str) -> None:
    processor = make(arch, timing=False)
    prepare(processor, arch, name)
    processor.engine.run(processor.engine.time + 1000)
    processor.engine.stop()
    assert processor.engine.run() is Stop.REQUEST


@pytest.mark.parametrize(("arch", "name"), CASES)
def test_it_counts_the_same_in_slices(make, arch: str, name: str) -> None:
    seen = []
    for slices in (1, 10):  # longer than any exception
        processor = make(arch)
        prepare(processor, arch, name)
        begin = processor.engine.time
        for part in range(1, slices + 1):
            assert processor.engine.run(begin + 20_000 * part // slices) is Stop.TIME
        seen.append((processor.engine.time, processor.books(), processor.exceptions()))
    assert seen[0] == seen[1]
