# SPDX-License-Identifier: GPL-2.0-or-later
"""Going backwards in a run: snapshots along the way, and replays from them, which are the very run again.

    history = History(control)
    control.resume()                # as ever; snapshots are taken meanwhile
    history.step_back()             # before the last instruction
    history.resume_back()           # to the stop before this place
    history.last_writer(address, 8) # behind the instruction that last wrote there

The host's input comes again at the cycles at which it came, and what the guest printed is not printed again.
Whoever changes the machine in the past (``Control.write`` and ``set_register`` say so) begins another future;
whoever goes back before such a change has undone it. Going back ends where the history was begun.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from ringscope.emulator.debug.halt import Breakpoint, Halt, WatchHit, Watchpoint, Why
from ringscope.emulator.debug.moments import Moment, Moments, Point
from ringscope.emulator.debug.replay import NEAR_CYCLES, Replay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ringscope.emulator.debug.control import Control

EVERY = 8_000_000  # instructions from snapshot to snapshot, for each so many bytes of memory to look through:
EVERY_BYTES = 256 << 20
MOST_BYTES = 256 << 20
STOPS = {Why.BREAKPOINT, Why.WATCHPOINT, Why.EVENT}


class History:
    """The past of a machine under a Control, from where it stands now on."""

    def __init__(self, control: Control, every: int | None = None, most_bytes: int = MOST_BYTES) -> None:
        """Begin here. ``every`` is in instructions; ``most_bytes`` is roughly what snapshots may take."""
        self._control = control
        self._machine = control.machine
        self._every = every or EVERY * -(-control.engine.ram_bytes // EVERY_BYTES)
        self._replay = Replay(control)
        self.moments = Moments(self._replay.moment(), most_bytes)
        control.on_pause = self._note
        control.on_change = self.changed

    def _note(self) -> None:
        """Take a snapshot if the last one is long ago."""
        last = self.moments.last
        if self._control.instructions >= last.point.instructions + self._every:
            self.moments.add(self._replay.moment(last))

    def changed(self) -> None:
        """Note that somebody changed the machine here: what came after this place will not come again."""
        self.moments.forget_after(self._replay.point)
        self.moments.add(self._replay.moment(self.moments.last, pinned=True))
        self._machine.print_from(self._machine.printed)

    def typed(self) -> None:
        """Note that something was typed here: what comes after this place may be otherwise than before.

        It is no change of the machine: it comes again whenever this place is passed again. A guest that
        halted for good may be woken by it.
        """
        self.moments.forget_after(self._replay.point)
        self._machine.print_from(self._machine.printed)
        if self._control.ended is not None and self._control.ended.reason == "halted":
            self._control.rewound()

    # ---- backwards ----

    def step_back(self, n: int = 1) -> Halt:
        """Go to where n steps, as ``Control.step`` makes them, lead here; BEGINNING where that is too far."""
        if n < 1:
            raise ValueError(f"{n} instructions cannot be gone back; take 1 at least")
        end, left = self._replay.moment(self.moments.last), n
        with self._going_back():
            candidates = self.moments.leading_to(end.point)
            while candidates:
                start = self._replay.go_before(end, end.point.instructions - left, candidates, self.moments)
                made = self._replay.steps_to(end)
                if made >= left:
                    self._replay.restore(start)
                    while made > left:
                        made -= self._replay.step(made - left)
                    return self._control.here()
                left, end = left - made, candidates[-1]
                candidates = self.moments.leading_to(end.point, strictly=True)
            return self._beginning()

    def resume_back(self) -> Halt:
        """Go to the latest stop before this place: the last that ``Control.resume`` would have made.

        BEGINNING where there was none; INTERRUPTED, and the machine stays, after ``Control.interrupt``.
        """
        places: list[Breakpoint | Watchpoint] = [*self._control.breakpoints, *self._control.watchpoints]
        hits = [place.hits for place in places]
        found = self._search(lambda _: True)
        for place, count in zip(places, hits, strict=True):
            place.hits = count
        with self._going_back():
            return self._beginning() if found is None else found

    def last_writer(self, address: int, length: int) -> Halt:
        """Go behind the instruction that last wrote one of some bytes; ``detail`` is the WatchHit.

        ``address`` is virtual, in the address space in force; whatever that space is later, it is those bytes
        of memory. BEGINNING, and the machine stays, where none was; INTERRUPTED likewise. Raises
        ValueError for no bytes.
        """
        here, physical = self._replay.moment(self.moments.last), self._control.engine.physical
        watched = Watchpoint(address, length)
        places = {at: physical(at) for at in range(address, address + length)}

        def is_of_these(halt: Halt) -> bool:
            hit = halt.detail
            return isinstance(hit, WatchHit) and physical(hit.address) == places[hit.address]

        with self._control.waiting_only_for(watched):
            found = self._search(is_of_these, strictly=False)
        with self._going_back():
            if found is None:
                self._replay.restore(here)
                return replace(self._control.here(), why=Why.BEGINNING)
        return found

    @contextlib.contextmanager
    def _going_back(self) -> Iterator[None]:
        """Have nothing stop the processor; a change that lies ahead afterwards is undone."""
        with self._control.waiting_only_for():
            yield
            changed = self.moments.forget_changes_after(self._replay.point)
        if changed is not None:
            self._machine.print_from(changed.snapshot.state["machine"]["printed"])

    def _beginning(self) -> Halt:
        self._replay.restore(self.moments.first)
        return replace(self._control.here(), why=Why.BEGINNING)

    # ---- what stopped the run before this place ----

    def _search(self, wanted: Callable[[Halt], bool], *, strictly: bool = True) -> Halt | None:
        """Go to the latest wanted stop before this place and return it, or to nowhere in particular.

        Unless ``strictly``, a stop at this very place is one. INTERRUPTED, and the machine stays, if somebody
        interrupts.
        """
        here = self._replay.moment(self.moments.last)
        end = here.point
        for moment in self.moments.until(end, strictly=True):
            number, stop = self._last_stop(moment, end, wanted, strictly=strictly)
            if stop is not None and stop.why is Why.INTERRUPTED:
                self._replay.restore(here)
                return replace(self._control.here(), why=Why.INTERRUPTED)
            if stop is not None:
                self._replay.restore(moment)
                for _ in range(number):
                    stop = self._onward(end)
                return stop
            end, strictly = moment.point, False
        return None

    def _last_stop(
        self, moment: Moment, end: Point, wanted: Callable[[Halt], bool], *, strictly: bool
    ) -> tuple[int, Halt | None]:
        """Run from a moment to its end; return the last wanted stop and how many times to go on to it.

        Or where somebody interrupts.
        """
        self._replay.restore(moment)
        found: tuple[int, Halt | None] = (0, None)
        number = 0
        while self._replay.point < end:
            halt = self._onward(end)
            number += 1
            if halt.why is Why.INTERRUPTED:
                return number, halt
            point = self._replay.point
            if point > end or (strictly and point == end):
                break
            if halt.why in STOPS and wanted(halt):
                found = number, halt
            if halt.why is Why.END:
                break
        return found

    def _onward(self, end: Point) -> Halt:
        """Go on towards the end of a stretch, and hardly beyond it."""
        here = self._replay.point
        if here.cycle < end.cycle - NEAR_CYCLES:
            return self._control.resume(end.cycle - NEAR_CYCLES)
        if self._machine.halted and here.cycle < end.cycle:
            return self._control.resume(end.cycle)
        return self._control.step(max(1, end.instructions - here.instructions))
