# SPDX-License-Identifier: GPL-2.0-or-later
"""The queue of what is due in simulated time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringscope.emulator.devices.event_queue import EventQueue
from ringscope.emulator.devices.oscillator import Oscillator


def test_what_is_due_at_one_cycle_runs_in_the_order_of_asking():
    queue, ran = EventQueue(1000), []
    for name in "abc":
        queue.at(5, lambda _, name=name: ran.append(name))
    queue.run_due(5)
    assert ran == ["a", "b", "c"]


def test_an_action_is_told_when_it_was_due_not_when_it_ran():
    queue, ran = EventQueue(1000), []
    queue.at(5, ran.append)
    queue.run_due(90)
    assert ran == [5]


def test_nothing_runs_before_it_is_due():
    queue, ran = EventQueue(1000), []
    queue.at(5, ran.append)
    queue.run_due(4)
    assert ran == []
    assert queue.next_due() == 5


def test_a_cancelled_event_neither_runs_nor_counts_as_due():
    queue, ran = EventQueue(1000), []
    event = queue.at(5, ran.append)
    queue.at(9, ran.append)
    queue.cancel(event)
    assert queue.next_due() == 9
    queue.run_due(100)
    assert ran == [9]


def test_an_event_added_by_another_runs_in_the_same_call_when_it_is_due():
    queue, ran = EventQueue(1000), []
    queue.at(5, lambda due: queue.at(due + 1, ran.append))
    queue.run_due(6)
    assert ran == [6]


def test_the_machine_hears_of_a_new_earliest_event_and_of_no_other():
    queue, heard = EventQueue(1000), []
    queue.on_earlier = heard.append
    for cycle in (50, 70, 20):
        queue.at(cycle, lambda _: None)
    assert heard == [50, 20]


def test_a_clock_that_stands_still_is_refused():
    with pytest.raises(ValueError, match="above 0"):
        EventQueue(0)


def test_a_crystal_faster_than_the_processor_is_refused():
    with pytest.raises(ValueError, match="does not fit"):
        Oscillator(EventQueue(1000), 1001)


@given(hz=st.integers(1, 5 * 10**9), data=st.data())
def test_the_cycle_of_a_tick_is_the_first_at_which_that_tick_has_come(hz, data):
    frequency = data.draw(st.integers(1, hz))
    tick = data.draw(st.integers(1, 10**12))
    oscillator = Oscillator(EventQueue(hz), frequency)
    cycle = oscillator.cycle_of(tick)
    assert oscillator.ticks(cycle) == tick
    assert oscillator.ticks(cycle - 1) == tick - 1
