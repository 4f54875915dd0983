# SPDX-License-Identifier: GPL-2.0-or-later
"""The local APIC's timer: one-shot, periodic, or at a value of the time-stamp counter.

After Intel SDM vol. 3, "APIC Timer". The time-stamp counter is the cycle plus `tsc_offset`. The counter is
not stepped: it is the cycle of its start, and the n-th expiry of a periodic timer is computed from there,
without drift.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringscope.emulator.devices.oscillator import Oscillator
from ringscope.emulator.devices.state import Stateful

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringscope.emulator.devices.interfaces import Clock, Event

ONE_SHOT, PERIODIC, TSC_DEADLINE = 0, 1, 2


class ApicTimer(Stateful):
    """`expired` is called at each expiry, whether or not the interrupt is masked."""

    __slots__ = (
        "_clock",
        "_event",
        "_expired",
        "_oscillator",
        "deadline",
        "divide_register",
        "initial",
        "mode",
        "start",
        "tsc_offset",
    )
    STATE = ("_event", "deadline", "divide_register", "initial", "mode", "start", "tsc_offset")

    def __init__(self, clock: Clock, frequency: int, expired: Callable[[], None]) -> None:
        """Start stopped, in one-shot mode, dividing by 2."""
        self._clock = clock
        self._oscillator = Oscillator(clock, frequency)
        self._expired = expired
        self._event: Event | None = None
        self.mode = ONE_SHOT
        self.initial = 0
        self.start = 0  # cycle
        self.divide_register = 0
        self.deadline = 0
        self.tsc_offset = 0

    @property
    def armed(self) -> bool:
        """Whether an expiry lies ahead."""
        return self._event is not None

    @property
    def divider(self) -> int:
        """The divisor that the divide configuration register stands for: 1..128."""
        code = self.divide_register & 3 | self.divide_register >> 1 & 4
        return 1 if code == 7 else 2 << code

    @property
    def current(self) -> int:
        """The current count register."""
        if not self.initial or self.mode == TSC_DEADLINE:
            return 0
        elapsed = self._elapsed(self._clock.cycle)
        if self.mode == PERIODIC:
            return self.initial - elapsed % self.initial
        return max(0, self.initial - elapsed)

    def _elapsed(self, cycle: int) -> int:
        return self._oscillator.ticks(max(0, cycle - self.start)) // self.divider

    def write_initial(self, value: int) -> None:
        """Write the initial count: start the timer now, or stop it with 0. Ignored in TSC-deadline mode."""
        if self.mode == TSC_DEADLINE:
            return
        self.initial = value
        self.start = self._clock.cycle
        self._arm()

    def write_divide(self, value: int) -> None:
        """Write the divide configuration; a running count goes on from where it is at the new rate."""
        done = self.initial - self.current
        self.divide_register = value & 0xB
        self.start = self._clock.cycle - self._oscillator.cycle_of(done * self.divider)
        self._arm()

    def set_mode(self, mode: int) -> None:
        """Take the mode from the LVT entry; entering or leaving TSC-deadline mode disarms the timer."""
        if mode == self.mode:
            return
        if TSC_DEADLINE in (mode, self.mode):
            self.initial = 0
            self.deadline = 0
        self.mode = mode
        self._arm()

    def write_deadline(self, value: int) -> None:
        """Write IA32_TSC_DEADLINE: expire when the time-stamp counter reaches it; 0 disarms."""
        if self.mode == TSC_DEADLINE:
            self.deadline = value
            self._arm()

    def set_tsc_offset(self, offset: int) -> None:
        """Tell the timer that the guest wrote its time-stamp counter: counter = cycle + offset."""
        self.tsc_offset = offset
        self._arm()

    def _arm(self) -> None:
        """Ask to be called at the next expiry, whatever was asked before."""
        if self._event is not None:
            self._clock.cancel(self._event)
            self._event = None
        due = self._next_expiry()
        if due is not None:
            self._event = self._clock.at(due, self._on_due)

    def _next_expiry(self) -> int | None:
        if self.mode == TSC_DEADLINE:
            return self.deadline - self.tsc_offset if self.deadline else None
        if not self.initial:
            return None
        now = self._clock.cycle
        expired = self._elapsed(now) // self.initial
        if self.mode == ONE_SHOT and expired:
            return None
        return self._expiry(expired + 1)

    def _expiry(self, number: int) -> int:
        """Return the cycle of the expiry with that number, counted from 1."""
        return self.start + self._oscillator.cycle_of(number * self.initial * self.divider)

    def _on_due(self, due: int) -> None:
        self._event = None
        if self.mode == TSC_DEADLINE:
            self.deadline = 0
        elif self.mode == PERIODIC:
            number = self._elapsed(due) // self.initial + 1
            self._event = self._clock.at(self._expiry(number), self._on_due)
        self._expired()
