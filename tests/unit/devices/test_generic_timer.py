# SPDX-License-Identifier: GPL-2.0-or-later
"""The generic timer against the Arm Architecture Reference Manual, chapter D11."""

from __future__ import annotations

import pytest

from ringscope.emulator.devices.generic_timer import GenericTimer, TimerRegister

HZ = 62_500_000
CYCLES = 48  # in a tick, at 3 GHz
ENABLE, IMASK, ISTATUS = 1, 2, 4
R = TimerRegister


@pytest.fixture
def physical(wire):
    return wire


@pytest.fixture
def virtual(wire):
    return type(wire)()


@pytest.fixture
def timer(clock, physical, virtual):
    return GenericTimer(clock, HZ, physical=physical, virtual=virtual)


def test_the_registers_are_numbered_as_mrs_encodes_them():
    def encoded(op0, op1, crn, crm, op2):
        return op0 << 14 | op1 << 11 | crn << 7 | crm << 3 | op2

    assert {register.value: register.name for register in R} == {
        encoded(3, 0, 14, 1, 0): "CNTKCTL_EL1",
        encoded(3, 3, 14, 0, 0): "CNTFRQ_EL0",
        encoded(3, 3, 14, 0, 1): "CNTPCT_EL0",
        encoded(3, 3, 14, 0, 2): "CNTVCT_EL0",
        encoded(3, 3, 14, 2, 0): "CNTP_TVAL_EL0",
        encoded(3, 3, 14, 2, 1): "CNTP_CTL_EL0",
        encoded(3, 3, 14, 2, 2): "CNTP_CVAL_EL0",
        encoded(3, 3, 14, 3, 0): "CNTV_TVAL_EL0",
        encoded(3, 3, 14, 3, 1): "CNTV_CTL_EL0",
        encoded(3, 3, 14, 3, 2): "CNTV_CVAL_EL0",
    }


def test_the_counters_tick_in_simulated_time(timer, clock):
    clock.run_to(clock.hz * 2)
    assert timer.read(R.CNTVCT_EL0) == timer.read(R.CNTPCT_EL0) == 2 * HZ


def test_the_frequency_register_tells_the_rate_and_changes_nothing(timer, clock):
    assert timer.read(R.CNTFRQ_EL0) == HZ
    timer.write(R.CNTFRQ_EL0, 1000)
    clock.run_to(clock.hz)
    assert (timer.read(R.CNTFRQ_EL0), timer.read(R.CNTPCT_EL0)) == (1000, HZ)


def test_a_counter_cannot_be_written(timer):
    with pytest.raises(ValueError, match="CNTVCT_EL0 is read-only"):
        timer.write(R.CNTVCT_EL0, 0)


@pytest.mark.parametrize("name", ["P", "V"])
def test_the_line_rises_on_the_tick_of_the_compare_value(timer, clock, physical, virtual, name):
    line = physical if name == "P" else virtual
    timer.write(R[f"CNT{name}_CVAL_EL0"], 1000)
    timer.write(R[f"CNT{name}_CTL_EL0"], ENABLE)
    clock.run_to(1000 * CYCLES - 1)
    assert not line.level
    clock.run_to(1000 * CYCLES)
    assert line.level
    assert physical.level + virtual.level == 1


def test_the_line_stays_high_until_the_compare_value_moves(timer, clock, virtual):
    timer.write(R.CNTV_TVAL_EL0, 10)
    timer.write(R.CNTV_CTL_EL0, ENABLE)
    clock.run_for(100 * CYCLES)
    assert virtual.level
    timer.write(R.CNTV_TVAL_EL0, 10)
    assert not virtual.level
    clock.run_for(10 * CYCLES)
    assert virtual.level


def test_the_timer_value_counts_down_and_goes_on_below_zero(timer, clock):
    timer.write(R.CNTP_TVAL_EL0, 5)
    clock.run_for(7 * CYCLES)
    assert timer.read(R.CNTP_TVAL_EL0) == 2**32 - 2
    assert timer.read(R.CNTP_CVAL_EL0) == 5


def test_a_timer_value_is_signed(timer, clock, physical):
    clock.run_to(100 * CYCLES)
    timer.write(R.CNTP_TVAL_EL0, 2**32 - 1)
    timer.write(R.CNTP_CTL_EL0, ENABLE)
    assert (timer.read(R.CNTP_CVAL_EL0), physical.level) == (99, True)


def test_a_compare_value_is_unsigned(timer, clock, physical):
    timer.write(R.CNTP_CVAL_EL0, 2**64 - 1)
    timer.write(R.CNTP_CTL_EL0, ENABLE)
    assert (physical.level, timer.physical.armed, clock.next_due()) == (False, False, None)


def test_a_masked_timer_shows_its_status_and_drives_no_line(timer, clock, virtual):
    timer.write(R.CNTV_TVAL_EL0, 10)
    timer.write(R.CNTV_CTL_EL0, ENABLE | IMASK)
    assert timer.read(R.CNTV_CTL_EL0) == ENABLE | IMASK
    clock.run_for(10 * CYCLES)
    assert timer.read(R.CNTV_CTL_EL0) == ENABLE | IMASK | ISTATUS
    assert not virtual.level
    timer.write(R.CNTV_CTL_EL0, ENABLE)
    assert virtual.level


def test_the_status_bit_cannot_be_written(timer):
    timer.write(R.CNTV_CVAL_EL0, 10)
    timer.write(R.CNTV_CTL_EL0, ENABLE | ISTATUS)
    assert timer.read(R.CNTV_CTL_EL0) == ENABLE


def test_a_disabled_timer_never_fires(timer, clock, virtual):
    timer.write(R.CNTV_TVAL_EL0, 10)
    timer.write(R.CNTV_CTL_EL0, ENABLE)
    timer.write(R.CNTV_CTL_EL0, 0)
    clock.run_for(20 * CYCLES)
    assert (virtual.rises, timer.virtual.armed) == (0, False)


def test_a_timer_is_armed_until_it_fires(timer, clock):
    timer.write(R.CNTV_TVAL_EL0, 10)
    timer.write(R.CNTV_CTL_EL0, ENABLE)
    assert timer.virtual.armed
    clock.run_for(10 * CYCLES)
    assert not timer.virtual.armed


@pytest.mark.parametrize(
    ("register", "bit"),
    [
        (R.CNTPCT_EL0, 0x001),
        (R.CNTVCT_EL0, 0x002),
        (R.CNTV_TVAL_EL0, 0x100),
        (R.CNTV_CTL_EL0, 0x100),
        (R.CNTP_CVAL_EL0, 0x200),
    ],
)
def test_the_kernel_opens_each_register_to_el0_by_its_bit(timer, register, bit):
    timer.write(R.CNTKCTL_EL1, 0x303 & ~bit)
    assert not timer.allowed_at_el0(register, writing=False)
    timer.write(R.CNTKCTL_EL1, bit)
    assert timer.read(R.CNTKCTL_EL1) == bit
    assert timer.allowed_at_el0(register, writing=False)


@pytest.mark.parametrize("bit", [0x001, 0x002])
def test_either_counter_opens_the_frequency_for_reading(timer, bit):
    timer.write(R.CNTKCTL_EL1, bit)
    assert timer.allowed_at_el0(R.CNTFRQ_EL0, writing=False)
    assert not timer.allowed_at_el0(R.CNTFRQ_EL0, writing=True)


def test_el0_never_reaches_the_kernels_control_register(timer):
    timer.write(R.CNTKCTL_EL1, 0x3FF)
    assert not timer.allowed_at_el0(R.CNTKCTL_EL1, writing=False)
