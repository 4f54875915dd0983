# SPDX-License-Identifier: GPL-2.0-or-later
"""A clock that tests move by hand, wires that remember, and a whole board."""

from __future__ import annotations

import pytest

from ringscope.emulator.devices.event_queue import EventQueue
from ringscope.emulator.platforms.pc import Board, Outputs
from ringscope.emulator.platforms.pc_config import PcConfig

GHZ_3 = 3_000_000_000


class SteppedClock(EventQueue):
    """Time passes only in `run_to` and `run_for`, and every event runs exactly when it is due."""

    def __init__(self, hz):
        self.now = 0
        super().__init__(hz, lambda: self.now)

    def run_to(self, cycle):
        while (due := self.next_due()) is not None and due <= cycle:
            self.now = max(self.now, due)
            self.run_due(self.now)
        self.now = cycle

    def run_for(self, cycles):
        self.run_to(self.now + cycles)


class Wire:
    """Remembers its level and how often it rose."""

    def __init__(self):
        self.level = False
        self.rises = 0

    def set(self, level):
        self.rises += level and not self.level
        self.level = level


@pytest.fixture
def make_clock():
    return SteppedClock


@pytest.fixture
def clock():
    return SteppedClock(GHZ_3)


@pytest.fixture
def wire():
    return Wire()


class Printed:
    """What a board's guest has printed."""

    def __init__(self):
        self.com1 = bytearray()
        self.com2 = bytearray()
        self.debug = bytearray()


@pytest.fixture
def printed():
    return Printed()


@pytest.fixture
def board(clock, printed):
    outputs = Outputs(printed.com1.append, printed.com2.append, printed.debug.append)
    return Board(PcConfig.load(), clock, 64 << 20, outputs)
