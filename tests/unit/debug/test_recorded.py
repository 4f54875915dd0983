# SPDX-License-Identifier: GPL-2.0-or-later
"""Going through a recording: forwards, backwards, to what is wanted; and where the time between went."""

from __future__ import annotations

import pytest

from ringscope.emulator.debug.recorded import PIECE, EventBreakpoint, Recorded
from ringscope.emulator.trace.event import Kind
from ringscope.emulator.trace.recording import Head, Recording, RecordingWriter
from ringscope.emulator.trace.story import Teller
from tests.unit.trace.event_bytes import event, packed
from tests.unit.trace.test_story import CLIENT, ECHO, EVENTS, HZ, NAMES


def recorded(path, events):
    with path.open("wb") as file:
        writer = RecordingWriter(file.write)
        writer.begin(Head("x86_64", "skylake", HZ))
        writer.take(packed(*events))
        writer.finish({CLIENT: "client.elf", ECHO: "echo.elf"}, {})
    return Recorded(Recording(path), NAMES)


@pytest.fixture
def exchange(tmp_path):
    """The exchange of test_story.py, from a file."""
    return recorded(tmp_path / "recording", EVENTS)


def test_each_event_is_told_wherever_one_comes_from_as_in_the_order_of_time(exchange):
    teller = Teller(NAMES)
    teller.survey(EVENTS)
    in_order = list(teller.tell(EVENTS))
    assert [exchange.told(at) for at in reversed(range(5))] == in_order[::-1]


def test_steps_go_no_further_than_there_are_events(exchange):
    assert (exchange.go(3), exchange.position) == (3, 3)
    assert (exchange.go(3), exchange.position) == (1, 4)
    assert (exchange.go(-9), exchange.position) == (-4, 0)


@pytest.mark.parametrize(
    ("word", "stops"),
    [("crossing", [3, 4]), ("ipc", [1]), ("space-switch", [2]), ("interrupt", []), ("page-fault", [])],
)
def test_every_event_of_a_kind_is_found_forwards_and_backwards(exchange, word, stops):
    wanted, forwards, backwards = exchange.is_a(word), [], []
    while exchange.go_to(wanted, back=False):
        forwards.append(exchange.position)
    assert exchange.position == exchange.length - 1
    while exchange.go_to(wanted, back=True):
        backwards.append(exchange.position)
    assert forwards == stops
    begins_so = [0] if word == "crossing" else []
    assert sorted(backwards) == begins_so + [at for at in stops if at != exchange.length - 1]


def test_a_miss_is_no_event(exchange):
    with pytest.raises(ValueError, match="miss is nothing to wait for in a recording"):
        exchange.is_a("miss")


def test_a_breakpoint_meets_events_that_begin_or_end_in_its_place(exchange):
    place = EventBreakpoint("answer", lambda name: name.startswith("echo: answer"))
    at_it = exchange.is_at([place])
    assert [at for at in range(exchange.length) if at_it(at)] == [3, 4]
    assert place.hits == 2


def test_the_time_between_two_events_is_that_of_the_crossings_and_of_the_rings(exchange):
    # ASK at 100 takes 80, then the kernel runs to SENT at 190 and SWITCH at 200, which takes 30; RECEIVED at
    # 240 takes 70, then the user runs to ANSWER at 350.
    assert exchange.spent(0, 4) == {"crossings": 80 + 30 + 70, "kernel": 10 + 10 + 10, "user": 40}
    assert exchange.spent(4, 0) == {"crossings": -180, "kernel": -30, "user": -40}
    assert exchange.spent(2, 2) == {}


def test_a_recording_longer_than_what_is_held_is_gone_through_in_pieces(tmp_path):
    events = [event(Kind.RETURN, time, space=CLIENT) for time in range(2 * PIECE + 5)]
    whole = recorded(tmp_path / "long", events)
    assert whole.length == 2 * PIECE + 5
    for at in (0, PIECE - 1, PIECE, 2 * PIECE + 4, 1):
        assert whole.event(at).time == at
    assert len(whole._piece) <= PIECE
