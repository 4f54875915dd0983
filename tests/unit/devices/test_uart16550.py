# SPDX-License-Identifier: GPL-2.0-or-later
"""The 16550 UART against the PC16550D data sheet."""

from __future__ import annotations

import pytest

from ringscope.emulator.devices.uart16550 import Uart16550

BASE = 0x3F8
DATA, IER, IIR, FCR, LCR, MCR, LSR, MSR, SCRATCH = 0, 1, 2, 2, 3, 4, 5, 6, 7
RECEIVED, TRANSMIT, LINE = 1, 2, 4
READY, OVERRUN, HOLDING_EMPTY, EMPTY = 0x01, 0x02, 0x20, 0x40
OUT2, RTS, LOOP = 0x08, 0x02, 0x10


class Driver:
    """The guest's view of the chip: registers by offset."""

    def __init__(self, clock, wire, *, programmed_rate):
        self.sent = bytearray()
        self.chip = Uart16550(clock, BASE, wire, self.sent.append, programmed_rate=programmed_rate)

    def read(self, register):
        return self.chip.read_port(BASE + register, 1)

    def write(self, register, value):
        self.chip.write_port(BASE + register, 1, value)


@pytest.fixture
def uart(clock, wire):
    driver = Driver(clock, wire, programmed_rate=False)
    driver.write(MCR, OUT2 | RTS)
    driver.write(LCR, 3)
    return driver


@pytest.fixture
def slow_uart(clock, wire):
    driver = Driver(clock, wire, programmed_rate=True)
    driver.write(MCR, OUT2 | RTS)
    driver.write(LCR, 0x83)
    driver.write(0, 1)
    driver.write(1, 0)
    driver.write(LCR, 3)
    return driver


def test_a_byte_written_is_sent_and_the_register_is_empty_again(uart):
    uart.write(DATA, 0x41)
    assert uart.sent == b"A"
    assert uart.read(LSR) == HOLDING_EMPTY | EMPTY


def test_a_byte_received_is_read_once(uart):
    uart.chip.receive(0x42)
    assert uart.read(LSR) & READY
    assert uart.read(DATA) == 0x42
    assert not uart.read(LSR) & READY


def test_the_divisor_lies_behind_the_latch_bit(uart):
    uart.write(LCR, 0x83)
    uart.write(0, 0x34)
    uart.write(1, 0x12)
    assert (uart.read(0), uart.read(1)) == (0x34, 0x12)
    uart.write(LCR, 3)
    assert uart.read(IER) == 0
    assert uart.sent == b""


def test_the_scratch_register_remembers(uart):
    uart.write(SCRATCH, 0xA5)
    assert uart.read(SCRATCH) == 0xA5


def test_enabling_the_transmit_interrupt_raises_it_at_once_and_reading_its_cause_ends_it(uart, wire):
    uart.write(IER, TRANSMIT)
    assert wire.level
    assert uart.read(IIR) == 0x02
    assert not wire.level
    assert uart.read(IIR) == 0x01


def test_each_byte_written_is_followed_by_a_transmit_interrupt_of_its_own(uart, wire):
    uart.write(IER, TRANSMIT)
    before = wire.rises
    uart.write(DATA, 0x41)
    uart.write(DATA, 0x42)
    assert wire.rises - before == 2


def test_a_received_byte_raises_the_interrupt_until_it_is_read(uart, wire):
    uart.write(IER, RECEIVED)
    uart.chip.receive(1)
    assert wire.level
    assert uart.read(IIR) == 0x04
    uart.read(DATA)
    assert not wire.level


def test_out2_gates_the_interrupt(uart, wire):
    uart.write(IER, RECEIVED)
    uart.write(MCR, RTS)
    uart.chip.receive(1)
    assert not wire.level
    uart.write(MCR, RTS | OUT2)
    assert wire.level


def test_line_errors_come_before_data_and_data_before_the_transmitter(uart):
    uart.write(IER, RECEIVED | TRANSMIT | LINE)
    uart.chip.receive(1)
    uart.chip.receive(2)  # overruns: no FIFO
    causes = [uart.read(IIR)]
    assert uart.read(LSR) & OVERRUN
    causes.append(uart.read(IIR))
    assert uart.read(DATA) == 2
    causes.append(uart.read(IIR))
    assert causes == [0x06, 0x04, 0x02]


def test_the_fifo_keeps_sixteen_bytes_and_says_so(uart):
    uart.write(FCR, 0x01)
    assert uart.read(IIR) & 0xC0 == 0xC0
    for byte in range(17):
        uart.chip.receive(byte)
    assert uart.read(LSR) & OVERRUN
    assert [uart.read(DATA) for _ in range(16)] == list(range(16))
    assert not uart.read(LSR) & READY


