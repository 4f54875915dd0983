# SPDX-License-Identifier: GPL-2.0-or-later
"""``ringscope debug`` types at the guest's console, and what was typed is part of the run from then on."""

from __future__ import annotations

import pytest

from tests.guest.catalogue import build_foreign
from tests.machine import small_kernels
from tests.machine.debugged import answer, answers, session


def echoing(tmp_path, *commands, options=()):
    """What a session says to commands, with a kernel that echoes whatever comes up to a q."""
    return session(*commands, kernel=small_kernels.write("echo", tmp_path), options=options)


def printed(said):
    return "".join(each["console"] for each in said if "console" in each)


def test_the_command_type_types_and_the_guest_takes_it_when_it_is_ready(tmp_path):
    said = echoing(tmp_path, "run-to 2000000", "type abq", "continue")
    assert answer(said, "type abq")["bytes"] == 3
    assert answer(said, "continue")["exit"] == {"reason": "guest", "status": 7}
    assert printed(said) == ">abq\n"


def test_the_command_type_wakes_a_guest_that_had_halted_for_good():
    said = session("continue", r"type Hello\n", "c", r"type bye\x1b", "c", kernel=build_foreign("typist"))
    assert answer(said, "continue")["exit"]["reason"] == "halted"
    again, end = answers(said, "c")
    assert again["exit"]["reason"] == "halted"
    assert end["exit"] == {"reason": "guest", "status": 0}
    assert "you typed: Hello\n" in printed(said)


def test_the_command_type_reaches_a_console_with_interrupts_on_the_arm_board(tmp_path):
    module = tmp_path / "module.txt"
    module.write_text("a module\n", encoding="ascii")
    said = session(
        *("run-to 4000000000", r"type Hello\n", "run-to 5000000000", r"type \x62ye\n", "continue"),
        kernel="-kernel",
        options=(build_foreign("parrot"), "-append", "a b", "-initrd", module),
    )
    assert answer(said, "continue")["exit"] == {"reason": "guest", "status": 0}
    assert printed(said).endswith("say something\nyou said: Hello\nbye\n")


def test_what_the_command_typed_comes_again_at_its_cycle_after_going_back(tmp_path):
    said = echoing(
        tmp_path,
        *("run-to 2000000", "type ab", "run-to 4000000", "where", "counters"),
        *("reverse-continue", "run-to 3999000", "run-to 4000000", "where", "counters"),
    )
    first, second = answers(said, "where")
    assert first == second
    first, second = answers(said, "counters")
    assert first == second
    assert printed(said) == ">ab"  # and is echoed once


def test_another_text_typed_by_the_command_in_the_past_begins_another_future(tmp_path):
    said = echoing(
        tmp_path,
        *("run-to 2000000", "type ab", "run-to 4000000", "type q", "continue"),
        *("reverse-stepi 2000", "where", "type zq", "c"),
    )
    assert 2_100_000 < answer(said, "where")["cycle"] < 4_000_000  # behind the echo of ab
    assert answer(said, "c")["exit"]["status"] == 7
    assert printed(said) == ">abq\nzq\n"


def test_what_the_command_typed_and_the_guest_did_not_take_is_in_a_snapshot(tmp_path):
    file = tmp_path / "typed.snap"
    echoing(tmp_path, "run-to 2000000", "type abq", f"save {file}")
    said = session("continue", options=("--from-snapshot", file))
    assert answer(said, "continue")["exit"] == {"reason": "guest", "status": 7}
    assert printed(said) == "abq\n"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("type", r"type what? Write 1 to 65536 bytes, as in type ls\n"),
        (r"type a\qb", r"\q stands for nothing; there are \n, \r, \t, \\ and \xHH"),
        ("type a\\", r"\ stands for nothing; there are \n, \r, \t, \\ and \xHH"),
    ],
)
def test_a_command_that_types_nothing_that_can_be_typed_is_refused(tmp_path, line, sentence):
    (said,) = answers(echoing(tmp_path, line), line)
    assert said["error"] == sentence


def test_the_command_type_is_refused_once_the_guest_has_ended_the_run(tmp_path):
    said = echoing(tmp_path, "type q", "continue", "type x")
    assert answers(said, "type x")[0]["error"] == "the run is over; look around, go back, or quit"


def test_the_command_type_is_refused_where_a_log_is_typed(tmp_path):
    log = tmp_path / "log"
    log.write_text("ringscope-input 1 hz=4000000000\n", encoding="ascii")
    (said,) = answers(echoing(tmp_path, "type q", options=("--replay", log)), "type q")
    assert said["error"] == "--replay types to this guest; start without it to type"
