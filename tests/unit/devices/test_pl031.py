# SPDX-License-Identifier: GPL-2.0-or-later
"""The PL031 real-time clock against its technical reference manual (DDI 0224)."""

from __future__ import annotations

from datetime import datetime

import pytest

from ringscope.emulator.devices.pl031 import Pl031

DR, MR, LR, CR, IMSC, RIS, MIS, ICR = range(0x00, 0x20, 4)
NEW_YEAR = 1_767_225_600  # 2026-01-01T00:00:00Z, in seconds since 1970


@pytest.fixture
def rtc(clock, wire):
    return Pl031(clock, 0x0901_0000, wire, datetime(2026, 1, 1))  # noqa: DTZ001  # as TOML gives a local date


def read(rtc, register):
    return rtc.read_mmio(register, 4)


def write(rtc, register, value):
    rtc.write_mmio(register, 4, value)


def test_it_identifies_itself_as_a_primecell_of_part_031(rtc):
    registers = [read(rtc, at) for at in range(0xFE0, 0x1000, 4)]
    assert registers == [0x31, 0x10, 0x14, 0x00, 0x0D, 0xF0, 0x05, 0xB1]


def test_it_starts_at_the_boards_date_and_counts_simulated_seconds(rtc, clock):
    assert read(rtc, DR) == NEW_YEAR
    clock.run_to(clock.hz * 60 - 1)
    assert read(rtc, DR) == NEW_YEAR + 59
    clock.run_for(1)
    assert read(rtc, DR) == NEW_YEAR + 60


def test_it_is_always_enabled(rtc):
    write(rtc, CR, 0)
    assert read(rtc, CR) == 1


def test_it_can_be_set(rtc, clock):
    clock.run_to(clock.hz // 2)
    write(rtc, LR, 1000)
    assert (read(rtc, DR), read(rtc, LR)) == (1000, 1000)
    clock.run_for(clock.hz)
    assert read(rtc, DR) == 1001


def test_the_match_interrupts_at_its_second(rtc, clock, wire):
    write(rtc, MR, NEW_YEAR + 3)
    write(rtc, IMSC, 1)
    assert rtc.expecting
    clock.run_to(3 * clock.hz - 1)
    assert not wire.level
    clock.run_for(1)
    assert wire.level
    assert (read(rtc, RIS), read(rtc, MIS)) == (1, 1)


def test_a_masked_match_is_seen_by_polling_alone(rtc, clock, wire):
    write(rtc, MR, NEW_YEAR + 1)
    assert not rtc.expecting
    clock.run_to(5 * clock.hz)
    assert (read(rtc, RIS), read(rtc, MIS), wire.level) == (1, 0, False)
    write(rtc, IMSC, 1)
    assert wire.level


def test_a_match_that_was_cleared_does_not_come_again(rtc, clock, wire):
    write(rtc, MR, NEW_YEAR + 1)
    write(rtc, IMSC, 1)
    clock.run_to(clock.hz)
    write(rtc, ICR, 1)
    assert not wire.level
    clock.run_to(10 * clock.hz)
    assert wire.rises == 1


def test_a_match_with_the_present_second_is_one(rtc, wire):
    write(rtc, IMSC, 1)
    write(rtc, MR, NEW_YEAR)
    assert wire.level
