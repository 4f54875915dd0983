# SPDX-License-Identifier: GPL-2.0-or-later
"""The bundled kernel's threads in the real gdb: each with the registers that it left user mode with."""

from __future__ import annotations

import re

import pytest

from tests.guest.system import systems
from tests.machine.test_gdb_command import ARCHITECTURES, GDB, UNDER_WAY, booted

#: A register that a system call keeps, and one that it loses.
KEPT_AND_LOST = {"x86_64": ("rbx", "rdx"), "aarch64": ("x19", "x1")}
#: The programs whose calls end in a system call, by what they wait for.
SERVERS = ("root", "pager", "console", "echo")


@pytest.fixture(autouse=True)
def _gdb(require_program) -> None:
    require_program(GDB)


@pytest.fixture(scope="module", params=ARCHITECTURES)
def arch(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def stopped(arch) -> str:
    """What gdb says of a stop in the kernel while the client calls the echo server."""
    kept, lost = KEPT_AND_LOST[arch]
    with booted("--arch", arch, "-S") as system:
        return system.gdb(
            *UNDER_WAY,
            "thread apply all backtrace",
            "inferior 3",
            "info threads",
            f"info registers {kept} {lost}",
            "set $sp = 0",
            "inferior 1",
            "print $pc",
        )


def test_gdb_lists_the_threads_of_a_bundled_system_with_their_states(stopped):
    told = dict(re.findall(r'"(\w+)\.elf" \(([\w ]+)\)', stopped))
    assert told == dict.fromkeys(SERVERS, "receiving") | {"client": "running"}


def test_gdb_follows_the_calls_of_each_bundled_program_that_waits(stopped):
    """Down to where each began; none of them is in the processor, and all but the client wait."""
    traces = dict(re.findall(r'"(\w+)\.elf" \([\w ]+\)\):\n((?:#.*\n)+)', stopped))
    assert traces.keys() == {*SERVERS, "client"}
    for calls in traces.values():
        assert "program_main (" in calls
        assert "_start () at " in calls


def test_gdb_shows_what_a_bundled_thread_in_a_system_call_keeps_and_nothing_else(stopped, arch):
    kept, lost = KEPT_AND_LOST[arch]
    assert re.search(rf"^{kept} +0x[0-9a-f]+ ", stopped, re.MULTILINE)
    assert re.search(rf"^{lost} +<unavailable>", stopped, re.MULTILINE)


def test_gdb_writes_no_register_of_a_bundled_thread_that_does_not_run(stopped):
    assert "Could not write register" in stopped
    assert re.search(r"\$1 = .*<fastpath_call(\+\d+)?>", stopped)


def test_gdb_shows_where_each_thread_of_one_bundled_program_was_preempted(arch):
    """Two threads of the selftest take turns as the clock has it; the second stands where it begins."""
    with booted(systems.image("selftest", arch), "-S", "--serial", "none") as system:
        said = system.gdb(
            f"add-symbol-file {systems.programs(arch)['selftest']}",
            *("break take_turns", "continue", "continue", "info threads"),
        )
    threads = re.findall(r"Thread \d+\.(\d) \"selftest.elf\" \(([\w ]+)\) +(.*)", said)
    assert [(number, state) for number, state, _ in threads] == [
        ("1", "receiving"),
        ("2", "ready"),
        ("3", "running"),
    ]
    where = [place for _, _, place in threads]
    assert "call_message (" in where[0]
    assert "take_turns (self=0)" in where[1]
    assert "take_turns (self=1)" in where[2]