@pytest.mark.parametrize(("setting", "level"), [(0x01, 1), (0x41, 4), (0x81, 8), (0xC1, 14)])
def test_the_received_interrupt_waits_for_the_trigger_level(uart, wire, setting, level):
    uart.write(FCR, setting)
    uart.write(IER, RECEIVED)
    for byte in range(level):
        assert not wire.level
        uart.chip.receive(byte)
    assert wire.level


def test_a_byte_below_the_trigger_level_is_reported_after_four_silent_frames(uart, clock, wire):
    uart.write(FCR, 0x81)
    uart.write(IER, RECEIVED)
    uart.chip.receive(1)
    frame = 10 * 12 * 16 * clock.hz // 1_843_200  # 10 bits at 9,600 baud
    clock.run_for(4 * frame - 1)
    assert not wire.level
    clock.run_for(1)
    assert wire.level
    assert uart.read(IIR) & 0x0F == 0x0C
    uart.read(DATA)
    assert not wire.level


def test_clearing_the_receive_fifo_drops_what_is_in_it(uart):
    uart.write(FCR, 0x01)
    uart.chip.receive(1)
    uart.write(FCR, 0x03)
    assert not uart.read(LSR) & READY


def test_in_loopback_what_is_sent_comes_back_and_nothing_leaves(uart):
    uart.write(MCR, LOOP)
    uart.write(DATA, 0xAE)
    assert uart.read(DATA) == 0xAE
    assert uart.sent == b""


@pytest.mark.parametrize(("control", "status"), [(1, 0x20), (2, 0x10), (4, 0x40), (8, 0x80)])
def test_in_loopback_each_modem_output_is_wired_to_its_input(uart, control, status):
    uart.write(MCR, LOOP | control)
    assert uart.read(MSR) & 0xF0 == status


def test_a_changed_modem_line_is_reported_until_the_status_is_read(uart):
    uart.read(MSR)
    uart.write(MCR, LOOP)
    assert uart.read(MSR) & 0x0B == 0x0B  # CTS, DSR and DCD fell
    assert uart.read(MSR) & 0x0F == 0


def test_at_the_programmed_rate_a_byte_takes_ten_bits_of_time(slow_uart, clock):
    slow_uart.write(DATA, 0x41)
    frame = 10 * 16 * clock.hz // 1_843_200
    assert slow_uart.read(LSR) & (HOLDING_EMPTY | EMPTY) == HOLDING_EMPTY
    clock.run_for(frame - 1)
    assert slow_uart.sent == b""
    clock.run_for(1)
    assert slow_uart.sent == b"A"
    assert slow_uart.read(LSR) & EMPTY


def test_at_the_programmed_rate_bytes_queue_and_keep_their_order(slow_uart, clock):
    slow_uart.write(FCR, 1)
    for byte in b"0123456789abcdef":
        slow_uart.write(DATA, byte)
    assert not slow_uart.read(LSR) & HOLDING_EMPTY
    clock.run_for(17 * 10 * 16 * clock.hz // 1_843_200)
    assert slow_uart.sent == b"0123456789abcdef"


def test_a_guest_that_never_touched_the_chip_does_not_listen(clock, wire):
    chip = Driver(clock, wire, programmed_rate=False).chip
    assert not chip.ready


def test_setting_the_chip_up_for_output_is_no_listening(uart):
    uart.write(IER, TRANSMIT)
    assert not uart.chip.ready


def test_enabling_the_received_interrupt_is_listening(uart):
    uart.write(IER, RECEIVED)
    assert uart.chip.ready


def test_polling_an_idle_lines_status_is_listening(clock, wire):
    driver = Driver(clock, wire, programmed_rate=False)
    for _ in range(15):
        driver.read(LSR)
    assert not driver.chip.ready
    driver.read(LSR)
    assert driver.chip.ready


def test_a_writer_that_polls_for_room_does_not_listen(clock, wire, slow_uart):
    driver = Driver(clock, wire, programmed_rate=False)
    for byte in b"hello, hello, hello":
        driver.read(LSR)
        driver.write(DATA, byte)
    slow_uart.write(DATA, 1)
    for _ in range(100):
        slow_uart.read(LSR)
    assert not driver.chip.ready
    assert not slow_uart.chip.ready


def test_an_unread_byte_keeps_the_next_one_out(uart):
    uart.write(IER, RECEIVED)
    uart.chip.receive(1)
    assert not uart.chip.ready
    uart.read(DATA)
    assert uart.chip.ready
