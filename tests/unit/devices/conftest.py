# SPDX-License-Identifier: GPL-2.0-or-later
"""A clock that tests move by hand, wires that remember, an interrupt controller, and a whole PC."""

from __future__ import annotations

import pytest

from ringscope.emulator.devices.event_queue import EventQueue
from ringscope.emulator.devices.gic_v2 import GicV2
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


CTLR, IGROUPR, ISENABLER, IPRIORITYR, ICFGR = 0x000, 0x080, 0x100, 0x400, 0xC00  # of a GIC distributor
C_CTLR, PMR = 0x00, 0x04  # of its CPU interface


class GicDriver:
    """A guest's view of an interrupt controller, and the lines of its chips.

    `dr` and `dw` read and write the distributor, `cr` and `cw` the CPU interface.
    """

    def __init__(self):
        self.changes = 0
        self.gic = GicV2(0x0800_0000, 0x0801_0000, 256, self.note)

    def note(self):
        self.changes += 1

    def dw(self, register, value, size=4):
        self.gic.write_mmio(register, size, value)

    def dr(self, register, size=4):
        return self.gic.read_mmio(register, size)

    def cw(self, register, value):
        self.gic.cpu_interface.write_mmio(register, 4, value)

    def cr(self, register):
        return self.gic.cpu_interface.read_mmio(register, 4)

    def enable(self, *intids):
        for intid in intids:
            self.dw(ISENABLER + intid // 32 * 4, 1 << intid % 32)

    def edge(self, intid):
        at = ICFGR + intid // 16 * 4
        self.dw(at, self.dr(at) | 2 << intid % 16 * 2)

    def group_1(self, intid):
        at = IGROUPR + intid // 32 * 4
        self.dw(at, self.dr(at) | 1 << intid % 32)

    def priority(self, intid, value):
        self.dw(IPRIORITYR + intid, value, 1)

    def raises(self, intid, level=True):
        self.gic.set_line(intid, level)

    def has(self, array, intid):
        return bool(self.dr(array + intid // 32 * 4) >> intid % 32 & 1)

    @property
    def irq(self):
        return self.gic.cpu_interface.interrupt

    @property
    def fiq(self):
        return self.gic.cpu_interface.fast_interrupt


@pytest.fixture
def reset_gic():
    """A controller as it is after reset."""
    return GicDriver()


@pytest.fixture
def gic(reset_gic):
    """One that forwards everything, with all priorities let through and 27, 33 and 79 enabled."""
    reset_gic.dw(CTLR, 3)
    reset_gic.cw(C_CTLR, 3)
    reset_gic.cw(PMR, 0xFF)
    reset_gic.enable(27, 33, 79)
    return reset_gic
