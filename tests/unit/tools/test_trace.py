# SPDX-License-Identifier: GPL-2.0-or-later
"""What ``ringscope trace`` refuses."""

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
        (
            ("--read", "a", "--record", "b"),
            "--read tells what was recorded, and --record writes it; give one",
        ),
        (("--record", "a", "-o", "b"), "--record tells nothing that -o could hold; give one of them"),
        (("--read", "a", "--last", "5"), "--last is about a run, and --read runs nothing; try --begin"),
        (("--begin", "5", "--end", "5"), "--begin is not before --end: that is no time at all"),
        (("--only", "calls"), "'calls' is not one of call, exception, interrupt, return, space, event, mark"),
        (("--last", "0"), "'0' is not a number of events; write 5000 or 2M"),
        (("--form", "xml"), "'xml' is not one of text, tree, perfetto"),
        (("--read", "/nowhere"), "/nowhere: cannot be read: No such file or directory"),
        (("--read", "/etc"), "/etc: cannot be read: Is a directory"),
        (("-o", "/nowhere/t"), "/nowhere/t: cannot be written: No such file or directory"),
        (("--record", "/nowhere/t"), "/nowhere/t: cannot be written: No such file or directory"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(booted, capsys, words, complaint):
    assert run(["trace", *words]) == BAD_INPUT
    said = capsys.readouterr().err
    assert complaint in said
    assert said.startswith("ringscope: ")
    assert booted == []
