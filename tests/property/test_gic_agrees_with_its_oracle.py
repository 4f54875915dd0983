# SPDX-License-Identifier: GPL-2.0-or-later
"""Random guests and chips drive the interrupt controller and a slow, clear one.

Guests obey the architecture: they end the interrupt that they took last, deactivate only what has ended, and
change an interrupt's group only while it is not active.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.gic import Interrupt, Oracle

from ringscope.emulator.devices.gic_v2 import GicV2

if TYPE_CHECKING:
    from collections.abc import Sequence

INTIDS = (3, 27, 30, 33, 34, 79, 287)  # an SGI, two PPIs and some SPIs
SGIS = 16
PRIORITIES = (0x00, 0x01, 0x10, 0x18, 0x40, 0x41, 0x7F, 0x80, 0xA0, 0xFE, 0xFF)
GROUP, SET_ENABLE, CLEAR_ENABLE, SET_PENDING, CLEAR_PENDING, ACTIVE = 0x080, 0x100, 0x180, 0x200, 0x280, 0x300
PRIORITY, CONFIGURATION, SEND = 0x400, 0xC00, 0xF00
CTLR, PMR, BPR, IAR, EOIR, RPR, HPPIR = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14, 0x18
ABPR, AIAR, AEOIR, AHPPIR, DIR = 0x1C, 0x20, 0x24, 0x28, 0x1000

intids = st.sampled_from(INTIDS)
flags = st.booleans()
# Gates are more often open than not, and interrupts taken more often than anything else.
TRAFFIC = (
    st.tuples(st.just("line"), intids.filter(lambda intid: intid >= SGIS), flags),
    st.tuples(st.sampled_from(["take", "take", "end", "send"]), flags, st.none()),
    st.tuples(st.just("pend"), intids, flags),
    st.tuples(st.just("priority"), intids, st.sampled_from(PRIORITIES)),
    st.tuples(st.just("deactivate"), intids, st.none()),
)
SETTINGS = (
    st.tuples(st.sampled_from(["enable", "edge", "group"]), intids, flags),
    st.tuples(st.just("mask"), st.sampled_from((*PRIORITIES, 0xFF, 0xFF, 0xFF)), st.none()),
    st.tuples(st.sampled_from(["bpr", "abpr"]), st.integers(0, 7), st.none()),
    st.tuples(st.just("distributor"), st.sampled_from((0, 1, 2, 3, 3, 3)), st.none()),
    st.tuples(st.just("interface"), st.sampled_from((0, 1, 2, 3, 7, 7, 15, 19, 23, 23)), flags),
)
STEPS = st.one_of(*TRAFFIC, *TRAFFIC, *SETTINGS)


class Pair:
    """The fast controller and the clear one, driven alike."""

    def __init__(self) -> None:
        self.fast = GicV2(0x0800_0000, 0x0801_0000, 256, lambda: None)
        self.clear = Oracle({intid: Interrupt(intid) for intid in INTIDS})
        sgi = self.clear.interrupts[3]
        sgi.enabled = sgi.edge = True
        self.taken = 0

    def _write(self, register: int, intid: int) -> None:
        self.fast.write_mmio(register + intid // 32 * 4, 4, 1 << intid % 32)

    def _bit(self, register: int, intid: int) -> bool:
        return bool(self.fast.read_mmio(register + intid // 32 * 4, 4) >> intid % 32 & 1)

    def _interface(self, register: int, value: int) -> None:
        self.fast.cpu_interface.write_mmio(register, 4, value)

    def line(self, intid: int, level: bool) -> None:
        self.fast.set_line(intid, level)
        self.clear.set_line(intid, level=level)

    def enable(self, intid: int, wanted: bool) -> None:
        self._write(SET_ENABLE if wanted else CLEAR_ENABLE, intid)
        if intid >= SGIS:
            self.clear.interrupts[intid].enabled = wanted

    def pend(self, intid: int, wanted: bool) -> None:
        self._write(SET_PENDING if wanted else CLEAR_PENDING, intid)
        if intid >= SGIS:
            self.clear.interrupts[intid].latched = wanted

    def edge(self, intid: int, wanted: bool) -> None:
        at, shift = CONFIGURATION + intid // 16 * 4, intid % 16 * 2 + 1
        kept = self.fast.read_mmio(at, 4) & ~(1 << shift)
        self.fast.write_mmio(at, 4, kept | wanted << shift)
        if intid >= SGIS:
            self.clear.interrupts[intid].edge = wanted

    def group(self, intid: int, wanted: bool) -> None:
        one = self.clear.interrupts[intid]
        if one.active:
            return
        at = GROUP + intid // 32 * 4
        kept = self.fast.read_mmio(at, 4) & ~(1 << intid % 32)
        self.fast.write_mmio(at, 4, kept | wanted << intid % 32)
        one.group = int(wanted)

    def priority(self, intid: int, value: int) -> None:
        self.fast.write_mmio(PRIORITY + intid, 1, value)
        self.clear.interrupts[intid].priority = value

    def mask(self, value: int, _: None) -> None:
        self._interface(PMR, value)
        self.clear.mask = value

    def bpr(self, value: int, _: None) -> None:
        self._interface(BPR, value)
        self.clear.bpr = value

    def abpr(self, value: int, _: None) -> None:
        self._interface(ABPR, value)
        self.clear.abpr = max(value, 1)

    def distributor(self, value: int, _: None) -> None:
        self.fast.write_mmio(CTLR, 4, value)
        self.clear.forward = [bool(value & 1), bool(value & 2)]

    def interface(self, value: int, split: bool) -> None:
        self._interface(CTLR, value | split << 9)
        self.clear.signal = [bool(value & 1), bool(value & 2)]
        self.clear.ack_ctl, self.clear.fiq_en, self.clear.cbpr = (
            bool(value & 4),
            bool(value & 8),
            bool(value & 16),
        )
        self.clear.eoi_mode = split

    def take(self, alias: bool, _: None) -> None:
        taken = self.fast.cpu_interface.read_mmio(AIAR if alias else IAR, 4)
        assert taken == self.clear.acknowledge(alias=alias)
        self.taken += taken < 1022

    def end(self, _: bool, __: None) -> None:
        if self.clear.served:
            one = self.clear.end()
            self._interface(AEOIR if one.group else EOIR, one.intid)

    def deactivate(self, intid: int, _: None) -> None:
        one = self.clear.interrupts[intid]
        if self.clear.eoi_mode and all(served.interrupt is not one for served in self.clear.served):
            self._interface(DIR, intid)
            one.active = False

    def send(self, _: bool, __: None) -> None:
        self.fast.write_mmio(SEND, 4, 0x0200_0003)
        self.clear.interrupts[3].latched = True

    def compare(self) -> None:
        interface = self.fast.cpu_interface
        assert (interface.interrupt, interface.fast_interrupt) == self.clear.pins
        assert interface.read_mmio(RPR, 4) == self.clear.running
        assert interface.read_mmio(HPPIR, 4) == self.clear.highest_pending(alias=False)
        assert interface.read_mmio(AHPPIR, 4) == self.clear.highest_pending(alias=True)
        for intid, one in self.clear.interrupts.items():
            assert self._bit(SET_PENDING, intid) == one.pending
            assert self._bit(ACTIVE, intid) == one.active


Start = tuple[int, bool]  # of an interrupt: its priority, and whether it is in group 1


def open_pair(control: int, points: tuple[int, int], starts: Sequence[Start]) -> Pair:
    """Both with their gates open, so that most steps have an effect."""
    pair = Pair()
    pair.distributor(3, None)
    pair.interface(control, split=False)
    pair.mask(0xFF, None)
    pair.bpr(points[0], None)
    pair.abpr(points[1], None)
    for intid, (priority, group_1) in zip(INTIDS, starts, strict=True):
        pair.enable(intid, wanted=True)
        pair.priority(intid, priority)
        pair.group(intid, group_1)
    return pair


@settings(max_examples=200, deadline=None)
@given(
    control=st.sampled_from((3, 7, 11, 15, 19, 23)),
    points=st.tuples(st.integers(0, 7), st.integers(1, 7)),
    starts=st.tuples(*(st.tuples(st.sampled_from(PRIORITIES), flags) for _ in INTIDS)),
    steps=st.lists(STEPS, min_size=20, max_size=60),
)
def test_the_controller_signals_shows_and_serves_what_the_oracle_does(control, points, starts, steps):
    pair = open_pair(control, points, starts)
    for name, first, second in steps:
        getattr(pair, name)(first, second)
        pair.compare()


def test_the_steps_reach_nested_interrupts():
    pair = open_pair(7, (0, 1), [(0x80, False)] * len(INTIDS))
    for intid, priority in ((33, 0x80), (34, 0x40), (79, 0x10)):
        pair.priority(intid, priority)
        pair.line(intid, level=True)
        pair.take(alias=False, _=None)
        pair.compare()
    assert (pair.taken, pair.clear.running) == (3, 0x10)
