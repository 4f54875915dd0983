# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the log of typing is kept, and when there is none."""

from __future__ import annotations

import pytest

from ringscope.tools.input_log import KeptLog, default_path
from ringscope.tools.options import UsageError


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    """The user's state folder, which does not exist yet."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "ringscope"


def test_a_log_of_its_own_lies_in_the_users_state_folder(state):
    assert default_path().parent == state


def test_a_log_of_its_own_stays_only_if_something_was_typed(state, capsys):
    with KeptLog(None, 1000):
        assert len(list(state.iterdir())) == 1
    assert list(state.iterdir()) == []
    with KeptLog(None, 1000) as log:
        log.byte(5, 0x61)
    (file,) = state.iterdir()
    assert file.read_text() == "ringscope-input 1 hz=1000\n5 61\n"
    assert capsys.readouterr().err == f"ringscope: what was typed is in {file}; --replay types it again\n"


def test_a_log_that_was_asked_for_stays_even_if_empty(tmp_path):
    with KeptLog(tmp_path / "log", 1000):
        pass
    assert (tmp_path / "log").read_text() == "ringscope-input 1 hz=1000\n"


def test_a_log_that_was_asked_for_must_be_writable(tmp_path):
    with pytest.raises(UsageError, match=r"input log .* cannot be written: Is a directory"):
        KeptLog(tmp_path, 1000)


def test_without_a_place_for_a_log_the_run_goes_on_and_says_so(tmp_path, capsys):
    (tmp_path / "state").write_text("in the way")
    with KeptLog(None, 1000) as log:
        log.byte(5, 0x61)
    assert "ringscope: what was typed is lost: " in capsys.readouterr().err
