# SPDX-License-Identifier: GPL-2.0-or-later
"""What ``ringscope compare`` refuses."""

from __future__ import annotations

import pytest

from ringscope.tools import session
from ringscope.tools.command_line import BAD_INPUT, run


@pytest.fixture
def booted(monkeypatch):
    """The options of every machine that was run."""
    options = []
    monkeypatch.setattr(session, "run", options.append)
    return options


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--arch", "arm"), "'arm' is not one of x86_64, aarch64"),
        (("--arch", "x86_64,"), "'x86_64,' has an empty name; put one comma between two names"),
        (("--cpu", ""), "'' has an empty name; put one comma between two names"),
        (("--cpu", "z80"), "z80: no such processor profile"),
        (
            ("--cpu", "skylake,skylake"),
            "x86_64 skylake is to be compared with itself; name each machine once",
        ),
        (("--arch", "aarch64", "--cpu", "skylake"), "--arch and --cpu both choose the machines; give one"),
        (("--tolerance", "5"), "--tolerance is about what moved since a --baseline; give that too"),
        (("--baseline", "b.json", "--tolerance=-5"), "'-5' is not a percentage; write 5 or 0.5"),
        (("--baseline", "b.json", "--tolerance", "nan"), "'nan' is not a percentage; write 5 or 0.5"),
        (
            ("--baseline", "b.json", "--json", "b.json"),
            "--json and --baseline name one file, b.json; give two",
        ),
        (("--baseline", "nowhere/b.json"), "nowhere/b.json: cannot be read: No such file or directory"),
        (("--json", "nowhere/b.json"), "nowhere/b.json: cannot be written: No such file or directory"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_runs(booted, capsys, words, complaint):
    assert run(["compare", *words]) == BAD_INPUT
    assert complaint in capsys.readouterr().err
    assert not booted
