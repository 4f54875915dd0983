# SPDX-License-Identifier: GPL-2.0-or-later
"""A mark on AArch64 is a move of a number to the zero register, and nothing else is taken for one."""

from __future__ import annotations

import struct

import capstone
import pytest
import unicorn
from unicorn import arm64_const

from ringscope.emulator import marks
from ringscope.emulator.native import library as native
from ringscope.emulator.native.library import MarkArchitecture
from ringscope.tools.build import compiler

MAGIC = 0x5253
SOURCE = """
#include "ringscope.h"
void _start(void);
void _start(void)
{
    RINGSCOPE_BEGIN(7, "read-block");
    RINGSCOPE_EVENT(RINGSCOPE_EVENT_IPC);
    RINGSCOPE_COPY_BEGIN();
    RINGSCOPE_COPY_END();
    RINGSCOPE_END(7, "read-block");
}
"""
SCRIPT = "SECTIONS { . = 0x40000000; .text : { *(.text*) } /DISCARD/ : { *(.comment) } }"


def movn(value: int, *, register: int = 31, shift: int = 48) -> bytes:
    """``movn xREGISTER, #value, lsl #shift``."""
    return struct.pack("<I", 0x92800000 | shift // 16 << 21 | value << 5 | register)


def mark_at(code: bytes, architecture: MarkArchitecture = MarkArchitecture.AARCH64) -> int:
    return native.load().mark_at(code, len(code), architecture)


@pytest.mark.parametrize("number", [0, 1, 7, 0x1007, 0x2001, 0x4FFF, 0xFFFF])
def test_a_mark_carries_its_number(number: int) -> None:
    assert mark_at(movn(number)) == MAGIC << 16 | number


@pytest.mark.parametrize(
    "code",
    [
        movn(7)[:3],  # cut off
        movn(7, register=0),
        movn(7, shift=32),
        struct.pack("<I", 0xD2E00000 | 7 << 5 | 31),  # movz
        struct.pack("<I", 0x12A00000 | 7 << 5 | 31),  # movn wzr
        struct.pack("<I", 0xD503201F),  # nop
    ],
)
def test_nothing_else_is_a_mark(code: bytes) -> None:
    assert mark_at(code) == 0


def test_the_marks_of_one_architecture_mean_nothing_on_the_other() -> None:
    assert mark_at(movn(7) + movn(7), MarkArchitecture.X86) == 0
    assert mark_at(bytes.fromhex("0f1f8400 07005352")) == 0
    assert mark_at(bytes.fromhex("0f1f8400 07005352"), MarkArchitecture.X86) == MAGIC << 16 | 7


@pytest.fixture(scope="module")
def program(tmp_path_factory) -> bytes:
    folder = tmp_path_factory.mktemp("marks")
    (folder / "marks.c").write_text(SOURCE, encoding="ascii")
    (folder / "marks.ld").write_text(SCRIPT, encoding="ascii")
    built = compiler.guest_program(
        output="marks.elf",
        sources=(str(folder / "marks.c"),),
        flags=("-target", "aarch64-freestanding-none"),
        script=str(folder / "marks.ld"),
        include=("emulator/guest",),
    )
    return compiler.build_program(built, folder).read_bytes()


def test_what_the_header_writes_is_what_the_machine_reads(program: bytes) -> None:
    names, counters = marks.survey([program])
    assert names == {7: "read-block"}
    assert counters == {"ipc", "bytes-copied"}


def test_marks_are_found_in_code_wherever_they_stand() -> None:
    code = b"\x00" * 12 + movn(0x2002) + movn(7, register=0) + movn(0x3000)
    assert marks.counters_in(code, MarkArchitecture.AARCH64) == {"context-switches", "bytes-copied"}
    assert marks.counters_in(code) == set()
    assert marks.counters_in(code[:15], MarkArchitecture.AARCH64) == set()


def test_a_mark_is_one_move_to_the_zero_register(program: bytes) -> None:
    at = program.index(movn(0x2001))
    engine = capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM)
    ((_, size, mnemonic, operands),) = engine.disasm_lite(program[at : at + 4], 0)
    assert (size, mnemonic, operands) == (4, "mov", "xzr, #-0x2001000000000001")


def test_a_mark_changes_nothing() -> None:
    engine = unicorn.Uc(unicorn.UC_ARCH_ARM64, unicorn.UC_MODE_ARM)
    engine.mem_map(0x1000, 0x1000)
    engine.mem_write(0x1000, movn(0x2001) * 2)
    registers = [arm64_const.UC_ARM64_REG_X0 + i for i in range(29)]
    registers += [arm64_const.UC_ARM64_REG_SP, arm64_const.UC_ARM64_REG_NZCV]
    for i, register in enumerate(registers[:-1]):
        engine.reg_write(register, 0x1230 + i)
    before = [engine.reg_read(register) for register in registers]
    engine.emu_start(0x1000, 0x1008)
    assert [engine.reg_read(register) for register in registers] == before
