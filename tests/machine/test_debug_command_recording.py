# SPDX-License-Identifier: GPL-2.0-or-later
"""``ringscope debug --trace``: the session through a recording, with the commands of a live one."""

from __future__ import annotations

import json

import pytest

from tests.machine.command_line import ringscope

ARCHITECTURES = ("x86_64", "aarch64")


@pytest.fixture(scope="module", params=ARCHITECTURES)
def recording(request, tmp_path_factory):
    """A recording of the bundled system, and its architecture."""
    file = tmp_path_factory.mktemp("debug") / "recording"
    assert ringscope("trace", "--arch", request.param, "--serial", "none", "--record", file).status == 0
    return file, request.param


@pytest.fixture(scope="module")
def session(recording):
    """A function that goes through the recording and returns the answers in their order."""
    file, arch = recording

    def go(*commands, status=0):
        said = ringscope(
            "debug", "--json", "--arch", arch, "--trace", file, typed="\n".join(commands).encode()
        )
        assert said.status == status
        return [json.loads(line) for line in said.out.splitlines()][1:]

    return go


@pytest.fixture(scope="module")
def events(recording):
    """What ``trace`` tells of the recording, a line an event."""
    file, arch = recording
    return ringscope("trace", "--arch", arch, "--read", file).err.splitlines()[1:]


def test_steps_go_through_the_events_that_a_trace_tells(session, events):
    said = session("step", "step 100", "reverse-step 50", "list")
    assert [each["number"] for each in said[:3]] == [1, 101, 51]
    for each in said[:3]:
        line = events[each["number"]]
        assert f"{each['cycle']:,}" in line
        assert each["thread"] in line
        assert each["event"] in line
    assert [each["number"] for each in said[3]["events"]] == list(range(46, 57))


def test_runs_go_to_the_next_event_of_a_kind_and_back(session):
    first, second, back = session("run-to ipc", "run-to ipc", "reverse-run-to ipc")
    assert (first["event"], second["event"]) == ("ipc", "ipc")
    assert first["number"] < second["number"]
    assert back["number"] == first["number"]


def test_a_breakpoint_stops_at_events_of_its_function(session):
    _, hit, again, back = session("break client:program_main", "continue", "continue", "reverse-continue")
    assert "client: program_main+" in f"{hit['from']} {hit['to']}"
    assert hit["number"] < again["number"]
    assert back["number"] == hit["number"]
    assert hit["reason"].startswith("breakpoint 1")


def test_the_cycles_between_two_stops_are_divided_among_rings_and_crossings(session):
    for each in session("run-to ipc", "run-to page-fault", "reverse-step 9", "run-to 3000000"):
        assert sum(each["since"]["causes"].values()) == each["since"]["cycles"]


def test_at_either_end_it_is_said_that_there_is_no_more(session, events):
    end, begin = session("continue", "reverse-continue")
    assert (end["number"], begin["number"]) == (len(events) - 1, 0)
    assert "the end of the recording" in end["reason"]
    assert "the beginning" in begin["reason"]


NEED_A_MACHINE = ("registers", "walk $sp", "threads", "x/4xg $sp", "patch *$pc nop")


@pytest.fixture(scope="module")
def refused(session):
    """The answers to commands that need a machine, by command."""
    return {each["command"]: each for each in session(*NEED_A_MACHINE, status=2)}


@pytest.mark.parametrize("command", NEED_A_MACHINE)
def test_what_needs_a_machine_is_refused_in_one_sentence(refused, command):
    said = refused[command]
    name = said["error"].partition(" ")[0]
    assert said["error"] == f"{name} needs a live machine, and this is a recording, which has events alone"


def test_a_file_that_is_no_recording_is_refused(tmp_path):
    file = tmp_path / "text"
    file.write_text("hello\n")
    said = ringscope("debug", "--trace", file)
    assert (said.status, said.err) == (2, f"ringscope: {file}: not a recording of ringscope trace\n")


def test_a_recording_without_events_is_refused(tmp_path):
    file = tmp_path / "empty"
    words = ("--serial", "none", "--limit-cycles", "1")
    ringscope("trace", *words, "--record", file)
    said = ringscope("debug", "--trace", file)
    assert said.status == 2
    assert "the recording has no events" in said.err
