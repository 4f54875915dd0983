# SPDX-License-Identifier: GPL-2.0-or-later
"""What one IPC and one null system call are made of, counted by our machines while the timer runs."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import pytest

from ringscope.bootimage.arm64_image import wrap_arm64
from ringscope.bootimage.container import wrap
from ringscope.bootimage.types import BootRequest
from ringscope.emulator.machine import Machine, MachineConfig
from tests.guest.system import systems

if TYPE_CHECKING:
    from pathlib import Path

RAM_BYTES = 64 << 20
LIMIT_CYCLES = 200_000_000
WRAP = {"x86_64": wrap, "aarch64": wrap_arm64}
#: What a call and its reply may take. Counted by hand on the path, each way: on x86-64 about 17 in, 60 in C,
#: 12 out; on AArch64 25 in, 50 in C, 27 out, of which 12 clear registers. The rest is the user's and marks.
INSTRUCTIONS = {"x86_64": 220, "aarch64": 240}

pytestmark = pytest.mark.parametrize("arch", WRAP)


def machine_with(arch: str, image: Path, printed: bytearray) -> Machine:
    machine = Machine(MachineConfig(RAM_BYTES, arch=arch), printed.extend)
    machine.load(machine.system.read_image(BootRequest(image)))
    return machine


@functools.cache
def run(arch: str) -> Machine:
    printed = bytearray()
    machine = machine_with(arch, systems.image("default", arch), printed)
    result = machine.run(LIMIT_CYCLES)
    assert (result.reason, result.status) == ("guest", 0), printed.decode()
    return machine


def per_operation(arch: str, name: str, counter: str) -> float:
    entries = {entry.name: entry for entry in run(arch).ledger()}
    return entries[name].books.total(counter) / entries[name].count


@pytest.mark.parametrize("name", ["ping-pong", "null-call"])
def test_a_thousand_of_each_operation_are_in_the_ledger(arch, name):
    assert {entry.name: entry.count for entry in run(arch).ledger()}[name] == 1000


@pytest.mark.parametrize(
    ("counter", "count"),
    [("mode-switches", 4), ("address-space-switches", 2), ("context-switches", 2), ("ipc", 2)],
)
def test_a_call_and_its_reply_are_two_messages_and_two_switches(arch, counter, count):
    assert per_operation(arch, "ping-pong", counter) == count


@pytest.mark.parametrize(
    ("counter", "count"),
    [("mode-switches", 2), ("address-space-switches", 0), ("context-switches", 0), ("ipc", 0)],
)
def test_a_null_call_enters_the_kernel_and_leaves_it(arch, counter, count):
    assert per_operation(arch, "null-call", counter) == count


def test_a_call_and_its_reply_take_no_more_instructions_than_were_counted_on_the_path(arch):
    assert per_operation(arch, "ping-pong", "instructions") <= INSTRUCTIONS[arch]


def test_a_page_fault_is_a_message_and_a_reply(arch):
    assert per_operation(arch, "page-fault", "page-faults") == 1
    assert per_operation(arch, "page-fault", "ipc") == 2
    # In and out: the fault, the pager's three calls (map, unmap, map), and its reply-and-wait.
    assert per_operation(arch, "page-fault", "mode-switches") == 10


def test_the_timer_interrupts_the_run(arch):
    assert run(arch).books().total("interrupts") > 0


def test_when_nobody_can_run_the_processor_waits(arch, tmp_path):
    servers = [("pager", "name=pager serves=yes"), ("sleeper", "name=echo serves=yes")]
    modules = [("root", ""), *servers, ("client", "name=client uses=echo quota=1")]
    printed = bytearray()
    machine = machine_with(arch, systems.image_of(modules, tmp_path, arch), printed)
    result = machine.run(3 * LIMIT_CYCLES)
    assert result.reason == "limit", printed.decode()
    # The timer goes on a thousand times a second and finds nobody to run.
    books = machine.books()
    assert books.total("interrupts") > 100
    assert books.total("instructions") < machine.engine.time // 10


def test_a_kernel_without_a_root_server_says_so_and_stops(arch, tmp_path):
    file = tmp_path / "kernel.img"
    file.write_bytes(WRAP[arch](systems.programs(arch)["kernel"].read_bytes()))
    printed = bytearray()
    result = machine_with(arch, file, printed).run(LIMIT_CYCLES)
    assert b"kernel panic: the loader brings a root server as the first module" in printed
    assert result.reason == "halted"
