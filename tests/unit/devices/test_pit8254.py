# SPDX-License-Identifier: GPL-2.0-or-later
"""The 8254 against its data sheet: closed forms against a counter that is stepped clock by clock."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringscope.emulator.devices.pit8254 import BOTH_BYTES, FREQUENCY, Counter8254, Pit8254


class SteppedCounter:
    """The data sheet's counting element, one CLK pulse at a time. Counts are 16-bit binary."""

    def __init__(self, mode):
        self.mode, self.gate, self.register, self.element = mode, True, None, None
        self.load_due = self.trigger = self.armed = False
        self.out = mode != 0

    def write(self, count):
        first = self.element is None
        self.register = count
        if self.mode in (0, 4) or (self.mode in (2, 3) and first):
            self.load_due = True
        if self.mode == 0:
            self.out = False

    def set_gate(self, level):
        if level and not self.gate:
            self.trigger = True
        if not level and self.mode in (2, 3) and self.element is not None:
            self.out = True
        self.gate = level

    def clock(self):
        trigger, self.trigger = self.trigger, False
        if self.register is None:
            return
        if self.load_due or (trigger and self.mode in (1, 2, 3, 5)):
            self.load_due = False
            self.element = self.register & ~1 if self.mode == 3 else self.register
            self.armed = True
            self.out = self.mode not in (0, 1)
        elif self.element is not None and (self.gate or self.mode in (1, 5)):
            getattr(self, f"_count_{self.mode}")()
        elif self.mode == 4:
            self.out = True

    def _decrement(self):
        self.element = (self.element - 1) & 0xFFFF

    def _count_0(self):
        self._decrement()
        if self.element == 0:
            self.out = True

    _count_1 = _count_0

    def _count_2(self):
        self._decrement()
        if self.element == 0:
            self.element = self.register
        self.out = self.element != 1

    def _count_3(self):
        if self.element == 0:  # the extra clock of an odd count's high half
            self._end_half()
            return
        self.element -= 2
        if self.element == 0 and not (self.odd and self.out):
            self._end_half()

    odd = False

    def _end_half(self):
        self.out = not self.out
        self.element = self.register & ~1
        self.odd = bool(self.register & 1)

    def _count_4(self):
        self._decrement()
        self.out = True
        if self.element == 0 and self.armed:
            self.out, self.armed = False, False

    _count_5 = _count_4


def write_count(counter, tick, count):
    counter.write(tick, count & 0xFF)
    counter.write(tick, count >> 8)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("run"), st.integers(1, 40)),
        st.tuples(st.just("write"), st.integers(2, 25)),
        st.tuples(st.just("gate"), st.booleans()),
    ),
    max_size=25,
)


@pytest.mark.parametrize("mode", range(6))
@given(first=st.integers(2, 25), steps=STEPS)
def test_count_and_output_agree_with_a_counter_stepped_clock_by_clock(mode, first, steps):
    counter, model, tick = Counter8254(), SteppedCounter(mode), 0
    counter.set_mode(mode, BOTH_BYTES, bcd=False)
    for step, argument in [("write", first), ("run", 1), *steps, ("run", 60)]:
        if step == "write":
            write_count(counter, tick, argument)
            model.write(argument)
            if model.element is None or mode != 3:
                model.odd = bool(argument & 1)
        elif step == "gate":
            if argument and not model.gate:
                model.odd = bool(model.register & 1)
            counter.set_gate(tick, argument)
            model.set_gate(argument)
        for _ in range(argument if step == "run" else 1):
            model.clock()
            tick += 1
            assert counter.output(tick) == model.out, f"OUT at tick {tick}"
            if model.element is not None:
                assert counter.count(tick) == model.element, f"count at tick {tick}"


@given(count=st.integers(1, 0x10000), ticks=st.integers(1, 10**9))
def test_a_rate_generator_counts_down_from_its_count_modulo_that(count, ticks):
    counter = Counter8254()
    counter.set_mode(2, BOTH_BYTES, bcd=False)
    write_count(counter, 0, count & 0xFFFF)
    expected = count - (ticks - 1) % count
    assert counter.count(ticks) == expected & 0xFFFF


