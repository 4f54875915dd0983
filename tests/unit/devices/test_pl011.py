# SPDX-License-Identifier: GPL-2.0-or-later
"""The PL011 UART against its technical reference manual (DDI 0183)."""

from __future__ import annotations

import pytest

from ringscope.emulator.devices.pl011 import Pl011

DR, RSR, FR, IBRD, FBRD, LCR_H, CR = 0x00, 0x04, 0x18, 0x24, 0x28, 0x2C, 0x30
IFLS, IMSC, RIS, MIS, ICR, DMACR = 0x34, 0x38, 0x3C, 0x40, 0x44, 0x48
BUSY, RXFE, TXFF, RXFF, TXFE = 0x08, 0x10, 0x20, 0x40, 0x80
RX, TX, RT, OVERRUN = 0x010, 0x020, 0x040, 0x400
FIFOS, EIGHT_BITS = 0x10, 0x60
ENABLED, LOOP, TRANSMIT, RECEIVE = 0x001, 0x080, 0x100, 0x200
CLOCK_HZ = 24_000_000


class Driver:
    """The guest's view of the chip."""

    def __init__(self, clock, wire, *, programmed_rate):
        self.sent = bytearray()
        self.chip = Pl011(
            clock, 0x0900_0000, wire, self.sent.append, CLOCK_HZ, programmed_rate=programmed_rate
        )

    def read(self, register, size=4):
        return self.chip.read_mmio(register, size)

    def write(self, register, value):
        self.chip.write_mmio(register, 4, value)


@pytest.fixture
def uart(clock, wire):
    return Driver(clock, wire, programmed_rate=False)


@pytest.fixture
def slow_uart(clock, wire):
    """1.5 million baud, 8 data bits, FIFOs: a frame of 10 bits takes 20,000 cycles at 3 GHz."""
    driver = Driver(clock, wire, programmed_rate=True)
    driver.write(IBRD, 1)
    driver.write(FBRD, 0)
    driver.write(LCR_H, EIGHT_BITS | FIFOS)
    return driver


def test_it_identifies_itself_as_a_primecell_of_part_011(uart):
    registers = [uart.read(at) for at in range(0xFE0, 0x1000, 4)]
    assert registers == [0x11, 0x10, 0x14, 0x00, 0x0D, 0xF0, 0x05, 0xB1]


def test_a_byte_written_is_sent_and_the_transmitter_is_empty_again(uart):
    uart.write(DR, 0x41)
    assert uart.sent == b"A"
    assert uart.read(FR) & (BUSY | TXFF | TXFE) == TXFE


def test_a_byte_received_is_read_once(uart):
    assert uart.read(FR) & (RXFE | RXFF) == RXFE
    uart.chip.receive(0x42)
    assert uart.read(FR) & (RXFE | RXFF) == RXFF
    assert uart.read(DR) == 0x42
    assert uart.read(FR) & RXFE


def test_a_register_may_be_read_by_bytes(uart):
    uart.write(IBRD, 0x1234)
    assert (uart.read(IBRD, 1), uart.read(IBRD + 1, 1), uart.read(IBRD, 2)) == (0x34, 0x12, 0x1234)


def test_registers_keep_the_bits_they_have(uart):
    for register, kept in (
        (IBRD, 0xFFFF),
        (FBRD, 0x3F),
        (LCR_H, 0xFF),
        (IFLS, 0x3F),
        (IMSC, 0x7FF),
        (DMACR, 7),
    ):
        uart.write(register, 0xFFFFFFFF)
        assert uart.read(register) == kept


def test_a_loader_left_it_at_115200_baud(uart):
    divisor = uart.read(IBRD) + uart.read(FBRD) / 64
    assert CLOCK_HZ / (16 * divisor) == pytest.approx(115_200, rel=0.001)


