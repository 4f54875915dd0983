# SPDX-License-Identifier: GPL-2.0-or-later
"""The local APIC against the Intel SDM, vol. 3."""

from __future__ import annotations

import pytest

from ringscope.emulator.devices.interfaces import DeliveryMode, InterruptMessage
from ringscope.emulator.devices.local_apic import LocalApic

ID, VERSION, TPR, PPR, EOI, LDR, DFR, SVR = 0x20, 0x30, 0x80, 0xA0, 0xB0, 0xD0, 0xE0, 0xF0
ISR, TMR, IRR, ESR, ICR_LOW, ICR_HIGH = 0x100, 0x180, 0x200, 0x280, 0x300, 0x310
LVT_TIMER, LVT_LINT0, LVT_ERROR, INITIAL, CURRENT, DIVIDE = 0x320, 0x350, 0x370, 0x380, 0x390, 0x3E0
MASKED = 0x10000
TIMER_HZ = 24_000_000
CYCLES = 125  # a tick at 3 GHz


class Pic:
    """What the local APIC sees of the 8259s."""

    interrupt = False

    def acknowledge(self):
        return 0x77


class Host:
    """The wires around the APIC."""

    def __init__(self, clock):
        self.pic = Pic()
        self.nmis = 0
        self.ended = []
        self.apic = LocalApic(
            clock, TIMER_HZ, self.pic, lambda: None, on_nmi=self._nmi, end_of_interrupt=self.ended.append
        )

    def _nmi(self):
        self.nmis += 1

    def read(self, register):
        return self.apic.read_mmio(register, 4)

    def write(self, register, value):
        self.apic.write_mmio(register, 4, value)

    def send(self, vector, mode=DeliveryMode.FIXED, *, level=False, destination=0, logical=False):
        return self.apic.deliver(InterruptMessage(vector, mode, destination, logical, level))


@pytest.fixture
def host(clock):
    return Host(clock)


def test_firmware_leaves_virtual_wire_mode(host):
    host.pic.interrupt = True
    assert host.apic.interrupt
    assert host.apic.acknowledge() == 0x77


def test_masking_lint0_closes_the_virtual_wire(host):
    host.pic.interrupt = True
    host.write(LVT_LINT0, MASKED | 0x700)
    assert not host.apic.interrupt


def test_an_apic_that_is_off_lets_the_8259_through_and_takes_no_message(host):
    host.write(LVT_LINT0, MASKED)
    assert host.apic.write_apic_base(0xFEE00100)
    assert not host.send(0x40)
    host.pic.interrupt = True
    assert host.apic.interrupt


def test_turning_x2apic_on_is_a_fault(host):
    assert not host.apic.write_apic_base(0xFEE00D00)


def test_the_higher_vector_is_taken_first(host):
    host.send(0x41)
    host.send(0x52)
    assert [host.apic.acknowledge(), host.apic.deliverable()] == [0x52, 0]
    host.write(EOI, 0)
    assert host.apic.acknowledge() == 0x41


def test_a_vector_in_the_class_in_service_waits_for_the_end(host):
    host.send(0x41)
    host.apic.acknowledge()
    host.send(0x4F)
    assert not host.apic.interrupt
    host.write(EOI, 0)
    assert host.apic.acknowledge() == 0x4F


def test_the_task_priority_holds_back_its_class_and_those_below(host):
    host.write(TPR, 0x50)
    host.send(0x5F)
    assert not host.apic.interrupt
    host.apic.set_task_priority(4)
    assert host.apic.interrupt
    assert host.read(TPR) == 0x40


def test_the_processor_priority_is_the_higher_of_task_and_service(host):
    host.send(0x63)
    host.apic.acknowledge()
    assert host.read(PPR) == 0x60
    host.write(TPR, 0x75)
    assert host.read(PPR) == 0x75


def test_requests_and_service_show_in_their_registers(host):
    host.send(0x41)
    assert host.read(IRR + 0x20) == 1 << 1
    host.apic.acknowledge()
    assert (host.read(IRR + 0x20), host.read(ISR + 0x20)) == (0, 1 << 1)


def test_an_acknowledge_that_finds_nothing_gives_the_spurious_vector_and_no_service(host):
    host.write(LVT_LINT0, MASKED)
    host.write(SVR, 0x1EF)
    host.send(0x41)
    host.write(TPR, 0xF0)
    assert host.apic.acknowledge() == 0xEF
    assert host.read(ISR + 0x20) == 0


def test_the_end_of_a_level_triggered_interrupt_is_broadcast_and_of_an_edge_is_not(host):
    host.send(0x41)
    host.apic.acknowledge()
    host.write(EOI, 0)
    host.send(0x42, level=True)
    assert host.read(TMR + 0x20) == 1 << 2
    host.apic.acknowledge()
    host.write(EOI, 0)
    assert host.ended == [0x42]


def test_software_disabling_masks_every_local_entry_and_refuses_messages(host):
    host.write(LVT_TIMER, 0x40)
    host.write(SVR, 0xFF)
    assert host.read(LVT_TIMER) == MASKED | 0x40
    assert not host.send(0x40)
    host.write(LVT_TIMER, 0x40)
    assert host.read(LVT_TIMER) & MASKED


@pytest.mark.parametrize("shorthand", [0x40000, 0x80000])
def test_an_interrupt_sent_to_self_arrives(host, shorthand):
    host.write(ICR_LOW, shorthand | 0x66)
    assert host.apic.acknowledge() == 0x66


