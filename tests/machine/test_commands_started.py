# SPDX-License-Identifier: GPL-2.0-or-later
"""A process that comes ready says what one of a fresh interpreter does, as a user starts it: each command."""

from __future__ import annotations

import json

import pytest

from ringscope.tools.command_line import COMMANDS
from tests.machine import small_kernels
from tests.machine.command_line import Said, fresh, ringscope

RUNS = {
    "boot": ("boot", "exit-3.bin"),
    "stat": ("stat", "exit-3.bin", "-x,", "-o", "/dev/stdout"),
    "ipc": ("ipc", "exit-3.bin"),
    "trace": ("trace", "exit-3.bin"),
    "record": ("record", "exit-3.bin", "-o", "data"),
    "report": ("report", "recorded"),
    "annotate": ("annotate", "nowhere", "recorded"),
    "debug": ("debug", "exit-3.bin", "--json", "-ex", "stepi 2", "-ex", "registers"),
    "compare": ("compare", "nowhere"),
    "image": ("image", "inspect", "exit-3.bin"),
    "cpu": ("cpu", "show", "skylake"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a kernel, and with what ``record`` says of it."""
    made = tmp_path_factory.mktemp("started")
    small_kernels.write("exit-3", made)
    assert fresh("record", "exit-3.bin", "-o", "recorded", folder=made).status == 3
    return made


@pytest.mark.parametrize("command", COMMANDS)
def test_it_says_and_ends_as_a_fresh_one_does(command, folder):
    ready, other = (start(*RUNS[command], folder=folder) for start in (ringscope, fresh))
    assert ready == other
    assert ready != Said(0, "", "")


def test_it_reads_what_is_typed(folder):
    lines = b"stepi\nwhere\nquit\n"
    ready, other = (start("debug", "exit-3.bin", typed=lines, folder=folder) for start in (ringscope, fresh))
    assert ready == other
    assert ready.out


def test_one_run_is_not_seen_by_the_next(folder):
    """The machine of each is the first one of its process."""
    first, second = (ringscope("stat", "exit-3.bin", "--json", "-", folder=folder).out for _ in range(2))
    assert json.loads(first)["counters"] == json.loads(second)["counters"]
