# SPDX-License-Identifier: GPL-2.0-or-later
"""A line on the terminal that says how far a long run is; gone at its end, never in the guest's way."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.console import Console
from rich.control import Control
from rich.segment import ControlType
from rich.text import Text

if TYPE_CHECKING:
    from ringscope.emulator.machine import Machine

PATIENCE, INTERVAL = 1.0, 0.2  # seconds until the line first appears, and between its updates
ERASE = Control(ControlType.CARRIAGE_RETURN, (ControlType.ERASE_IN_LINE, 2))


def duration(seconds: float) -> str:
    """Write a time on the host as a person would wait for it: 40 s, 3 min, 2.5 h."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def amount(number: float) -> str:
    """Write a number with three digits or so and a unit prefix: 41.8 M."""
    for prefix in ("", "k", "M", "G", "T"):
        if number < 1000:
            return f"{number:.3g} {prefix}".rstrip()
        number /= 1000
    return f"{number:.0f} P"


class Progress:
    """The line, on stderr if that is a terminal."""

    def __init__(self, machine: Machine, limit: int | None) -> None:
        """``limit`` is the cycle at which the run ends at the latest."""
        self._machine = machine
        self._limit = limit
        self._console = Console(stderr=True, highlight=False)
        self._shows = self._console.is_terminal and not self._console.is_dumb_terminal
        self._shown = False
        self._started = self._last = time.monotonic()
        self._instructions = 0
        self._cycles = machine.engine.time

    def update(self, room: bool) -> None:
        """Show the line when it is due; not without ``room``, while the guest's own line is unfinished."""
        now = time.monotonic()
        if not self._shows or now - self._last < INTERVAL or now - self._started < PATIENCE:
            return
        instructions = self._machine.books().total("instructions")
        done = instructions - self._instructions
        speed = done / (now - self._last)
        cycles = self._machine.engine.time
        pace = (cycles - self._cycles) / (now - self._last)
        self._last, self._instructions, self._cycles = now, instructions, cycles
        self.erase()
        if room and done:  # a guest that sleeps makes no progress
            self._console.print(Text(self._line(speed, pace)), end="", overflow="ellipsis", no_wrap=True)
            self._shown = True

    def _line(self, speed: float, pace: float) -> str:
        """``speed`` is in instructions, ``pace`` in cycles per second of the host."""
        cycles, share = self._machine.engine.time, ""
        if self._limit is not None:
            share = f", {100 * cycles / self._limit:.0f}% of the limit"
        if self._limit is not None and pace:  # together it would not fit a line of 80 characters
            share = f", {100 * cycles / self._limit:.0f}%, {duration((self._limit - cycles) / pace)} left"
        seconds = cycles / self._machine.profile.frequency_hz
        return f"[{seconds:.3f} s simulated, {amount(cycles)} cycles, {amount(speed)} instructions/s{share}]"

    def erase(self) -> None:
        """Take the line away."""
        if self._shown:
            self._console.control(ERASE)
            self._shown = False