def test_an_interrupt_sent_to_all_but_self_does_not(host):
    host.write(ICR_LOW, 0xC0000 | 0x66)
    assert not host.apic.interrupt


def test_a_physical_destination_is_the_identity(host):
    host.write(ICR_HIGH, 1 << 24)
    host.write(ICR_LOW, 0x66)
    assert not host.apic.interrupt
    host.write(ICR_HIGH, 0)
    host.write(ICR_LOW, 0x66)
    assert host.apic.interrupt


@pytest.mark.parametrize(
    ("dfr", "ldr", "hit", "miss"), [(0xF0000000, 0x04, 0x06, 0x0B), (0, 0x24, 0x26, 0x34)]
)
def test_a_logical_destination_is_matched_in_the_flat_and_in_the_cluster_model(host, dfr, ldr, hit, miss):
    host.write(DFR, dfr)
    host.write(LDR, ldr << 24)
    assert host.send(0x50, destination=hit, logical=True)
    assert not host.send(0x50, destination=miss, logical=True)


def test_a_non_maskable_interrupt_goes_past_the_priorities(host):
    host.write(TPR, 0xFF)
    host.write(ICR_LOW, 0x40400)
    assert host.nmis == 1


def test_start_up_messages_to_absent_processors_vanish(host):
    host.write(ICR_LOW, 0xC4500)
    host.write(ICR_LOW, 0xC4608)
    assert not host.apic.interrupt
    assert host.read(ICR_LOW) & 0x1000 == 0


def test_sending_a_vector_below_16_is_an_error_that_shows_after_a_write_of_the_error_register(host):
    host.write(LVT_ERROR, 0xFE)
    host.write(ICR_LOW, 0x40005)
    assert host.read(ESR) == 0
    host.write(ESR, 0)
    assert host.read(ESR) == 0x20
    assert host.apic.acknowledge() == 0xFE


def test_lint0_as_a_fixed_interrupt_delivers_its_own_vector_on_the_8259s_edge(host):
    host.write(LVT_LINT0, 0x45)
    host.pic.interrupt = True
    host.apic.external_changed()
    assert host.apic.acknowledge() == 0x45


def test_the_version_says_six_local_entries(host):
    assert host.read(VERSION) == 0x50014


class TestTimer:
    """The APIC timer."""

    def test_one_shot_fires_once_after_count_times_divider_ticks(self, host, clock):
        host.write(DIVIDE, 0x3)  # by 16
        host.write(LVT_TIMER, 0x40)
        host.write(INITIAL, 1000)
        clock.run_for(1000 * 16 * CYCLES - 1)
        assert not host.apic.interrupt
        clock.run_for(1)
        assert host.apic.acknowledge() == 0x40
        host.write(EOI, 0)
        clock.run_for(10**9)
        assert not host.apic.interrupt
        assert host.read(CURRENT) == 0

    def test_periodic_fires_every_period_without_drift(self, make_clock):
        clock = make_clock(2_999_999_999)  # a period that is no whole number of cycles
        host = Host(clock)
        host.write(DIVIDE, 0xB)  # by 1
        host.write(LVT_TIMER, 0x20040)
        host.write(INITIAL, 24_000)
        fired = 0
        while clock.next_due() <= clock.hz:
            clock.run_to(clock.next_due())
            assert host.apic.acknowledge() == 0x40
            host.write(EOI, 0)
            fired += 1
        assert fired == 1000

    def test_the_current_count_runs_down(self, host, clock):
        host.write(DIVIDE, 0x0)  # by 2
        host.write(LVT_TIMER, MASKED)
        host.write(INITIAL, 5000)
        clock.run_for(100 * 2 * CYCLES)
        assert host.read(CURRENT) == 4900

    @pytest.mark.parametrize(
        ("code", "divider"), [(0, 2), (1, 4), (2, 8), (3, 16), (8, 32), (9, 64), (10, 128), (11, 1)]
    )
    def test_the_divider_is_coded_in_bits_0_1_and_3(self, host, code, divider):
        host.write(DIVIDE, code)
        assert host.apic.timer.divider == divider

    def test_a_masked_timer_counts_and_asks_for_nothing(self, host, clock):
        host.write(LVT_TIMER, MASKED | 0x40)
        host.write(INITIAL, 10)
        clock.run_for(10**6)
        assert not host.apic.interrupt

    def test_writing_zero_stops_it(self, host, clock):
        host.write(LVT_TIMER, 0x40)
        host.write(INITIAL, 1000)
        host.write(INITIAL, 0)
        clock.run_for(10**9)
        assert not host.apic.interrupt

    def test_the_deadline_is_a_value_of_the_time_stamp_counter(self, host, clock):
        host.write(LVT_TIMER, 0x40040)
        host.apic.write_tsc_deadline(5000)
        clock.run_to(4999)
        assert not host.apic.interrupt
        clock.run_to(5000)
        assert host.apic.acknowledge() == 0x40
        assert host.apic.timer.deadline == 0

    def test_a_deadline_that_has_passed_fires_at_once(self, host, clock):
        clock.run_to(9000)
        host.write(LVT_TIMER, 0x40040)
        host.apic.write_tsc_deadline(5000)
        clock.run_to(9000)
        assert host.apic.interrupt

    def test_in_deadline_mode_the_initial_count_is_ignored(self, host, clock):
        host.write(LVT_TIMER, 0x40040)
        host.write(INITIAL, 10)
        clock.run_for(10**6)
        assert not host.apic.interrupt
