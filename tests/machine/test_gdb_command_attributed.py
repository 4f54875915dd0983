# SPDX-License-Identifier: GPL-2.0-or-later
"""gdb holds a run whose costs are being attributed: all of it but going back, and nothing of it is lost."""

from __future__ import annotations

import json

import pytest

from tests.machine.command_line import ringscope
from tests.machine.test_gdb_command import GDB, booted


@pytest.mark.parametrize("arch", ["x86_64", "aarch64"])
def test_gdb_steers_a_bundled_run_that_is_recorded(arch, tmp_path, require_program):
    require_program(GDB)
    recording, counted = tmp_path / "recording", tmp_path / "counted.json"
    with booted("--arch", arch, "-S", "-o", recording, verb="record") as system:
        said = system.gdb("tbreak fastpath_call", "continue", "reverse-stepi", "stepi", "continue")
        status, _, err = system.end()
    assert (status, err) == (0, "")
    assert "fastpath_call (slot=" in said
    assert "Target remote does not support this command." in said
    assert ringscope("stat", "--arch", arch, "--serial", "none", "--json", counted).status == 0
    told = json.loads(ringscope("report", recording, "--json", "-").out)
    assert told["total"]["counters"]["cycles"] == json.loads(counted.read_text())["counters"]["cycles"]


@pytest.mark.parametrize("words", [("record",), ("stat", "--explain", "ping-pong")])
def test_a_command_that_attributes_costs_refuses_to_save_before_it_runs(words, tmp_path):
    said = ringscope(*words, "--save-snapshot", tmp_path / "never.snap", folder=tmp_path)
    assert (said.status, said.out) == (2, "")
    assert said.err == (
        "ringscope: --save-snapshot saves no run whose costs are attributed to instructions; save it in "
        "a run of its own, which is the same\n"
    )
