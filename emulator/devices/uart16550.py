# SPDX-License-Identifier: GPL-2.0-or-later
"""16550 UART with FIFOs, after the PC16550D data sheet.

Time on the wire is a choice of the board. `instant`: a byte written is sent at once and the holding register
is empty again by the next instruction, as in QEMU: a guest that prints is not slowed down. `programmed`: a
byte occupies the line for as long as the divisor and the frame format say, and the 16-byte FIFO fills. In
both the output is the same. The transmitter-empty interrupt falls with each write to the holding register and
rises again when that is empty, so that an edge-triggered controller sees one request per emptying.

Input is offered by the host one byte at a time, whenever the receiver is `ready`: empty, not looped back, and
*listened to*. A guest listens when it enabled the received-data interrupt, or when it polls: it read an idle
line's status 16 times in a row without sending in between, which a reader does and a writer does not.

The interrupt reaches the controller only while OUT2 is set, as a PC wires it.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from ringscope.emulator.devices.state import Stateful

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringscope.emulator.devices.interfaces import Clock, Event, Line

CRYSTAL = 1_843_200  # Hz; a baud is CRYSTAL / 16 / divisor
FIFO_SIZE = 16
TRIGGER_LEVELS = (1, 4, 8, 14)
TIMEOUT_CHARACTERS = 4
POLLS_OF_A_READER = 16

IER_RECEIVED, IER_TRANSMIT, IER_LINE, IER_MODEM = 1, 2, 4, 8
IIR_NONE, IIR_MODEM, IIR_TRANSMIT, IIR_RECEIVED, IIR_LINE, IIR_TIMEOUT = 0x01, 0x00, 0x02, 0x04, 0x06, 0x0C
LSR_READY, LSR_OVERRUN, LSR_ERRORS, LSR_HOLDING_EMPTY, LSR_EMPTY = 0x01, 0x02, 0x1E, 0x20, 0x40
LCR_DIVISOR_LATCH = 0x80
MCR_DTR, MCR_RTS, MCR_OUT1, MCR_OUT2, MCR_LOOP = 1, 2, 4, 8, 16
MSR_CTS, MSR_DSR, MSR_RI, MSR_DCD = 0x10, 0x20, 0x40, 0x80


class Uart16550(Stateful):
    """One chip at ports `base`..`base`+7, its interrupt on `line`, its bytes to `output`."""

    __slots__ = (
        "_clock",
        "_line",
        "_output",
        "_polled",
        "_timeout",
        "_transmission",
        "base",
        "divisor",
        "fifo_enabled",
        "ier",
        "lcr",
        "line_errors",
        "mcr",
        "modem_changes",
        "modem_lines",
        "ports",
        "programmed_rate",
        "received",
        "scratch",
        "sending",
        "timed_out",
        "transmit_pending",
        "trigger",
    )
    STATE = tuple(
        """
        _line _polled _timeout _transmission divisor fifo_enabled ier lcr line_errors mcr modem_changes
        modem_lines received scratch sending timed_out transmit_pending trigger
    """.split()
    )
    port_width = 1

    def __init__(
        self, clock: Clock, base: int, line: Line, output: Callable[[int], None], *, programmed_rate: bool
    ) -> None:
        """Start as firmware leaves it: 9600 baud, 8 data bits, a peer that is ready (CTS, DSR, DCD)."""
        self._clock = clock
        self._line = line
        self._output = output
        self.base = base
        self.ports = (range(base, base + 8),)
        self.programmed_rate = programmed_rate
        self.divisor = 12
        self.ier = 0
        self.lcr = 3
        self.mcr = 0
        self.scratch = 0
        self.fifo_enabled = False
        self.trigger = 1
        self.received: deque[int] = deque()
        self.sending: deque[int] = deque()  # the byte on the wire first
        self.line_errors = 0
        self.modem_lines = MSR_CTS | MSR_DSR | MSR_DCD
        self.modem_changes = 0
        self.transmit_pending = False
        self.timed_out = False
        self._polled = 0
        self._transmission: Event | None = None
        self._timeout: Event | None = None

    # --- the host's side ------------------------------------------------------------------------------------

    @property
    def expecting(self) -> bool:
        """Whether a byte is being sent or a timeout is running."""
        return self._transmission is not None or self._timeout is not None

    @property
    def listening(self) -> bool:
        """Whether the guest has shown that it wants input; see the head of this file."""
        return bool(self.ier & IER_RECEIVED) or self._polled >= POLLS_OF_A_READER

    @property
    def ready(self) -> bool:
        """Whether a byte from the host may be received now."""
        return self.listening and not self.received and not self.mcr & MCR_LOOP

    def receive(self, byte: int) -> None:
        """Take a byte from the wire."""
        capacity = FIFO_SIZE if self.fifo_enabled else 1
        if len(self.received) >= capacity:
            self.line_errors |= LSR_OVERRUN
            if not self.fifo_enabled:
                self.received[-1] = byte
        else:
            self.received.append(byte)
        self._restart_timeout()
        self._update()

    # --- the guest's side -----------------------------------------------------------------------------------

    def read_port(self, port: int, size: int) -> int:
        """Read a register."""
        del size
        match port - self.base:
            case 0:
                return self.divisor & 0xFF if self.lcr & LCR_DIVISOR_LATCH else self._read_data()
            case 1:
                return self.divisor >> 8 if self.lcr & LCR_DIVISOR_LATCH else self.ier
            case 2:
                return self._read_identification()
            case 5:
                return self._read_line_status()
            case 6:
                return self._read_modem_status()
            case register:
                return {3: self.lcr, 4: self.mcr, 7: self.scratch}[register]

    def write_port(self, port: int, size: int, value: int) -> None:
        """Write a register."""
        del size
        register = port - self.base
        if register < 2 and self.lcr & LCR_DIVISOR_LATCH:
            shift = 8 * register
            self.divisor = (self.divisor & ~(0xFF << shift)) | value << shift
            return
        match register:
            case 0:
                self._send(value)
            case 1:
                self._write_interrupt_enable(value)
            case 2:
                self._write_fifo_control(value)
            case 3:
                self.lcr = value
            case 4:
                self._write_modem_control(value)
            case 7:
                self.scratch = value
        self._update()

    def _read_data(self) -> int:
        byte = self.received.popleft() if self.received else 0
        self._restart_timeout()
        self._update()
        return byte

    def _read_identification(self) -> int:
        cause = self._cause()
        if cause == IIR_TRANSMIT:
            self.transmit_pending = False
            self._update()
        return cause | (0xC0 if self.fifo_enabled else 0)

    def _read_line_status(self) -> int:
        status = self.line_errors | (LSR_READY if self.received else 0)
        if not self.sending:
            status |= LSR_HOLDING_EMPTY | LSR_EMPTY
        elif self._holding_empty():
            status |= LSR_HOLDING_EMPTY
        self._polled = 0 if self.received or self.sending else self._polled + 1
        self.line_errors = 0
        self._update()
        return status

    def _read_modem_status(self) -> int:
        status = self._modem_lines() | self.modem_changes
        self.modem_changes = 0
        self._update()
        return status

    def _write_interrupt_enable(self, value: int) -> None:
        if value & ~self.ier & IER_TRANSMIT and self._holding_empty():
            self.transmit_pending = True  # enabling the interrupt with the register empty raises it at once
        self.ier = value & 0x0F

    def _write_fifo_control(self, value: int) -> None:
        enable = bool(value & 1)
        if value & 2 or enable != self.fifo_enabled:
            self.received.clear()
            self._restart_timeout()
        if value & 4 or enable != self.fifo_enabled:
            while len(self.sending) > 1:  # the shift register is not cleared
                self.sending.pop()
        self.fifo_enabled = enable
        self.trigger = TRIGGER_LEVELS[value >> 6] if enable else 1

    def _write_modem_control(self, value: int) -> None:
        before = self._modem_lines()
        self.mcr = value & 0x1F
        self._modem_changed(before)

    def _modem_lines(self) -> int:
        """Return the upper half of the modem status: the peer's lines, or in loopback our own outputs."""
        if not self.mcr & MCR_LOOP:
            return self.modem_lines
        wires = ((MCR_DTR, MSR_DSR), (MCR_RTS, MSR_CTS), (MCR_OUT1, MSR_RI), (MCR_OUT2, MSR_DCD))
        return sum(status for control, status in wires if self.mcr & control)

    def _modem_changed(self, before: int) -> None:
        now = self._modem_lines()
        changed = (before ^ now) & (MSR_CTS | MSR_DSR | MSR_DCD) | before & ~now & MSR_RI  # RI: trailing edge
        self.modem_changes |= changed >> 4

    # --- sending --------------------------------------------------------------------------------------------

    def _holding_empty(self) -> bool:
        """Whether the holding register, or the FIFO in its place, is empty: all but the byte on the wire."""
        return len(self.sending) <= 1

    def _character_cycles(self) -> int:
        """Return the cycles that one frame takes: start, data, parity and stop bits."""
        bits = 1 + 5 + (self.lcr & 3) + bool(self.lcr & 8) + (2 if self.lcr & 4 else 1)
        return max(1, bits * 16 * (self.divisor or 0x10000) * self._clock.hz // CRYSTAL)

    def _send(self, byte: int) -> None:
        self._polled = 0
        self.transmit_pending = False
        self._update()
        if not self.programmed_rate:
            self._emit(byte)
            self.transmit_pending = True
            return
        if len(self.sending) <= (FIFO_SIZE if self.fifo_enabled else 1):
            self.sending.append(byte)
        if self._transmission is None:
            self._start_frame(self._clock.cycle)

    def _start_frame(self, cycle: int) -> None:
        self._transmission = self._clock.at(cycle + self._character_cycles(), self._end_frame)
        if self._holding_empty():
            self.transmit_pending = True

    def _end_frame(self, cycle: int) -> None:
        self._transmission = None
        self._emit(self.sending.popleft())
        if self.sending:
            self._start_frame(cycle)
        self._update()

    def _emit(self, byte: int) -> None:
        byte &= (0x20 << (self.lcr & 3)) - 1
        if self.mcr & MCR_LOOP:
            self.receive(byte)
        else:
            self._output(byte)

    # --- interrupts -----------------------------------------------------------------------------------------

    def _restart_timeout(self) -> None:
        """Start the FIFO's character timeout anew: four silent frames with a byte left in the FIFO."""
        self.timed_out = False
        if self._timeout is not None:
            self._clock.cancel(self._timeout)
            self._timeout = None
        if self.fifo_enabled and self.received and self.trigger > 1:
            due = self._clock.cycle + TIMEOUT_CHARACTERS * self._character_cycles()
            self._timeout = self._clock.at(due, self._end_timeout)

    def _end_timeout(self, cycle: int) -> None:
        del cycle
        self._timeout = None
        self.timed_out = True
        self._update()

    def _cause(self) -> int:
        """Return the pending interrupt of the highest priority as IIR encodes it."""
        causes = (
            (IER_LINE, self.line_errors & LSR_ERRORS, IIR_LINE),
            (IER_RECEIVED, len(self.received) >= self.trigger, IIR_RECEIVED),
            (IER_RECEIVED, self.timed_out, IIR_TIMEOUT),
            (IER_TRANSMIT, self.transmit_pending, IIR_TRANSMIT),
            (IER_MODEM, self.modem_changes, IIR_MODEM),
        )
        return next((code for enable, active, code in causes if self.ier & enable and active), IIR_NONE)

    def _update(self) -> None:
        """Drive the interrupt line; OUT2 gates it on a PC's serial card."""
        self._line.set(self._cause() != IIR_NONE and bool(self.mcr & MCR_OUT2))
