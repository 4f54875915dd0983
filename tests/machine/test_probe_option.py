# SPDX-License-Identifier: GPL-2.0-or-later
"""``ringscope ipc --probe``: functions of any kernel and its programs in the ledger, and what is refused."""

from __future__ import annotations

import json

import pytest

from tests.guest import catalogue
from tests.machine.command_line import ringscope

ARCHITECTURES = ("x86_64", "aarch64")


def ledger(tmp_path, *words):
    """What a run said, and its ledger by name."""
    file = tmp_path / "ledger.json"
    said = ringscope("ipc", "--serial", "none", "--json", file, *words)
    return said, {entry["name"]: entry for entry in json.loads(file.read_text("utf-8"))["ledger"]}


def test_a_function_of_a_kernel_without_marks_is_in_the_ledger(tmp_path):
    """Two tasks print and yield five times each and end; the last of these calls ends the machine instead."""
    kernel = catalogue.build_foreign("pae_tasks")
    said, found = ledger(tmp_path, kernel, "--probe", "system_call", "--probe", "kmain..go_user")
    assert (said.status, said.err) == (0, "")
    assert {name: entry["count"] for name, entry in found.items()} == {"system_call": 21, "kmain..go_user": 1}
    assert found["system_call"]["per_op"]["cycles:u"] == 0
    assert "system_call" in said.out


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_probes_change_nothing_of_what_a_bundled_system_marks(tmp_path, arch):
    _, plain = ledger(tmp_path, "--arch", arch)
    _, probed = ledger(
        tmp_path, "--arch", arch, "--probe", "frame_take", "--probe", "echo:program_main..ipc_call"
    )
    assert {name: probed[name] for name in plain} == plain
    assert probed["frame_take"]["count"] > 0


def test_why_a_probe_of_a_bundled_system_is_not_in_the_ledger_is_said(tmp_path):
    said, found = ledger(tmp_path, "--probe", "kernel_main", "--probe", "client:_start..text_copy")
    assert found.keys() & {"kernel_main", "client:_start..text_copy"} == set()
    assert said.err == (
        "ringscope: kernel_main was entered once and never ended\n"
        "ringscope: client:_start..text_copy was entered once and never ended\n"
    )


@pytest.mark.parametrize(
    ("probes", "complaint"),
    [
        (("frame_tak",), "frame_tak: the kernel has no such symbol; did you mean frame_take"),
        (("shell:main",), "shell: no module has that name; there are root.elf"),
        (("echo:0x10",), "echo.elf: has no code at 0x10"),
        (("",), "'' names no symbol; write SYMBOL, PROGRAM:SYMBOL or FROM..UNTIL"),
        (("..frame_take",), "'..frame_take' names no symbol"),
        (("frame_take", "frame_take"), "--probe frame_take is given twice; give it once"),
    ],
)
def test_what_a_bundled_system_has_not_is_refused_in_one_sentence(probes, complaint):
    words = [word for probe in probes for word in ("--probe", probe)]
    said = ringscope("ipc", "--serial", "none", *words)
    assert said.status == 2
    assert said.err.startswith(f"ringscope: {complaint}")
    assert said.err.count("\n") == 1
