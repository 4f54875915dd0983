# SPDX-License-Identifier: GPL-2.0-or-later
"""What one IPC and one null system call are made of, counted by our machine while the timer runs."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import pytest

from ringscope.bootimage.container import wrap
from ringscope.bootimage.loader import load
from ringscope.bootimage.types import BootRequest, MemoryLayout, MemoryRegion
from ringscope.emulator.machine import Machine, MachineConfig
from tests.guest.system import systems

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1 << 20
LAYOUT = MemoryLayout(64 * MIB, (MemoryRegion(0, 0x9FC00, 1), MemoryRegion(MIB, 63 * MIB, 1)))
LIMIT_CYCLES = 200_000_000


def machine_with(image: Path, printed: bytearray) -> Machine:
    machine = Machine(MachineConfig(ram_bytes=64 * MIB), printed.extend)
    machine.load(load(BootRequest(image), LAYOUT))
    return machine


@functools.cache
def run() -> Machine:
    printed = bytearray()
    machine = machine_with(systems.image("default"), printed)
    result = machine.run(LIMIT_CYCLES)
    assert (result.reason, result.status) == ("guest", 0), printed.decode()
    return machine


def per_operation(name: str, counter: str) -> float:
    entries = {entry.name: entry for entry in run().ledger()}
    return entries[name].books.total(counter) / entries[name].count


@pytest.mark.parametrize("name", ["ping-pong", "null-call"])
def test_a_thousand_of_each_operation_are_in_the_ledger(name):
    assert {entry.name: entry.count for entry in run().ledger()}[name] == 1000


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
    # In and out: the fault, the pager's three calls (map, unmap, map), and its reply-and-wait.
    assert per_operation("page-fault", "mode-switches") == 10


def test_the_timer_interrupts_the_run():
    assert run().books().total("interrupts") > 0


def test_when_nobody_can_run_the_processor_waits(tmp_path):
    servers = [("pager", "name=pager serves=yes"), ("sleeper", "name=echo serves=yes")]
    modules = [("root", ""), *servers, ("client", "name=client uses=echo quota=1")]
    printed = bytearray()
    machine = machine_with(systems.image_of(modules, tmp_path), printed)
    result = machine.run(3 * LIMIT_CYCLES)
    assert result.reason == "limit", printed.decode()
    # The timer goes on a thousand times a second and finds nobody to run.
    books = machine.books()
    assert books.total("interrupts") > 100
    assert books.total("instructions") < machine.engine.time // 10


def test_a_kernel_without_a_root_server_says_so_and_stops(tmp_path):
    file = tmp_path / "kernel.img"
    file.write_bytes(wrap(systems.programs()["kernel"].read_bytes()))
    printed = bytearray()
    result = machine_with(file, printed).run(LIMIT_CYCLES)
    assert b"kernel panic: the loader brings a root server as the first module" in printed
    assert result.reason == "halted"
