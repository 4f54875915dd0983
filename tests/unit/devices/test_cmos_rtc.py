# SPDX-License-Identifier: GPL-2.0-or-later
"""The real-time clock against the MC146818 data sheet."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringscope.emulator.devices.cmos_rtc import CmosRtc
from ringscope.emulator.devices.event_queue import EventQueue

START = datetime(2026, 1, 1, tzinfo=UTC)
SECOND, MINUTE, HOUR, WEEKDAY, DAY, MONTH, YEAR, A, B, C, D, CENTURY = (
    0,
    2,
    4,
    6,
    7,
    8,
    9,
    10,
    11,
    12,
    13,
    0x32,
)
SET, PERIODIC, ALARM, UPDATE, BINARY, HOURS_24 = 0x80, 0x40, 0x20, 0x10, 0x04, 0x02


class Driver:
    """The guest's view: registers by index."""

    def __init__(self, clock, wire, start=START):
        self.chip = CmosRtc(clock, 0x70, wire, start)

    def read(self, register):
        self.chip.write_port(0x70, 1, register)
        return self.chip.read_port(0x71, 1)

    def write(self, register, value):
        self.chip.write_port(0x70, 1, register)
        self.chip.write_port(0x71, 1, value)

    def time(self):
        return [self.read(register) for register in (CENTURY, YEAR, MONTH, DAY, HOUR, MINUTE, SECOND)]


class Unwired:
    """A line that leads nowhere."""

    def set(self, level):
        pass


@pytest.fixture
def slow(make_clock):
    """A clock of a million cycles a second: a microsecond each."""
    return make_clock(1_000_000)


@pytest.fixture
def rtc(slow, wire):
    return Driver(slow, wire)


def test_it_shows_the_boards_date_in_decimal_digits(rtc):
    assert rtc.time() == [0x20, 0x26, 0x01, 0x01, 0, 0, 0]
    assert rtc.read(WEEKDAY) == 5  # 1 January 2026 is a Thursday; Sunday is 1


def test_its_seconds_are_simulated_ones(rtc, slow):
    slow.run_to(999_999)
    assert rtc.read(SECOND) == 0
    slow.run_to(1_000_000)
    assert rtc.read(SECOND) == 1


@given(seconds=st.integers(0, 10**9))
def test_it_carries_into_every_field(seconds):
    cycle = 0
    rtc = Driver(EventQueue(1000, lambda: cycle), Unwired())
    rtc.write(B, BINARY | HOURS_24)
    cycle = seconds * 1000
    then = START + timedelta(seconds=seconds)
    century, year = divmod(then.year, 100)
    assert rtc.time() == [century, year, then.month, then.day, then.hour, then.minute, then.second]


@pytest.mark.parametrize(("hour", "shown"), [(0, 0x12), (1, 0x01), (12, 0x92), (23, 0x91)])
def test_in_12_hour_mode_the_top_bit_is_pm_and_midnight_is_12(slow, wire, hour, shown):
    rtc = Driver(slow, wire, START.replace(hour=hour))
    rtc.write(B, 0)
    assert rtc.read(HOUR) == shown


def test_setting_the_time_takes_effect_when_set_is_lifted(rtc, slow):
    rtc.write(B, SET | HOURS_24)
    for register, value in ((HOUR, 0x23), (MINUTE, 0x59), (SECOND, 0x58), (DAY, 0x28), (MONTH, 0x02)):
        rtc.write(register, value)
    slow.run_for(10_000_000)
    assert rtc.read(SECOND) == 0x58
    rtc.write(B, HOURS_24)
    slow.run_for(3_000_000)
    assert rtc.time() == [0x20, 0x26, 0x03, 0x01, 0x00, 0x00, 0x01]


