# SPDX-License-Identifier: GPL-2.0-or-later
"""PL031 real-time clock, after the PrimeCell Real Time Clock technical reference manual (DDI 0224).

A 32-bit count of seconds, since 1970 as everyone uses it, in simulated time: it starts at the board's date
in every run. The match interrupt is asserted when the count reaches RTCMR. The clock always runs; RTCCR
reads 1.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from ringscope.emulator.devices.primecell import LENGTH, Identification, lane
from ringscope.emulator.devices.state import Stateful

if TYPE_CHECKING:
    from datetime import datetime

    from ringscope.emulator.devices.interfaces import Clock, Event, Line

REG_DR, REG_MR, REG_LR, REG_CR, REG_IMSC, REG_RIS, REG_MIS, REG_ICR = range(0x00, 0x20, 4)
U32 = 0xFFFFFFFF
HORIZON = 1 << 63  # cycles; what is due later than this never comes


class Pl031(Stateful):
    """One clock at `base`, its interrupt on `line`."""

    __slots__ = (
        "_clock",
        "_event",
        "_identification",
        "_line",
        "_next_match",
        "_started",
        "base",
        "length",
        "load",
        "mask",
        "match",
        "raw",
    )
    STATE = ("_event", "_next_match", "_started", "load", "mask", "match", "raw")

    def __init__(self, clock: Clock, base: int, line: Line, date: datetime) -> None:
        """`date` is what the clock shows at power-on, in UTC."""
        self._clock = clock
        self._line = line
        self._event: Event | None = None
        self._identification = Identification(0x031, 1)
        self.base = base
        self.length = LENGTH
        self.load = int(date.replace(tzinfo=UTC).timestamp()) & U32
        self._started = 0  # cycle at which `load` was loaded
        self.match = 0
        self.mask = 0
        self.raw = 0
        self._next_match = self._cycle_of_match()

    @property
    def expecting(self) -> bool:
        """Whether the match interrupt is due some time."""
        return self._event is not None

    @property
    def seconds(self) -> int:
        """The count."""
        return self.load + (self._clock.cycle - self._started) // self._clock.hz & U32

    def read_mmio(self, offset: int, size: int) -> int:
        """Read a register."""
        self._notice_match()
        register = offset & ~3
        values = {
            REG_DR: self.seconds,
            REG_MR: self.match,
            REG_LR: self.load,
            REG_CR: 1,
            REG_IMSC: self.mask,
            REG_RIS: self.raw,
            REG_MIS: self.raw & self.mask,
        }
        return lane(values.get(register, self._identification.read(register)), offset, size)

    def write_mmio(self, offset: int, size: int, value: int) -> None:
        """Write a register."""
        del size
        self._notice_match()
        match offset:
            case 0x04:
                self.match = value
                self._next_match = self._cycle_of_match()
            case 0x08:
                self.load = value
                self._started = self._clock.cycle
                self._next_match = self._cycle_of_match()
            case 0x10:
                self.mask = value & 1
            case 0x1C if value & 1 and self.raw:
                self.raw = 0
                self._next_match += self._clock.hz << 32  # when the count comes round again
        self._notice_match()
        self._update()

    def _cycle_of_match(self) -> int:
        """Return when the count is next equal to the match register, which may be now."""
        elapsed = (self._clock.cycle - self._started) // self._clock.hz
        return self._started + (elapsed + (self.match - self.seconds & U32)) * self._clock.hz

    def _notice_match(self) -> None:
        if self._clock.cycle >= self._next_match:
            self.raw = 1

    def _update(self) -> None:
        """Drive the line; while the interrupt is enabled and not asserted, ask to be called for the match."""
        self._line.set(bool(self.raw & self.mask))
        if self._event is not None:
            self._clock.cancel(self._event)
            self._event = None
        if self.mask and not self.raw and self._next_match < HORIZON:
            self._event = self._clock.at(self._next_match, self._on_match)

    def _on_match(self, cycle: int) -> None:
        del cycle
        self._event = None
        self._notice_match()
        self._update()