class TestSending:
    """The transmit FIFO and its interrupt."""

    def test_a_byte_occupies_the_line_for_one_frame(self, slow_uart, clock):
        slow_uart.write(DR, 0x41)
        assert slow_uart.read(FR) & BUSY
        clock.run_for(19_999)
        assert slow_uart.sent == b""
        clock.run_for(1)
        assert slow_uart.sent == b"A"
        assert not slow_uart.read(FR) & BUSY

    def test_parity_and_a_second_stop_bit_lengthen_the_frame(self, slow_uart, clock):
        slow_uart.write(LCR_H, EIGHT_BITS | 0x08 | 0x02)
        slow_uart.write(DR, 0x41)
        clock.run_for(23_999)
        assert slow_uart.sent == b""
        clock.run_for(1)
        assert slow_uart.sent == b"A"

    def test_short_characters_lose_their_upper_bits(self, uart):
        uart.write(LCR_H, 0x40)
        uart.write(DR, 0xC1)
        assert uart.sent == b"A"

    def test_the_fifo_holds_16_besides_the_byte_on_the_wire(self, slow_uart, clock):
        for byte in range(17):
            assert not slow_uart.read(FR) & TXFF
            slow_uart.write(DR, byte)
        assert slow_uart.read(FR) & TXFF
        slow_uart.write(DR, 99)
        clock.run_for(18 * 20_000)
        assert slow_uart.sent == bytes(range(17))

    def test_without_fifos_one_byte_waits(self, slow_uart):
        slow_uart.write(LCR_H, EIGHT_BITS)
        slow_uart.write(DR, 1)
        assert slow_uart.read(FR) & (TXFF | TXFE) == TXFE
        slow_uart.write(DR, 2)
        assert slow_uart.read(FR) & (TXFF | TXFE) == TXFF

    def test_enabling_the_interrupt_alone_raises_nothing(self, uart, wire):
        uart.write(IMSC, TX)
        assert (wire.level, uart.read(RIS)) == (False, 0)

    def test_each_byte_that_leaves_raises_the_interrupt_anew(self, uart, wire):
        uart.write(IMSC, TX)
        uart.write(DR, 1)
        assert (wire.level, uart.read(RIS), uart.read(MIS)) == (True, TX, TX)
        uart.write(DR, 2)
        assert wire.rises == 2

    def test_the_interrupt_is_cleared_by_its_bit(self, uart, wire):
        uart.write(IMSC, TX)
        uart.write(DR, 1)
        uart.write(ICR, RX)
        assert wire.level
        uart.write(ICR, TX)
        assert (wire.level, uart.read(RIS)) == (False, 0)

    def test_the_interrupt_comes_when_the_fifo_has_fallen_to_its_level(self, slow_uart, clock, wire):
        slow_uart.write(IFLS, 0)  # an eighth: 2 bytes
        slow_uart.write(IMSC, TX)
        for byte in range(5):
            slow_uart.write(DR, byte)
        assert not wire.level
        clock.run_for(19_999)
        assert not wire.level  # one on the wire, four wait
        clock.run_for(20_001)
        assert wire.level  # two wait

    def test_what_is_written_while_the_transmitter_is_off_waits(self, uart):
        uart.write(LCR_H, EIGHT_BITS | FIFOS)
        uart.write(CR, ENABLED | RECEIVE)
        uart.write(DR, 0x41)
        uart.write(DR, 0x42)
        assert (uart.sent, uart.read(FR) & TXFE) == (b"", 0)
        uart.write(CR, ENABLED | TRANSMIT)
        assert uart.sent == b"AB"

    def test_in_loopback_it_hears_itself_and_nobody_else_does(self, uart):
        uart.write(CR, ENABLED | LOOP | TRANSMIT | RECEIVE)
        uart.write(DR, 0x41)
        assert (uart.read(DR), uart.sent) == (0x41, b"")


class TestReceiving:
    """The receive FIFO and its interrupts."""

    def test_without_fifos_every_byte_interrupts_until_it_is_read(self, uart, wire):
        uart.write(IMSC, RX)
        uart.chip.receive(1)
        assert wire.level
        uart.read(DR)
        assert not wire.level

    @pytest.mark.parametrize(("level", "count"), [(0, 2), (1, 4), (2, 8), (3, 12), (4, 14)])
    def test_the_interrupt_comes_at_the_trigger_level_and_ends_below_it(self, uart, wire, level, count):
        uart.write(LCR_H, EIGHT_BITS | FIFOS)
        uart.write(IFLS, level << 3)
        uart.write(IMSC, RX)
        for byte in range(count):
            assert not wire.level
            uart.chip.receive(byte)
        assert wire.level
        uart.read(DR)
        assert not wire.level

    def test_bytes_that_lie_unread_for_32_bit_periods_time_out(self, slow_uart, clock, wire):
        slow_uart.write(IMSC, RT)
        slow_uart.chip.receive(1)
        clock.run_for(32 * 2000 - 1)
        assert not wire.level
        clock.run_for(1)
        assert wire.level
        slow_uart.read(DR)
        assert not wire.level

    def test_a_further_byte_puts_the_timeout_off(self, slow_uart, clock):
        slow_uart.chip.receive(1)
        clock.run_for(60_000)
        slow_uart.chip.receive(2)
        clock.run_for(60_000)
        assert not slow_uart.read(RIS) & RT
        assert slow_uart.chip.expecting

    def test_a_byte_too_many_is_lost_and_said_so(self, uart):
        uart.chip.receive(1)
        uart.chip.receive(2)
        assert uart.read(RIS) & OVERRUN
        assert uart.read(RSR) == 8
        assert uart.read(DR) == 0x801
        uart.write(RSR, 0)
        assert (uart.read(RSR), uart.read(FR) & RXFE) == (0, RXFE)

    def test_switching_the_fifos_empties_them(self, uart):
        uart.chip.receive(1)
        uart.write(LCR_H, EIGHT_BITS | FIFOS)
        assert uart.read(FR) & RXFE
        assert uart.read(RIS) == 0

    def test_a_receiver_that_is_off_hears_nothing(self, uart):
        uart.write(CR, ENABLED | TRANSMIT)
        uart.chip.receive(1)
        assert uart.read(FR) & RXFE


class TestListening:
    """When the host's input is offered."""

    def test_a_guest_that_enabled_no_interrupt_does_not_listen(self, uart):
        assert not uart.chip.ready

    @pytest.mark.parametrize("interrupt", [RX, RT])
    def test_a_guest_with_a_receive_interrupt_listens(self, uart, interrupt):
        uart.write(IMSC, interrupt)
        assert uart.chip.listening
        assert uart.chip.ready

    def test_a_guest_that_polls_an_idle_line_listens(self, uart):
        for _ in range(15):
            uart.read(FR)
        assert not uart.chip.ready
        uart.read(FR)
        assert uart.chip.ready

    def test_a_guest_that_looks_before_it_sends_does_not(self, uart):
        for _ in range(100):
            uart.read(FR)
            uart.write(DR, 0x2E)
        assert not uart.chip.ready

    def test_it_is_not_ready_before_the_last_byte_was_read(self, uart):
        uart.write(IMSC, RX)
        uart.chip.receive(1)
        assert not uart.chip.ready

    def test_it_is_not_ready_while_disabled_or_looped_back(self, uart):
        uart.write(IMSC, RX)
        uart.write(CR, 0)
        assert not uart.chip.ready
        uart.write(CR, ENABLED | LOOP | TRANSMIT | RECEIVE)
        assert not uart.chip.ready
