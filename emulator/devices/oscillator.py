# SPDX-License-Identifier: GPL-2.0-or-later
"""A crystal: exact conversion between the processor's cycles and a chip's ticks, in whole numbers only.

Tick n falls on the first cycle c with c * frequency >= n * hz. The two directions agree: `ticks(cycle_of(n))
== n` for every crystal that is not faster than the processor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ringscope.emulator.devices.interfaces import Clock


class Oscillator:
    """Ticks of `frequency` Hz, counted from cycle 0."""

    __slots__ = ("_clock", "_hz", "frequency")

    def __init__(self, clock: Clock, frequency: int) -> None:
        """`frequency` is in Hz, above 0 and not above the clock's."""
        if not 0 < frequency <= clock.hz:
            raise ValueError(f"a crystal of {frequency} Hz does not fit a processor clock of {clock.hz} Hz")
        self._clock = clock
        self._hz = clock.hz
        self.frequency = frequency

    @property
    def now(self) -> int:
        """The current tick."""
        return self._clock.cycle * self.frequency // self._hz

    def ticks(self, cycles: int) -> int:
        """Return the whole ticks in so many cycles."""
        return cycles * self.frequency // self._hz

    def cycle_of(self, ticks: int) -> int:
        """Return the least number of cycles that holds so many ticks."""
        return -(-ticks * self._hz // self.frequency)
