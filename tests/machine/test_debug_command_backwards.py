# SPDX-License-Identifier: GPL-2.0-or-later
"""``ringscope debug`` backwards: where a run came from, found by doing it again."""

from __future__ import annotations

import json

import pytest

from tests.machine import small_kernels
from tests.machine.command_line import ringscope

ARCHITECTURES = ("x86_64", "aarch64")
#: A session whose answers most of the tests look at. Its commands are all different.
COMMANDS = (
    "run-to client:program_main",
    "break fastpath_call",
    "continue",
    "registers",
    "c",
    "reverse-stepi",
    "stepi",
    "reverse-stepi 9",
    "stepi 9",
    "rc",
    "r",
    "delete",
    "who-wrote current",
    "reverse-finish",
    "reverse-run-to space-switch",
    "run-to space-switch",
    "reverse-continue",
    "run-to 3000000",
    "reverse-step",
    "reverse-next",
)


@pytest.fixture(scope="module", params=ARCHITECTURES)
def said(request):
    """The answers of the session, by command."""
    out = ringscope(
        "debug", "--json", "--serial", "none", "--arch", request.param, typed="\n".join(COMMANDS).encode()
    ).out
    objects = [json.loads(line) for line in out.splitlines()]
    assert not [each for each in objects if "error" in each]
    return {each["command"]: each for each in objects}


def place(answer):
    """Where and when an answer stopped."""
    return answer["pc"], answer["cycle"], answer["instructions"]


def test_a_step_back_and_a_step_lead_to_the_same_place(said):
    assert place(said["stepi"]) == place(said["c"])
    assert said["reverse-stepi"]["pc"] != said["c"]["pc"]


def test_steps_back_are_undone_by_as_many_steps(said):
    assert place(said["stepi 9"]) == place(said["stepi"])


def test_a_run_back_stops_at_the_breakpoint_before_with_all_as_it_was(said):
    assert place(said["rc"]) == place(said["continue"])
    assert said["rc"]["stop"] == "breakpoint"
    assert said["r"]["registers"] == said["registers"]["registers"]


def test_what_was_spent_since_the_last_stop_is_negative_backwards(said):
    since = said["rc"]["since"]
    assert since["cycles"] == said["rc"]["cycle"] - said["stepi 9"]["cycle"] < 0
    assert sum(since["causes"].values()) == since["cycles"] - since["idle"]


def test_who_wrote_a_variable_is_found_with_what_was_written(said):
    answer = said["who-wrote current"]
    assert answer["stop"] == "watchpoint"
    assert answer["write"]
    assert answer["old"] != answer["new"]
    assert answer["by"]["symbol"].partition("+")[0] in (
        "schedule_leave",
        "fastpath_call",
        "fastpath_reply_wait",
    )
    assert answer["cycle"] <= said["continue"]["cycle"]


def test_a_function_is_left_backwards_where_it_was_entered(said):
    function = said["who-wrote current"]["symbol"].partition("+")[0]
    assert said["reverse-finish"]["symbol"] == f"{function}+0x0"


def test_events_are_met_backwards_as_forwards(said):
    back, forth = said["reverse-run-to space-switch"], said["run-to space-switch"]
    assert back["stop"] == forth["stop"] == "event"
    assert back["cycle"] < said["reverse-finish"]["cycle"] < forth["cycle"]


def test_before_the_beginning_there_is_nothing(said):
    assert said["reverse-continue"]["stop"] == "beginning"
    assert said["reverse-continue"]["cycle"] == 0


def test_a_step_back_by_lines_ends_at_the_beginning_of_another_line(said):
    start = said["run-to 3000000"]
    for command in ("reverse-step", "reverse-next"):
        assert said[command]["instructions"] <= start["instructions"]
        assert said[command]["stop"] == "step"
    lines = [
        (said[each]["file"], said[each]["line"])
        for each in ("run-to 3000000", "reverse-step", "reverse-next")
    ]
    assert lines[0] != lines[1] != lines[2]


def test_a_run_that_was_over_goes_on_from_its_past(tmp_path):
    kernel = small_kernels.write("exit-3", tmp_path)
    typed = b"continue\nreverse-stepi\nwhere\nc\n"
    objects = [
        json.loads(line) for line in ringscope("debug", "--json", kernel, typed=typed).out.splitlines()
    ]
    answers = {each["command"]: each for each in objects}
    assert answers["continue"]["exit"] == {"reason": "guest", "status": 3}
    assert answers["where"]["pc"] == f"{small_kernels.ENTRY + 2:#x}"
    assert answers["c"]["exit"] == {"reason": "guest", "status": 3}


def test_a_change_of_the_past_begins_another_future(tmp_path):
    kernel = small_kernels.write("exit-3", tmp_path)
    typed = b"stepi\nset $eax = 5\ncontinue\n"
    objects = [
        json.loads(line) for line in ringscope("debug", "--json", kernel, typed=typed).out.splitlines()
    ]
    assert objects[-1]["exit"] == {"reason": "guest", "status": 5}
