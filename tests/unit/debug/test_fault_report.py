# SPDX-License-Identifier: GPL-2.0-or-later
"""Who called whom when a processor gave up: read from registers and a stack written down here."""

from __future__ import annotations

import struct
from collections import defaultdict

import pytest

from ringscope.emulator.debug import fault_report

CODE, STACK = 0x1000, 0x8000
LONG_MODE = 0x400
NOWHERE = 0xDEADBEEF
HANDLED = 0x3C5  # PSTATE: EL1h, DAIF set


class Symbols:
    """Functions of 0x100 bytes from CODE on, called f0, f1 and so on."""

    def describe(self, address, *, user=False):
        number, distance = divmod(address - CODE, 0x100)
        return None if user or not 0 <= number < 16 else f"f{number}+{distance:#x}"


class Engine:
    """One that has stopped in the kernel: registers, 0 unless given; frames of (address, caller, return)."""

    in_user_mode = False

    def __init__(self, arch, frames=(), **registers):
        self.arch = arch
        self.registers = defaultdict(int, registers)
        self.memory = {}
        for at, caller, address in frames:
            self.memory |= {at: caller, at + 8: address}

    def register(self, name):
        return self.registers[name]

    def read_virtual(self, address, length):
        words = [self.memory.get(address + at, 0) for at in range(0, length, 8)]
        return b"".join(struct.pack("<Q", word) for word in words)[:length]


def backtrace(*arguments, **registers):
    return fault_report.backtrace(Engine(*arguments, **registers), Symbols())


def test_the_calls_are_named_from_the_innermost_outwards():
    frames = [(STACK, STACK + 0x20, CODE + 0x180), (STACK + 0x20, 0, CODE + 0x280)]
    assert backtrace("x86_64", frames, efer=LONG_MODE, rip=CODE + 8, rbp=STACK) == [
        "#0 f0+0x8 (0x1008)",
        "#1 f1+0x7f (0x1180)",
        "#2 f2+0x7f (0x1280)",
    ]


def test_whoever_called_into_nowhere_is_named_from_the_top_of_the_stack():
    frames = [(STACK - 8, CODE + 0x20, STACK + 0x20), (STACK, STACK + 0x20, CODE + 0x180)]
    said = backtrace("x86_64", frames, efer=LONG_MODE, rip=NOWHERE, rsp=STACK - 8, rbp=STACK)
    assert said[:3] == ["#0 unknown (0xdeadbeef)", "#1 f0+0x1f (0x1020)", "#2 f1+0x7f (0x1180)"]


def test_whoever_branched_into_nowhere_is_named_from_the_link_register():
    said = backtrace("aarch64", pc=NOWHERE, pstate=HANDLED, x30=CODE + 0x20)
    assert said == ["#0 unknown (0xdeadbeef)", "#1 f0+0x1f (0x1020)"]


def test_an_exception_without_a_handler_is_named_with_its_place():
    engine = Engine("aarch64", pc=0x200, pstate=HANDLED, elr_el1=CODE + 0x44, esr_el1=0x0200_0000)
    assert fault_report.raised(engine, Symbols()) == "raised: undefined instruction at f0+0x44"
    assert fault_report.backtrace(engine, Symbols()) == ["#0 unknown (0x200)", "#1 f0+0x44 (0x1044)"]


@pytest.mark.parametrize("engine", [Engine("x86_64"), Engine("aarch64", pc=CODE, vbar_el1=0x10000)])
def test_where_no_exception_is_being_taken_none_is_named(engine):
    assert fault_report.raised(engine, Symbols()) is None


def test_recursion_is_one_line_and_does_not_hide_who_began_it():
    frames = [(STACK + 16 * n, STACK + 16 * (n + 1), CODE + 0x14) for n in range(1000)]
    frames.append((STACK + 16000, 0, CODE + 0x180))
    assert backtrace("x86_64", frames, efer=LONG_MODE, rip=CODE, rbp=STACK) == [
        "#0 f0+0x0 (0x1000)",
        "#1 f0+0x13 (0x1014), and the same up to #1000",
        "#1001 f1+0x7f (0x1180)",
    ]


def test_a_report_ends_where_two_functions_call_each_other_without_end():
    frames = [(STACK + 16 * n, STACK + 16 * (n + 1), CODE + 0x100 * (n % 2) + 0x14) for n in range(1000)]
    said = backtrace("x86_64", frames, efer=LONG_MODE, rip=CODE, rbp=STACK)
    assert len(said) == fault_report.MOST_LINES + 1
    assert said[-1] == "... and 937 more"  # of 1001 places, 64 are shown
