# SPDX-License-Identifier: GPL-2.0-or-later
"""An AArch64 guest whose exceptions find no handler has crashed, and is told where and why."""

from __future__ import annotations

import json
import struct

import pytest

from ringscope.bootimage import arm64_header
from ringscope.emulator.native.library import Stop
from tests.machine import arm_snippets
from tests.machine.arm_rig import BACK
from tests.machine.command_line import ringscope

CRASHED = 126
BASE = 0x4020_0000  # where QEMU's virt puts an Image without an offset of its own
CODE = BASE + arm64_header.HEADER.size
UNDEFINED, BRANCH_TO_X1 = 0x0000_0000, 0xD61F_0020
MOVZ_X1_DEA_16, MOVZ_X1_DEAD_32 = 0xD2A1_BD41, 0xD2DB_D5A1  # movz x1, #0xdea, lsl #16, and #0xdead, lsl #32
#: What the kernel executes, and what is said of the exception.
CRASHES = {
    "undefined": ((UNDEFINED,), f"undefined instruction at {CODE:#x}"),
    "no memory": ((MOVZ_X1_DEA_16, BRANCH_TO_X1), "instruction abort (external abort) at 0xdea0000"),
    "no address": (
        (MOVZ_X1_DEAD_32, BRANCH_TO_X1),
        "instruction abort (address size fault, level 0) for 0xdead00000000 at 0xdead00000000",
    ),
}


@pytest.fixture
def kernel(tmp_path):
    """A function that writes a kernel of a few instructions and returns its file."""

    def write(*code):
        header = arm64_header.build(0x1400_0010, 0, 0x1000, 0)  # b, over the header
        file = tmp_path / "kernel.img"
        file.write_bytes(header + struct.pack(f"<{len(code)}I", *code))
        return file

    return write


@pytest.mark.parametrize("fidelity", ["timing", "functional"])
@pytest.mark.parametrize("name", CRASHES)
def test_an_exception_before_there_are_handlers_is_named_with_its_place(kernel, name, fidelity):
    code, why = CRASHES[name]
    said = ringscope("boot", kernel(*code), "--fidelity", fidelity)
    lines = said.err.splitlines()
    assert said.status == CRASHED
    assert lines[0].startswith(
        "ringscope: an exception found no handler: nothing can be executed at 0x200, at cycle "
    )
    assert lines[1] == f"raised: {why}"
    assert "#0 unknown (0x200)" in lines


def test_the_document_calls_it_what_a_pc_would_have(kernel, tmp_path):
    document = tmp_path / "counters"
    ringscope("stat", "--json", document, kernel(UNDEFINED))
    assert json.loads(document.read_text())["exit"] == {"reason": "triple-fault", "status": CRASHED}


def test_user_code_that_cannot_be_fetched_is_the_kernels_affair(arm):
    arm.visit_user("movz x1, #0x80, lsl #32; br x1", lower=f"movz x9, #7; b {BACK:#x}")
    assert arm.register("x9") == 7


@pytest.mark.parametrize("stepping", [False, True])
def test_handlers_that_are_unmapped_later_end_the_run_as_well(arm, stepping):
    where = arm_snippets.RAM + (64 << 20)
    arm.place(arm_snippets.CODE, f"set x0, {where}; msr vbar_el1, x0; isb; br x0")
    arm.begin()
    stops = [arm.engine.run(steps=1) for _ in range(8)] if stepping else [arm.engine.run()]
    assert Stop.TRIPLE_FAULT in stops
    assert arm.pc == where + arm_snippets.SAME_SYNC
