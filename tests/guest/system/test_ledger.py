# SPDX-License-Identifier: GPL-2.0-or-later
"""What one IPC and one null system call are made of, counted by our machine while the timer runs."""

from __future__ import annotations

import functools

import pytest

from ringscope.bootimage.loader import load
from ringscope.bootimage.types import BootRequest, MemoryLayout, MemoryRegion
from ringscope.emulator.machine import Machine, MachineConfig
from tests.guest.system import systems

MIB = 1 << 20
LAYOUT = MemoryLayout(64 * MIB, (MemoryRegion(0, 0x9FC00, 1), MemoryRegion(MIB, 63 * MIB, 1)))
LIMIT_CYCLES = 200_000_000


@functools.cache
def run() -> tuple[Machine, str]:
    printed = bytearray()
    machine = Machine(MachineConfig(ram_bytes=64 * MIB), printed.extend)
    machine.load(load(BootRequest(systems.image("default")), LAYOUT))
    result = machine.run(LIMIT_CYCLES)
    assert (result.reason, result.status) == ("guest", 0), printed.decode()
    return machine, printed.decode()


def per_operation(name: str, counter: str) -> float:
    entries = {entry.name: entry for entry in run()[0].ledger()}
    return entries[name].books.total(counter) / entries[name].count


@pytest.mark.parametrize("name", ["ping-pong", "null-call"])
def test_a_thousand_of_each_operation_are_in_the_ledger(name):
    assert {entry.name: entry.count for entry in run()[0].ledger()}[name] == 1000


@pytest.mark.parametrize(
    ("counter", "count"),
    [("mode-switches", 4), ("address-space-switches", 2), ("context-switches", 2), ("ipc", 2)],
)
def test_a_call_and_its_reply_are_two_messages_and_two_switches(counter, count):
    assert per_operation("ping-pong", counter) == count


@pytest.mark.parametrize(
    ("counter", "count"),
    [("mode-switches", 2), ("address-space-switches", 0), ("context-switches", 0), ("ipc", 0)],
)
def test_a_null_call_enters_the_kernel_and_leaves_it(counter, count):
    assert per_operation("null-call", counter) == count


def test_a_call_and_its_reply_take_no_more_than_110_instructions_each_way():
    # Counted by hand on the path: about 17 in, 60 in C, 12 out; the rest is the user's and the marks.
    assert per_operation("ping-pong", "instructions") <= 220


def test_a_page_fault_is_a_message_and_a_reply():
    assert per_operation("page-fault", "page-faults") == 1
    assert per_operation("page-fault", "ipc") == 2


def test_the_timer_interrupts_the_run():
    assert run()[0].books().total("interrupts") > 0
