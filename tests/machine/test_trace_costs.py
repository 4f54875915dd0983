# SPDX-License-Identifier: GPL-2.0-or-later
"""A trace takes no more than the time of its run again, where there is most to trace, and little memory."""

from __future__ import annotations

import time

import pytest

from ringscope.bootimage import BootRequest, architecture_of
from ringscope.emulator.machine import Machine, MachineConfig
from ringscope.emulator.trace.recorder import CAPACITY, LastEvents, Recorder
from ringscope.emulator.trace.recording import Head, RecordingWriter
from tests.guest import catalogue

#: Nothing but system calls that return at once: two events in some 150 cycles.
GUESTS = ("crossings", "aarch64/crossings")
CYCLES = 40_000_000
TRIES = 3  # the shortest counts: what disturbs a run makes it longer
MOST = 10_000  # events


@pytest.fixture(scope="module", params=GUESTS)
def guest(request):
    return catalogue.build(catalogue.by_name(request.param))


def seconds(guest, *takers):
    """The processor's seconds of a run, traced if there is somebody to take the events."""
    arch = architecture_of(guest)
    machine = Machine(MachineConfig(32 << 20, arch=arch), lambda _: None)
    machine.load(machine.system.read_image(BootRequest(guest)))
    began = time.process_time()
    if takers:
        with Recorder(machine.engine, takers, 0, 0):
            machine.run(CYCLES)
    else:
        machine.run(CYCLES)
    took = time.process_time() - began
    crossed = machine.books().total("mode-switches")
    machine.engine.close()
    assert crossed > CYCLES // 200  # or there is nothing to be traced
    return took


@pytest.mark.parametrize("how", ["kept", "streamed"])
def test_a_traced_run_takes_at_most_twice_the_time(guest, how, tmp_path):
    with (tmp_path / "recording").open("wb") as file:
        writer = RecordingWriter(file.write)
        writer.begin(Head(architecture_of(guest) or "", "any", 1))
        take = LastEvents(MOST).take if how == "kept" else writer.take
        seconds(guest)  # what is built and loaded once does not count
        plain = min(seconds(guest) for _ in range(TRIES))
        traced = min(seconds(guest, take) for _ in range(TRIES))
    assert traced <= 2 * plain


def test_a_trace_that_is_not_streamed_keeps_no_more_than_it_was_told_and_a_buffer(guest):
    last = LastEvents(MOST)
    kept = []
    seconds(guest, last.take, lambda _: kept.append(last._count))
    assert last.dropped > 10 * MOST
    assert max(kept) <= MOST + CAPACITY
