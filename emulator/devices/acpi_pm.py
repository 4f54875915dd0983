# SPDX-License-Identifier: GPL-2.0-or-later
"""ACPI fixed hardware: PM1a event and control registers and the power management timer (ACPI 6.5, 4.8.3).

Ports as QEMU's PC has them: event block 0x600, control 0x604, timer 0x608, so that the widespread
`outw(0x604, 0x2000)` powers off. The machine is always in ACPI mode (SCI_EN is set and there is no SMI
command port). Of the events only the timer's carry exists; it raises the SCI, a level, while enabled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringscope.emulator.devices.oscillator import Oscillator
from ringscope.emulator.devices.state import Stateful

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringscope.emulator.devices.interfaces import Clock, Event, Line

TIMER_FREQUENCY = 3_579_545  # Hz
EVENT_OFFSET, CONTROL_OFFSET, TIMER_OFFSET, LENGTH = 0x0, 0x4, 0x8, 0xC
SCI_ENABLED, SLEEP_ENABLE = 0x0001, 0x2000
SLEEP_TYPE_SHIFT = 10
SLEEP_TYPE_OFF = 0  # what the DSDT's \_S5 package says
TIMER_STATUS = 0x0001
CARRY_TICKS = 1 << 23  # the status bit is set whenever bit 23 of the timer changes


class AcpiPm(Stateful):
    """Ports `base`..`base`+11; `on_power_off` is called when the guest enters S5."""

    __slots__ = (
        "_clock",
        "_event",
        "_line",
        "_on_power_off",
        "_oscillator",
        "_seen",
        "base",
        "control",
        "enable",
        "ports",
        "status",
    )
    STATE = ("_event", "_line", "_seen", "control", "enable", "status")
    port_width = 4

    def __init__(self, clock: Clock, base: int, line: Line, on_power_off: Callable[[], None]) -> None:
        """`line` is the SCI."""
        self._clock = clock
        self._oscillator = Oscillator(clock, TIMER_FREQUENCY)
        self._line = line
        self._on_power_off = on_power_off
        self._event: Event | None = None
        self._seen = 0  # carries noticed so far
        self.base = base
        self.ports = (range(base, base + LENGTH),)
        self.status = 0
        self.enable = 0
        self.control = SCI_ENABLED

    @property
    def expecting(self) -> bool:
        """Whether an interrupt is due some time."""
        return self._event is not None

    def read_port(self, port: int, size: int) -> int:
        """Read the registers as 12 bytes of a little-endian memory."""
        self._notice_carry()
        block = (
            self.status | self.enable << 16 | self.control << 32 | (self._oscillator.now & 0xFFFFFFFF) << 64
        )
        return block >> 8 * (port - self.base) & (1 << 8 * size) - 1

    def write_port(self, port: int, size: int, value: int) -> None:
        """Write them: ones clear status bits, the timer ignores writes."""
        self._notice_carry()
        offset = port - self.base
        for index in range(size):
            self._write_byte(offset + index, value >> 8 * index & 0xFF)
        if offset <= CONTROL_OFFSET + 1 < offset + size and value >> 8 * (CONTROL_OFFSET - offset + 1) & 0x20:
            self._sleep()
        self._update()

    def _write_byte(self, offset: int, byte: int) -> None:
        shift = 8 * (offset & 1)
        match offset & ~1:
            case 0:
                self.status &= ~(byte << shift)
            case 2:
                self.enable = self.enable & ~(0xFF << shift) | byte << shift
            case 4:
                kept = self.control & ~(0xFF << shift) | byte << shift
                self.control = kept & ~SLEEP_ENABLE | SCI_ENABLED

    def _sleep(self) -> None:
        """Obey SLP_EN: S5 ends the machine, no other state exists."""
        if self.control >> SLEEP_TYPE_SHIFT & 7 == SLEEP_TYPE_OFF:
            self._on_power_off()

    def _notice_carry(self) -> None:
        carries = self._oscillator.now // CARRY_TICKS
        if carries != self._seen:
            self._seen = carries
            self.status |= TIMER_STATUS

    def _update(self) -> None:
        """Drive the SCI; while the carry's interrupt is enabled and not pending, ask to be called for it."""
        pending = bool(self.status & self.enable & TIMER_STATUS)
        self._line.set(pending)
        if self._event is not None:
            self._clock.cancel(self._event)
            self._event = None
        if self.enable & TIMER_STATUS and not pending:
            due = self._oscillator.cycle_of((self._seen + 1) * CARRY_TICKS)
            self._event = self._clock.at(due, self._on_carry)

    def _on_carry(self, cycle: int) -> None:
        del cycle
        self._event = None
        self._notice_carry()
        self._update()