def test_update_in_progress_covers_the_2228_microseconds_before_a_second(rtc, slow):
    slow.run_to(1_000_000 - 2229)
    assert not rtc.read(A) & 0x80
    slow.run_to(1_000_000 - 2228)
    assert rtc.read(A) & 0x80
    slow.run_to(1_000_000)
    assert not rtc.read(A) & 0x80


def test_the_update_interrupt_comes_every_second_once_the_flags_are_read(rtc, slow, wire):
    rtc.write(B, UPDATE | HOURS_24)
    for second in range(1, 4):
        slow.run_to(second * 1_000_000)
        assert wire.level
        assert rtc.read(C) & 0x90 == 0x90  # the request, and the update that made it
        assert not wire.level


def test_an_interrupt_whose_flags_are_not_read_is_the_last(rtc, slow, wire):
    rtc.write(B, UPDATE | HOURS_24)
    slow.run_to(5_000_000)
    assert wire.rises == 1


def test_the_periodic_interrupt_runs_at_the_rate_of_register_a(make_clock, wire):
    clock = make_clock(32_768_000)
    rtc = Driver(clock, wire)
    rtc.write(A, 0x26)  # 1,024 Hz
    rtc.write(B, PERIODIC | HOURS_24)
    fired = 0
    while clock.next_due() <= clock.hz:
        clock.run_to(clock.next_due())
        fired += rtc.read(C) >> 6 & 1
    assert fired == 1024


def test_the_alarm_matches_the_time_it_was_set_to(rtc, slow, wire):
    for register, value in ((1, 0x30), (3, 0x02), (5, 0x01)):
        rtc.write(register, value)
    rtc.write(B, ALARM | HOURS_24)
    slow.run_to((3600 + 150) * 1_000_000 - 1)
    assert not wire.level
    slow.run_to((3600 + 150) * 1_000_000)
    assert wire.level
    assert rtc.read(C) & 0xA0 == 0xA0


def test_an_alarm_field_with_its_two_top_bits_set_matches_anything(rtc, slow, wire):
    for register, value in ((1, 0x15), (3, 0xC0), (5, 0xFF)):
        rtc.write(register, value)
    rtc.write(B, ALARM | HOURS_24)
    slow.run_to(15_000_000)
    assert rtc.read(C) & 0x20
    slow.run_to(74_000_000)
    assert not wire.level
    slow.run_to(75_000_000)
    assert wire.level


def test_flags_rise_without_their_interrupts_and_without_the_line(rtc, slow, wire):
    slow.run_to(1_500_000)
    assert rtc.read(C) == 0x50  # periodic and update, no request
    assert rtc.read(C) == 0
    assert wire.rises == 0


def test_holding_the_divider_stops_the_clock_and_the_first_second_takes_half_of_one(rtc, slow):
    rtc.write(A, 0x76)
    slow.run_for(7_000_000)
    assert rtc.read(SECOND) == 0
    rtc.write(A, 0x26)
    slow.run_for(499_999)
    assert rtc.read(SECOND) == 0
    slow.run_for(1)
    assert rtc.read(SECOND) == 1


def test_the_battery_is_good(rtc):
    assert rtc.read(D) == 0x80


@pytest.mark.parametrize(
    ("ram", "above_1m", "above_16m"),
    [(64 << 20, 63 << 10, 48 << 4), (2 << 20, 1 << 10, 0), (8 << 30, 0xFFFF, 0xBF00)],
)
def test_firmware_leaves_the_memory_sizes(rtc, ram, above_1m, above_16m):
    rtc.chip.set_memory_size(ram)
    assert rtc.read(0x30) | rtc.read(0x31) << 8 == above_1m
    assert rtc.read(0x17) | rtc.read(0x18) << 8 == above_1m
    assert rtc.read(0x34) | rtc.read(0x35) << 8 == above_16m
    assert rtc.read(0x15) | rtc.read(0x16) << 8 == 640


def test_general_memory_is_the_guests(rtc):
    rtc.write(0x40, 0xA5)
    assert rtc.read(0x40) == 0xA5
