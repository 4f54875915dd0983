# SPDX-License-Identifier: GPL-2.0-or-later
"""What the host does while the guest sleeps: sleep too where a person is waited for, else skip the time."""

from __future__ import annotations

import os
import time

import pytest

from ringscope.emulator.idle import LONGEST_SLEEP, sleep_until

HZ = 4_000_000_000
NOW = 1000


class Source:
    """Host input with or without a terminal."""

    def __init__(self, descriptor, repeats_at=None):
        self._descriptor = descriptor
        self._repeats_at = repeats_at

    def fileno(self):
        return self._descriptor

    def repeats_at(self):
        return self._repeats_at


@pytest.fixture
def terminal():
    """A silent terminal, and the end that types."""
    reading, writing = os.pipe()
    yield Source(reading), writing
    os.close(reading)
    os.close(writing)


def timed(source, seconds):
    """Sleep towards an event so many seconds away; return the seconds of simulated and of real time."""
    started = time.monotonic()
    reached = sleep_until(source, NOW, NOW + int(seconds * HZ), HZ)
    return (reached - NOW) / HZ, time.monotonic() - started


def test_without_a_terminal_idle_time_is_skipped():
    assert sleep_until(Source(None), NOW, NOW + 3600 * HZ, HZ) == NOW + 3600 * HZ


def test_what_was_typed_before_wakes_the_guest_again_when_it_did():
    assert sleep_until(Source(None, NOW + 77), NOW, NOW + 3600 * HZ, HZ) == NOW + 77


@pytest.mark.parametrize("seconds", [0.001, 0.02, LONGEST_SLEEP])
def test_an_event_is_reached_when_real_time_has_come_there(terminal, seconds):
    simulated, real = timed(terminal[0], seconds)
    assert simulated == pytest.approx(seconds)
    assert real >= seconds - 0.001


@pytest.mark.parametrize("seconds", [0.5, 3600])
def test_a_long_sleep_comes_up_for_signals_and_simulated_time_has_not_outrun_real_time(terminal, seconds):
    simulated, real = timed(terminal[0], seconds)
    assert 0 < simulated <= real
    assert simulated >= LONGEST_SLEEP - 0.001


def test_the_host_works_no_more_than_a_tenth_of_the_time_that_it_sleeps(terminal):
    before, slept = time.thread_time(), 0.0
    while slept < 0.3:
        slept += timed(terminal[0], 0.02)[1]
    assert time.thread_time() - before < slept / 10


def test_a_key_wakes_at_once_and_before_the_event(terminal):
    source, typing = terminal
    os.write(typing, b"k")
    simulated, real = timed(source, 3600)
    assert 0 < simulated <= real
    assert real < LONGEST_SLEEP
