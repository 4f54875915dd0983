# SPDX-License-Identifier: GPL-2.0-or-later
"""Debugging sessions from scripts and pipes, and what they refuse."""

from __future__ import annotations

import json

import pytest

from tests.machine.command_line import ringscope
from tests.machine.debugged import answer, answers, session


def test_a_script_is_carried_out_and_ends_at_what_is_refused(tmp_path):
    script = tmp_path / "script"
    script.write_text("# where the client begins\nrun-to client:program_main\n\nbraek main\nwhere\n")
    said = ringscope("debug", "-x", script)
    assert said.status == 2
    assert "client: program_main+0x0 at servers/client/main.c" in said.out
    assert said.err == "ringscope: there is no command braek; did you mean break or tbreak?\n"


def test_a_pipe_goes_on_behind_what_is_refused():
    said = ringscope("debug", "--json", typed=b"nonsense\nwhere\n")
    objects = [json.loads(line) for line in said.out.splitlines()]
    assert "error" in answers(objects, "nonsense")[0]
    assert answer(objects, "where")["cycle"] == 0
    assert said.status == 2


def test_bytes_that_are_no_text_are_no_command():
    said = ringscope("debug", typed=b"\xff\xfe\nwhere\n")
    assert said.status == 2
    assert said.err.startswith("ringscope: there is no command ")
    assert "cycle 0" in said.out


def test_the_end_of_the_pipe_ends_the_session():
    assert ringscope("debug", typed=b"where\n").status == 0


REFUSALS = {
    "break nowhere_at_all": "no symbol is called nowhere_at_all",
    "break consle:main": "no program is called consle: did you mean console?",
    "break program_main": "program_main is in several programs; write root:program_main or",
    "break main.c:99999": "main.c:99999: no code is known to be there",
    "break fastpath_call if 1 +": "'1 +' is no expression: a value is missing at its end",
    "print $nothing": "$nothing: there is no register of this name",
    "print 1 / 0": "/ by zero has no value",
    "x/4q $sp": "'/4q' is no format",
    "x/4xg 0xdead0000000": "there is no memory at 0xdead0000000",
    "stepi zero": "'zero' is no number of times",
    "run-to": "run-to what?",
    "run-to 0": "cycle 0 is past",
    "registers rzx": "there is no register rzx",
    "set rax 5": "write what shall be set = to what",
    "set u8(0x100000) = 256": "0x100 does not fit into 1 bytes",
    "patch *$pc frobnicate": "'frobnicate' cannot be assembled",
    "watch current 100000": "100000 bytes cannot be watched",
    "watch console:line": "console has no symbol line",
    "delete 7": "there is no breakpoint 7; there are none",
    "counters nonsense": "there is no counter nonsense",
    "finish now": "this command takes no argument",
    "cache l1d 0xdead0000000": "0xdead0000000 is not mapped: no cache can hold it",
    "wa": "wa begins watch or walk; write more of it",
    "braek": "there is no command braek; did you mean break or tbreak?",
}


@pytest.fixture(scope="module")
def refused():
    """What a session, soon after paging is on, says to commands that make no sense."""
    return session("run-to kernel_main", *REFUSALS)


@pytest.mark.parametrize(("command", "sentence"), REFUSALS.items())
def test_what_makes_no_sense_is_refused_in_one_sentence(refused, command, sentence):
    (said,) = answers(refused, command)
    assert said["error"].startswith(sentence)
    assert "\n" not in said["error"]


def test_a_run_that_is_over_can_be_looked_at_and_not_run():
    said = session("continue", "registers", "stepi")
    assert answer(said, "continue")["exit"] == {"reason": "guest", "status": 0}
    assert answer(said, "registers")["registers"]
    assert answers(said, "stepi")[0]["error"].startswith("the run is over")


def test_what_the_guest_prints_stands_before_the_stop_that_it_was_printed_before():
    said = session("continue")
    assert "client: 1000 of 1000 calls to echo came back" in next(
        each["console"] for each in said if "console" in each
    )
    assert "console" in said[-2]
