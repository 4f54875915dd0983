# SPDX-License-Identifier: GPL-2.0-or-later
"""A recording as a person goes through it: one event is the present one, and steps lead to others.

Nothing is computed again: what is known is what the events say, in the words of ``trace/story.py``. The
file is read in pieces; only one is held.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ringscope.emulator.debug.waits import EVENTS, Waits
from ringscope.emulator.trace.event import LAYOUT, Event, read
from ringscope.emulator.trace.story import Teller

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringscope.emulator.trace.recording import Recording
    from ringscope.emulator.trace.story import Names, Told

PIECE: Final = 1 << 12  # events read at once
#: What can be waited for in a recording: all but misses, which are no events.
WORDS: Final = tuple(word for word in EVENTS if EVENTS[word])


@dataclass(eq=False)
class EventBreakpoint:
    """Stops at an event that begins or ends in a place whose name a test accepts."""

    text: str
    accepts: Callable[[str], bool]
    hits: int = field(default=0)


class Recorded:
    """The events of a recording, of which one is the present."""

    def __init__(self, recording: Recording, names: Names) -> None:
        """Begin at the first event. Raises RecordingError; an empty recording has a length of 0."""
        self.recording, self.names = recording, names
        self.length = recording.length
        self.position = 0
        self._teller = Teller(names)
        self._first, self._piece = 0, list[Event]()
        for chunk in recording.chunks():
            self._teller.survey(read(chunk))

    # ---- looking ----

    def event(self, position: int) -> Event:
        """Return the event at a position, from 0 on."""
        if not self._first <= position < self._first + len(self._piece):
            self._first = position // PIECE * PIECE
            data = self.recording.piece(self._first, PIECE)
            self._piece = list(read(data[: len(data) // LAYOUT.size * LAYOUT.size]))
        return self._piece[position - self._first]

    def told(self, position: int | None = None) -> Told:
        """Return an event in words, or the present one."""
        at = self.position if position is None else position
        return self._teller.tell_one(self.event(at), self._last_user_event(at))

    def _last_user_event(self, position: int) -> Event | None:
        """Return the latest event, not after this one, in which the same thread left user code."""
        key = self._key(self.event(position))
        for at in range(position, -1, -1):
            event = self.event(at)
            if event.from_user and self._key(event) == key:
                return event
        return None

    @staticmethod
    def _key(event: Event) -> int:
        return event.thread or event.space

    def spent(self, before: int, after: int) -> dict[str, int]:
        """Return the cycles from one event's beginning to another's, by what the recording knows of them.

        What events took by themselves is ``crossings``; the rest was in the ring that the last one led to.
        Negative where it went backwards.
        """
        sign, first, last = (1, before, after) if before <= after else (-1, after, before)
        found = {"user": 0, "kernel": 0, "crossings": 0}
        for at in range(first, last):
            event = self.event(at)
            whole = self.event(at + 1).time - event.time
            own = min(event.cost, whole)
            found["crossings"] += own
            found["user" if event.to_user else "kernel"] += whole - own
        return {name: sign * cycles for name, cycles in found.items() if cycles}

    # ---- going ----

    def go(self, by: int) -> int:
        """Go by so many events, as far as there are; return by how many."""
        before = self.position
        self.position = min(max(self.position + by, 0), self.length - 1)
        return self.position - before

    def go_to(self, wanted: Callable[[int], bool], *, back: bool) -> bool:
        """Go to the next event that is wanted, or to the one before; False: to the end, there was none."""
        step = -1 if back else 1
        at = self.position + step
        while 0 <= at < self.length:
            if wanted(at):
                self.position = at
                return True
            at += step
        self.position = 0 if back else self.length - 1
        return False

    def is_a(self, word: str) -> Callable[[int], bool]:
        """Return what recognises the events that a word of WORDS means. Raises ValueError."""
        if word not in WORDS:
            raise ValueError(f"{word} is nothing to wait for in a recording; there are {', '.join(WORDS)}")
        waits, kinds = Waits(frozenset({word})), EVENTS[word]

        def wanted(position: int) -> bool:
            event = self.event(position)
            return event.kind in kinds and waits.wants(self.names.arch, event)

        return wanted

    def is_at(self, breakpoints: list[EventBreakpoint]) -> Callable[[int], bool]:
        """Return what recognises the events at one of some breakpoints; the one that is met is hit."""

        def wanted(position: int) -> bool:
            told = self.told(position)
            for each in breakpoints:
                if any(each.accepts(place) for place in (told.where, told.to) if place):
                    each.hits += 1
                    return True
            return False

        return wanted
