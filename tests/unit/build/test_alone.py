# SPDX-License-Identifier: GPL-2.0-or-later
"""Two makes in one folder at once: the second says that it waits, and goes on when the first has ended."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ringscope.tools.build import environment, everything

SECOND = """\
import pathlib, sys
from {0} import {1} as alone
with alone(pathlib.Path(sys.argv[1])):
    print('in')
"""
#: What holds the lock, what it is given below a folder, and what the second one says.
LOCKS = {
    "installing": (environment.alone, "environment.lock", "waiting for another make in this folder\n"),
    "building": (everything._alone, "", "waiting for another build in this folder\n"),
}


@pytest.mark.parametrize("stage", LOCKS)
def test_the_second_waits_until_the_first_has_ended(stage, tmp_path):
    alone, below, sentence = LOCKS[stage]
    program = SECOND.format(alone.__module__, alone.__name__)
    with alone(tmp_path / below):
        second = subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path / below)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert second.stderr.readline() == sentence
        with pytest.raises(subprocess.TimeoutExpired):
            second.wait(0.2)
    assert second.communicate(timeout=60) == ("in\n", "")
    assert second.returncode == 0


@pytest.mark.parametrize("stage", LOCKS)
def test_one_alone_says_nothing(stage, tmp_path, capfd):
    alone, below, _ = LOCKS[stage]
    with alone(tmp_path / below):
        pass
    assert capfd.readouterr() == ("", "")
