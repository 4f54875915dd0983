# SPDX-License-Identifier: GPL-2.0-or-later
"""ACPI fixed hardware and the ISA bridge's odd ports."""

from __future__ import annotations

import pytest

from ringscope.emulator.devices.acpi_pm import TIMER_FREQUENCY, AcpiPm
from ringscope.emulator.devices.system_control import SystemControl

EVENT, ENABLE, CONTROL, TIMER = 0x600, 0x602, 0x604, 0x608


@pytest.fixture
def offs():
    return []


@pytest.fixture
def power(make_clock, wire, offs):
    """The chip on a clock of 1,000 cycles a tick of its timer."""
    clock = make_clock(TIMER_FREQUENCY * 1000)
    return AcpiPm(clock, 0x600, wire, lambda: offs.append(clock.now)), clock


def test_sleep_enable_with_the_type_of_s5_powers_off(power, offs):
    power[0].write_port(CONTROL, 2, 0x2000)
    assert offs == [0]


@pytest.mark.parametrize("value", [0x0000, 0x2400, 0x1C01])
def test_no_other_write_of_the_control_register_does(power, offs, value):
    power[0].write_port(CONTROL, 2, value)
    assert offs == []


def test_a_byte_write_of_the_upper_half_powers_off_too(power, offs):
    power[0].write_port(CONTROL + 1, 1, 0x20)
    assert offs == [0]


def test_the_machine_is_in_acpi_mode_whatever_is_written(power):
    power[0].write_port(CONTROL, 2, 0x0002)
    assert power[0].read_port(CONTROL, 2) == 0x0003


def test_the_timer_counts_at_its_rate_in_32_bits(power):
    chip, clock = power
    clock.run_to(clock.hz)
    assert chip.read_port(TIMER, 4) == TIMER_FREQUENCY
    clock.now = ((1 << 32) + 5) * 1000
    assert chip.read_port(TIMER, 4) == 5


def test_its_carry_sets_the_status_bit_until_a_one_is_written(power):
    chip, clock = power
    clock.now = (1 << 23) * 1000 - 1
    assert chip.read_port(EVENT, 2) == 0
    clock.now += 1
    assert chip.read_port(EVENT, 2) == 1
    chip.write_port(EVENT, 2, 1)
    assert chip.read_port(EVENT, 2) == 0


def test_an_enabled_carry_raises_the_sci_until_it_is_cleared(power, wire):
    chip, clock = power
    chip.write_port(ENABLE, 2, 1)
    clock.run_to((1 << 23) * 1000 - 1)
    assert not wire.level
    clock.run_to((1 << 23) * 1000)
    assert wire.level
    chip.write_port(EVENT, 2, 1)
    assert not wire.level
    clock.run_to((2 << 23) * 1000)
    assert wire.level


class Timer:
    """The interval timer as port B sees it."""

    speaker_output = True
    refresh_toggle = True
    gate = None

    def set_speaker_gate(self, level):
        self.gate = level


@pytest.fixture
def resets():
    return []


@pytest.fixture
def bridge(resets):
    return SystemControl(Timer(), resets.append)


@pytest.mark.parametrize(("port", "values"), [(0x92, [0x03]), (0xCF9, [0x02, 0x06])])
def test_both_reset_ports_reset(bridge, resets, port, values):
    for value in values:
        bridge.write_port(port, 1, value)
    assert len(resets) == 1


def test_opening_a20_resets_nothing(bridge, resets):
    bridge.write_port(0x92, 1, 0x02)
    assert (resets, bridge.read_port(0x92, 1)) == ([], 0x02)


def test_port_b_shows_the_timers_output_and_drives_its_gate(bridge):
    bridge.write_port(0x61, 1, 0x01)
    assert bridge._timer.gate is True
    assert bridge.read_port(0x61, 1) == 0x31
