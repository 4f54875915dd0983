# SPDX-License-Identifier: GPL-2.0-or-later
"""PL011 UART, after the PrimeCell UART technical reference manual (DDI 0183), revision r1p1: FIFOs of 16.

Time on the wire is a choice of the board. `instant`: a byte written is sent at once, and the transmitter is
empty again by the next instruction, as in QEMU. `programmed`: a byte occupies the line for as long as the
divisor and the frame format say. The transmit interrupt is raised when a byte leaves and the FIFO is then
at its trigger level or below (without FIFOs: empty), never by the level alone; a byte written clears it
until then, and so does UARTICR. Bytes written while the transmitter is disabled wait in the FIFO.

The receive interrupt is raised when the FIFO reaches its trigger level (without FIFOs: by every byte) and
ends when reading takes it below; the receive timeout is raised when bytes lie unread for 32 bit periods.

Input is offered by the host one byte at a time, whenever the receiver is `ready`: enabled, empty, not
looped back, and *listened to*. A guest listens when it enabled the receive or the timeout interrupt, or
when it polls: it read an idle line's flags 16 times in a row without sending in between, which a reader
does and a writer does not. At power-on the chip is as a boot loader leaves it: enabled, 115,200 baud, 8
data bits, no FIFOs.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from ringscope.emulator.devices.primecell import LENGTH, Identification, lane
from ringscope.emulator.devices.state import Stateful

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringscope.emulator.devices.interfaces import Clock, Event, Line

FIFO_SIZE = 16
TRIGGER_LEVELS = (2, 4, 8, 12, 14)  # UARTIFLS: 1/8, 1/4, 1/2, 3/4, 7/8
TIMEOUT_BITS = 32
POLLS_OF_A_READER = 16
CONSOLE_BAUD = 115_200

REG_DR, REG_RSR, REG_FR, REG_ILPR, REG_IBRD, REG_FBRD = 0x00, 0x04, 0x18, 0x20, 0x24, 0x28
REG_LCR_H, REG_CR, REG_IFLS, REG_IMSC, REG_RIS, REG_MIS = 0x2C, 0x30, 0x34, 0x38, 0x3C, 0x40
REG_ICR, REG_DMACR = 0x44, 0x48
FR_CTS, FR_DSR, FR_DCD, FR_BUSY, FR_RXFE, FR_TXFF, FR_RXFF, FR_TXFE = (1 << bit for bit in range(8))
INT_RX, INT_TX, INT_RT, INT_OVERRUN = 0x010, 0x020, 0x040, 0x400
LCR_FIFO, LCR_TWO_STOP, LCR_PARITY = 0x10, 0x08, 0x02
CR_ENABLE, CR_LOOP, CR_TRANSMIT, CR_RECEIVE = 0x001, 0x080, 0x100, 0x200
OVERRUN_STATUS, OVERRUN_DATA = 0x008, 0x800  # in UARTRSR and in UARTDR
#: What is kept of a write to a register that does nothing else, by offset.
STORED = {REG_ILPR: 0xFF, REG_IBRD: 0xFFFF, REG_FBRD: 0x3F, REG_DMACR: 0x7}


class Pl011(Stateful):
    """One chip at `base`, its combined interrupt UARTINTR on `line`, its bytes to `output`."""

    __slots__ = (
        "_clock",
        "_event",
        "_identification",
        "_line",
        "_output",
        "_polled",
        "_timeout",
        "base",
        "clock_hz",
        "control",
        "fifo_levels",
        "length",
        "line_control",
        "mask",
        "overrun",
        "programmed_rate",
        "raw",
        "received",
        "sending",
        "stored",
    )
    STATE = tuple(
        """
        _event _polled _timeout control fifo_levels line_control mask overrun raw received sending
        stored
    """.split()
    )

    def __init__(
        self,
        clock: Clock,
        base: int,
        line: Line,
        output: Callable[[int], None],
        clock_hz: int,
        *,
        programmed_rate: bool,
    ) -> None:
        """`clock_hz` is UARTCLK, from which the divisor makes the baud rate."""
        self._clock = clock
        self._line = line
        self._output = output
        self._identification = Identification(0x011, 1)
        self._polled = 0
        self._event: Event | None = None  # the end of the byte on the wire
        self._timeout: Event | None = None
        self.base = base
        self.length = LENGTH
        self.clock_hz = clock_hz
        self.programmed_rate = programmed_rate
        divisor = round(64 * clock_hz / (16 * CONSOLE_BAUD))  # in 64ths
        self.stored = {REG_ILPR: 0, REG_IBRD: divisor >> 6, REG_FBRD: divisor & 0x3F, REG_DMACR: 0}
        self.line_control = 0x60
        self.control = CR_ENABLE | CR_TRANSMIT | CR_RECEIVE
        self.fifo_levels = 0x12
        self.mask = 0
        self.raw = 0
        self.overrun = False
        self.received: deque[int] = deque()
        self.sending: deque[int] = deque()  # while `_event` is set, the byte on the wire first

    # --- the host's side ------------------------------------------------------------------------------------

    @property
    def expecting(self) -> bool:
        """Whether a byte is being sent or a timeout is running."""
        return self._event is not None or self._timeout is not None

    @property
    def listening(self) -> bool:
        """Whether the guest has shown that it wants input; see the head of this file."""
        return bool(self.mask & (INT_RX | INT_RT)) or self._polled >= POLLS_OF_A_READER

    @property
    def ready(self) -> bool:
        """Whether a byte from the host may be received now."""
        receiving = self._enabled(CR_RECEIVE) and not self.control & CR_LOOP
        return receiving and self.listening and not self.received

    def receive(self, byte: int) -> None:
        """Take a byte from the wire; it is lost while the receiver is disabled or its FIFO full."""
        if not self._enabled(CR_RECEIVE):
            return
        if len(self.received) >= self._capacity:
            self.overrun = True
            self.raw |= INT_OVERRUN
        else:
            self.received.append(byte)
            if len(self.received) >= self._receive_trigger:
                self.raw |= INT_RX
        self._restart_timeout()
        self._update()

    # --- the guest's side -----------------------------------------------------------------------------------

    def read_mmio(self, offset: int, size: int) -> int:
        """Read a register."""
        register = offset & ~3
        match register:
            case 0x00:
                value = self._read_data()
            case 0x04:
                value = OVERRUN_STATUS if self.overrun else 0
            case 0x18:
                value = self._read_flags()
            case register if register in self.stored:
                value = self.stored[register]
            case _:
                values = {
                    REG_LCR_H: self.line_control,
                    REG_CR: self.control,
                    REG_IFLS: self.fifo_levels,
                    REG_IMSC: self.mask,
                    REG_RIS: self.raw,
                    REG_MIS: self.raw & self.mask,
                }
                value = values.get(register, self._identification.read(register))
        return lane(value, offset, size)

    def write_mmio(self, offset: int, size: int, value: int) -> None:
        """Write a register."""
        del size
        match offset:
            case 0x00:
                self._send(value & 0xFF)
            case 0x04:
                self.overrun = False
            case 0x2C:
                self._write_line_control(value & 0xFF)
            case 0x30:
                self.control = value & 0xFF87
                self._transmit(self._clock.cycle)
            case 0x34:
                self.fifo_levels = value & 0x3F
            case 0x38:
                self.mask = value & 0x7FF
            case 0x44:
                self.raw &= ~value
            case register if register in STORED:
                self.stored[register] = value & STORED[register]
        self._update()

    @property
    def _fifos(self) -> bool:
        return bool(self.line_control & LCR_FIFO)

    @property
    def _capacity(self) -> int:
        return FIFO_SIZE if self._fifos else 1

    @property
    def _receive_trigger(self) -> int:
        return _level(self.fifo_levels >> 3 & 7) if self._fifos else 1

    @property
    def _transmit_trigger(self) -> int:
        return _level(self.fifo_levels & 7) if self._fifos else 0

    @property
    def _waiting(self) -> int:
        """The bytes in the transmit FIFO or holding register: all but the one on the wire."""
        return len(self.sending) - (self._event is not None)

    def _enabled(self, direction: int) -> bool:
        wanted = CR_ENABLE | direction
        return self.control & wanted == wanted

    def _read_data(self) -> int:
        byte = self.received.popleft() if self.received else 0
        error = OVERRUN_DATA if self.overrun else 0
        if len(self.received) < self._receive_trigger:
            self.raw &= ~INT_RX
        if not self.received:
            self.raw &= ~INT_RT
        self._restart_timeout()
        self._update()
        return byte | error

    def _read_flags(self) -> int:
        flags = FR_CTS | FR_DSR | FR_DCD  # a peer that is ready
        flags |= FR_BUSY if self.sending else 0
        flags |= 0 if self.received else FR_RXFE
        flags |= FR_RXFF if len(self.received) >= self._capacity else 0
        flags |= FR_TXFF if self._waiting >= self._capacity else 0
        flags |= 0 if self._waiting else FR_TXFE
        self._polled = 0 if self.received or self.sending else self._polled + 1
        return flags

    def _write_line_control(self, value: int) -> None:
        """Write UARTLCR_H; switching the FIFOs empties them."""
        if (value ^ self.line_control) & LCR_FIFO:
            self.received.clear()
            while self._waiting:
                self.sending.pop()
            self.raw &= ~(INT_RX | INT_RT)
        self.line_control = value
        self._restart_timeout()

    # --- sending --------------------------------------------------------------------------------------------

    def _bit_cycles(self) -> int:
        """Return the cycles that a bit takes; without a divisor, what the console's baud rate makes them."""
        divisor = 64 * self.stored[REG_IBRD] + self.stored[REG_FBRD]
        if not divisor:
            return max(1, self._clock.hz // CONSOLE_BAUD)
        return max(1, self._clock.hz * 16 * divisor // (64 * self.clock_hz))

    def _frame_bits(self) -> int:
        """Return the bits of one frame: start, data, parity and stop bits."""
        control = self.line_control
        return 1 + 5 + (control >> 5 & 3) + bool(control & LCR_PARITY) + (2 if control & LCR_TWO_STOP else 1)

    def _send(self, byte: int) -> None:
        self._polled = 0
        if self._waiting < self._capacity:
            self.sending.append(byte)
        self.raw &= ~INT_TX
        self._update()
        self._transmit(self._clock.cycle)

    def _transmit(self, cycle: int) -> None:
        """Put the next byte on the wire, or while that takes no time every byte."""
        while self.sending and self._event is None and self._enabled(CR_TRANSMIT):
            if self.programmed_rate:
                self._event = self._clock.at(cycle + self._frame_bits() * self._bit_cycles(), self._end_frame)
            else:
                self._emit()
            if self._waiting <= self._transmit_trigger:
                self.raw |= INT_TX

    def _end_frame(self, cycle: int) -> None:
        self._event = None
        self._emit()
        self._transmit(cycle)
        self._update()

    def _emit(self) -> None:
        byte = self.sending.popleft() & (0x20 << (self.line_control >> 5 & 3)) - 1
        if self.control & CR_LOOP:
            self.receive(byte)
        else:
            self._output(byte)

    # --- interrupts -----------------------------------------------------------------------------------------

    def _restart_timeout(self) -> None:
        """Start the receive timeout anew; it runs while bytes lie in the FIFO."""
        if self._timeout is not None:
            self._clock.cancel(self._timeout)
            self._timeout = None
        if self._fifos and self.received:
            due = self._clock.cycle + TIMEOUT_BITS * self._bit_cycles()
            self._timeout = self._clock.at(due, self._end_timeout)

    def _end_timeout(self, cycle: int) -> None:
        del cycle
        self._timeout = None
        self.raw |= INT_RT
        self._update()

    def _update(self) -> None:
        """Drive UARTINTR."""
        self._line.set(bool(self.raw & self.mask))


def _level(choice: int) -> int:
    """Return the bytes of a trigger level; the reserved choices are as the highest."""
    return TRIGGER_LEVELS[min(choice, len(TRIGGER_LEVELS) - 1)]