@pytest.mark.parametrize("mode", [2, 3])
@given(count=st.integers(2, 50))
def test_each_edge_is_foretold(mode, count):
    counter = Counter8254()
    counter.set_mode(mode, BOTH_BYTES, bcd=False)
    write_count(counter, 0, count)
    tick, edges = 1, set()
    while tick < 300:
        tick = counter.next_edge(tick)
        edges.add(tick)
    probe = Counter8254()
    probe.set_mode(mode, BOTH_BYTES, bcd=False)
    write_count(probe, 0, count)
    before = probe.output(1)
    for tick in range(2, 300):
        now = probe.output(tick)
        assert now == before or tick in edges
        before = now


@pytest.fixture
def pit(make_clock, wire):
    """A timer with 1,000 cycles a tick."""
    clock = make_clock(FREQUENCY * 1000)
    return Pit8254(clock, 0x40, wire), clock, wire


def program(pit, control, count):
    pit.write_port(0x43, 1, control)
    index = control >> 6
    pit.write_port(0x40 + index, 1, count & 0xFF)
    pit.write_port(0x40 + index, 1, count >> 8)


def test_firmware_leaves_the_timer_at_18_interrupts_a_second(pit):
    _, clock, wire = pit
    clock.run_to(clock.hz)
    assert wire.rises == FREQUENCY // 65536 + 1  # the line is high at once


@pytest.mark.parametrize("mode", [2, 3])
def test_a_periodic_timer_asks_once_a_period_without_drift(pit, mode):
    timer, clock, wire = pit
    program(timer, 0x30 | mode << 1, 1193)
    before = wire.rises
    clock.run_for(1193 * 1000 * 1000 + 2000)
    assert wire.rises - before == 1000


def test_terminal_count_raises_the_line_once_n_plus_1_ticks_after_the_count_is_written(pit):
    timer, clock, wire = pit
    program(timer, 0x30, 100)
    assert not wire.level
    clock.run_for(100 * 1000)
    assert not wire.level
    clock.run_for(1000)
    assert wire.level
    clock.run_for(10**9)
    assert wire.level


def test_a_latched_count_stays_while_the_counter_runs(pit):
    timer, clock, _ = pit
    program(timer, 0x34, 10_000)
    clock.run_for(501 * 1000)
    timer.write_port(0x43, 1, 0x00)
    clock.run_for(300 * 1000)
    low, high = timer.read_port(0x40, 1), timer.read_port(0x40, 1)
    assert high << 8 | low == 10_000 - 500


def test_read_back_latches_status_and_count_and_status_is_read_first(pit):
    timer, clock, _ = pit
    program(timer, 0x34, 10_000)
    clock.run_for(1000)
    timer.write_port(0x43, 1, 0xC2)
    status, low, high = (timer.read_port(0x40, 1) for _ in range(3))
    assert status == 0x80 | 0x34
    assert high << 8 | low == 10_000


def test_status_says_that_a_count_was_not_yet_loaded(pit):
    timer, _, _ = pit
    program(timer, 0x34, 10_000)
    timer.write_port(0x43, 1, 0xE2)
    assert timer.read_port(0x40, 1) & 0x40


def test_a_binary_coded_count_is_read_as_decimal_digits(pit):
    timer, clock, _ = pit
    program(timer, 0x35, 0x1000)
    clock.run_for(2 * 1000)
    timer.write_port(0x43, 1, 0x00)
    low, high = timer.read_port(0x40, 1), timer.read_port(0x40, 1)
    assert high << 8 | low == 0x0999


def test_the_speakers_counter_counts_only_while_its_gate_is_open(pit):
    timer, clock, _ = pit
    program(timer, 0xB0, 100)
    clock.run_for(10**6)
    assert not timer.speaker_output
    timer.set_speaker_gate(level=True)
    clock.run_for(101 * 1000)
    assert timer.speaker_output


def test_reading_late_loses_no_edge(make_clock, wire):
    clock = make_clock(FREQUENCY * 1000)
    timer = Pit8254(clock, 0x40, wire)
    program(timer, 0x34, 100)
    before = wire.rises
    for _ in range(50):
        clock.now += 100 * 1000  # the events are overdue: the guest is in the middle of a block
        timer.read_port(0x40, 1)
    assert wire.rises - before == pytest.approx(50, abs=1)
