# SPDX-License-Identifier: GPL-2.0-or-later
"""What a careless user gives the commands that look inside: a sentence, a documented status, nothing lost."""

from __future__ import annotations

import os

import pytest

from tests.machine import small_kernels
from tests.machine.command_line import fresh, ringscope


@pytest.mark.parametrize(
    ("words", "file"),
    [
        (("report", "/dev/zero"), "/dev/zero:"),
        (("annotate", "/dev/zero", "main"), "/dev/zero:"),
        (("boot", "--from-snapshot", "/dev/zero"), "snapshot /dev/zero"),
    ],
)
def test_a_command_does_not_read_a_device_that_has_no_end(words, file):
    said = ringscope(*words)
    assert (said.status, said.out) == (2, "")
    assert said.err == f"ringscope: {file} cannot be read: it is neither a file nor a pipe\n"


@pytest.fixture
def misnamed(tmp_path):
    """A kernel whose name is no text in UTF-8."""
    kernel = tmp_path / os.fsdecode(b"k\xff.bin")
    small_kernels.write("exit-3", tmp_path).rename(kernel)
    return kernel


@pytest.mark.parametrize("form", [("record", "--callgrind"), ("report", "--html")])
def test_a_command_writes_a_name_that_is_no_text_as_an_escape(misnamed, tmp_path, form):
    written = tmp_path / "written"
    said = ringscope(*form, written, misnamed)
    assert (said.status, said.err) == (3, "")
    assert r"k\udcff.bin" in written.read_text("utf-8")


def test_a_command_prints_a_name_that_is_no_text_as_an_escape(misnamed, tmp_path, monkeypatch):
    """As in a locale that says of itself that it is UTF-8."""
    monkeypatch.setenv("PYTHONIOENCODING", "utf-8:strict")
    recording = tmp_path / "recording"
    assert ringscope("record", "-o", recording, misnamed).status == 3
    said = fresh("report", recording)
    assert (said.status, said.err) == (0, "")
    assert said.out.startswith(r"k\udcff.bin (x86_64, skylake, timing)")


def test_a_command_says_of_a_recording_that_was_cut_off_that_its_end_is_missing(tmp_path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert ringscope("trace", "--record", whole, "--serial", "none").status == 0
    cut.write_bytes(whole.read_bytes()[:3001])
    said = ringscope("debug", "--trace", cut)
    assert said.status == 0
    assert said.err == (
        f"ringscope: {cut}: its end is missing, as when a run is cut off: 45 events are there, and no names "
        "of programs and marks\n"
    )
