# SPDX-License-Identifier: GPL-2.0-or-later
"""The I/O APIC against the 82093AA data sheet."""

from __future__ import annotations

import pytest

from ringscope.emulator.devices.io_apic import IoApic

MASKED, LEVEL, REMOTE_IRR = 0x10000, 0x8000, 0x4000


class Bus:
    """The I/O APIC, and the messages it sent."""

    def __init__(self):
        self.sent = []
        self.accepts = True
        self.chip = IoApic(1, self._deliver, lambda: None)

    def _deliver(self, message):
        self.sent.append(message)
        return self.accepts

    def read(self, register):
        self.chip.write_mmio(0x00, 4, register)
        return self.chip.read_mmio(0x10, 4)

    def write(self, register, value):
        self.chip.write_mmio(0x00, 4, register)
        self.chip.write_mmio(0x10, 4, value)

    def program(self, pin, low, high=0):
        self.write(0x11 + 2 * pin, high)
        self.write(0x10 + 2 * pin, low)


@pytest.fixture
def bus():
    return Bus()


def test_there_are_24_pins_all_masked(bus):
    assert bus.read(1) == 0x170011
    assert all(bus.read(0x10 + 2 * pin) == MASKED for pin in range(24))


def test_the_identity_is_kept(bus):
    bus.write(0, 0x05000000)
    assert bus.read(0) == 0x05000000


def test_an_edge_sends_the_entrys_vector_to_its_destination(bus):
    bus.program(4, 0x0824, 0x03000000)
    bus.chip.set_line(4, True)
    (message,) = bus.sent
    assert (message.vector, message.destination, message.logical, message.level) == (0x24, 3, True, False)


def test_a_line_that_stays_high_sends_one_message(bus):
    bus.program(4, 0x24)
    bus.chip.set_line(4, True)
    bus.chip.set_line(4, True)
    assert len(bus.sent) == 1


def test_an_edge_on_a_masked_pin_is_lost(bus):
    bus.chip.set_line(4, True)
    bus.program(4, 0x24)
    assert bus.sent == []


def test_a_level_on_a_masked_pin_counts_when_it_is_unmasked(bus):
    bus.chip.set_line(9, True)
    bus.program(9, LEVEL | 0x29)
    assert len(bus.sent) == 1


def test_a_level_is_sent_again_at_its_end_while_it_lasts(bus):
    bus.program(9, LEVEL | 0x29)
    bus.chip.set_line(9, True)
    assert bus.read(0x10 + 18) & REMOTE_IRR
    bus.chip.end_of_interrupt(0x29)
    assert len(bus.sent) == 2
    bus.chip.set_line(9, False)
    bus.chip.end_of_interrupt(0x29)
    assert len(bus.sent) == 2
    assert not bus.read(0x10 + 18) & REMOTE_IRR


def test_remote_irr_holds_back_a_second_message(bus):
    bus.program(9, LEVEL | 0x29)
    for level in (True, False, True):
        bus.chip.set_line(9, level)
    assert len(bus.sent) == 1


def test_the_end_of_another_vector_changes_nothing(bus):
    bus.program(9, LEVEL | 0x29)
    bus.chip.set_line(9, True)
    bus.chip.end_of_interrupt(0x30)
    assert len(bus.sent) == 1


def test_a_message_nobody_takes_leaves_remote_irr_clear(bus):
    bus.accepts = False
    bus.program(9, LEVEL | 0x29)
    bus.chip.set_line(9, True)
    assert not bus.read(0x10 + 18) & REMOTE_IRR


def test_delivery_status_and_remote_irr_cannot_be_written(bus):
    bus.program(9, MASKED | LEVEL | REMOTE_IRR | 0x1000 | 0x29)
    assert bus.read(0x10 + 18) == MASKED | LEVEL | 0x29


def test_pin_0_as_extint_opens_the_second_virtual_wire(bus):
    assert not bus.chip.external_open
    bus.program(0, 0x700)
    assert bus.chip.external_open
