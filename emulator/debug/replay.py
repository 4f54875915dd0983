# SPDX-License-Identifier: GPL-2.0-or-later
"""Doing again what a machine did: from a moment freely to shortly before another, then by counted steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringscope.emulator.debug.moments import Moment, Moments, Point

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ringscope.emulator.debug.control import Control

VECTORS = 256
NEAR_CYCLES = 20_000  # before a point: a block that takes longer is rare
FARTHER = (1, 16, 256)  # times that, where more instructions are to be gone back
WORTH_KEEPING = 500_000  # instructions that need not be run again next time


class Replay:
    """Goes back and forth in what a machine has done. But for ``restore``, with the front end's stops off."""

    def __init__(self, control: Control) -> None:
        """Go nowhere yet."""
        self._control = control
        self._machine = control.machine

    @property
    def point(self) -> Point:
        """Where the machine stands."""
        engine = self._machine.engine
        exceptions = engine.library.core_exceptions(engine.core)[:VECTORS]
        delivered = sum(exceptions) + self._machine.books().total("interrupts")
        return Point(self._control.instructions, self._control.cycle, delivered)

    def moment(self, near: Moment | None = None, *, pinned: bool = False) -> Moment:
        """Save the machine; ``near`` is one that may have much in common with it."""
        return Moment(self.point, self._machine.snapshot(None if near is None else near.snapshot), pinned)

    def restore(self, moment: Moment) -> None:
        """Go to a moment."""
        self._machine.restore(moment.snapshot)
        self._control.rewound()

    def go_before(
        self, end: Moment, instructions: int, candidates: Sequence[Moment], kept: Moments
    ) -> Moment:
        """Go to a place that leads to ``end``, and return it as a moment.

        At it, at most so many ``instructions`` have been executed, where one of the ``candidates``, the
        latest first, is so early; else it is the earliest of them. A place that was long to reach is kept.
        """
        start = next((m for m in candidates if m.point.instructions <= instructions), candidates[-1])
        for times in FARTHER:
            self.restore(start)
            self._machine.run_until_cycle(end.point.cycle - times * NEAR_CYCLES)
            self._control.take_interrupt()
            if self.point.instructions <= instructions and self.point < end.point:
                break
        else:
            self.restore(start)
        if self.point.instructions - start.point.instructions < WORTH_KEEPING:
            self.restore(start)
            return start
        here = self.moment(start)
        kept.add(here)
        return here

    def step(self, steps: int) -> int:
        """Make at most so many steps and return how many. A sleep is none."""
        self._machine.advance(None, steps)
        self._control.take_interrupt()
        return 0 if self._machine.stop is None else steps - self._machine.engine.steps_left

    def steps_to(self, end: Moment) -> int:
        """Step to a moment and return in how many steps; one within a step is reached by that step."""
        made = 0
        while self.point < end.point:
            made += self.step(max(1, end.point.instructions - self.point.instructions))
            if self.point > end.point:
                return made
        within = end.snapshot.state["registers"] != self._machine.system.registers.read()
        return made + (within and not end.pinned)
