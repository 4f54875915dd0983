# SPDX-License-Identifier: GPL-2.0-or-later
"""What a debugger waits for besides places: kinds of events, and counters that move."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringscope.emulator.debug.syndrome import ABORTS
from ringscope.emulator.native import library as native
from ringscope.emulator.trace.event import ENTRIES, Event, Kind
from ringscope.emulator.trace.story import IPC

if TYPE_CHECKING:
    from ringscope.emulator.machine import Machine

CROSSING, MISS = "crossing", "miss"
#: The words, and the kinds of traced event that each is about. A miss is no event: counters tell of it.
EVENTS = {
    CROSSING: ENTRIES | {Kind.RETURN},
    "ipc": {Kind.EVENT},
    "space-switch": {Kind.SPACE},
    "page-fault": {Kind.EXCEPTION},
    "interrupt": {Kind.INTERRUPT},
    MISS: set[Kind](),
}
PAGE_FAULT = 14  # its vector on x86
MISS_SUFFIX, NOT_OF_MEMORY = "-misses", "branch-misses"


def _is_page_fault(arch: str, event: Event) -> bool:
    return event.number == PAGE_FAULT if arch == "x86_64" else event.number in ABORTS


class Waits:
    """A set of words, and what the core is to look for because of them.

    A word is one of EVENTS or the name of one of ``counters``, those that the run has. Raises ValueError.
    """

    def __init__(self, words: frozenset[str], counters: tuple[str, ...] = ()) -> None:
        """Check the words."""
        self.words = words
        unknown = sorted(words - EVENTS.keys() - set(counters))
        if unknown:
            raise ValueError(
                f"{unknown[0]} is nothing to wait for; there are {', '.join(EVENTS)}, and this run's counters"
            )
        wanted = words - EVENTS.keys()
        if MISS in words:
            wanted |= {name for name in counters if name.endswith(MISS_SUFFIX) and name != NOT_OF_MEMORY}
            if not wanted:
                raise ValueError("there is nothing to miss without models; take --fidelity timing")
        self._counters = tuple(name for name in counters if name in wanted)

    @property
    def kinds(self) -> int:
        """The kinds of event to stop at, as a set of ``enum trace_kind``."""
        return sum({1 << kind for word in self.words & EVENTS.keys() for kind in EVENTS[word]})

    @property
    def counter_set(self) -> int:
        """The counters whose change stops, as a set of ``enum counter``."""
        names = native.counter_names()
        return sum(1 << names.index(name) for name in self._counters)

    def wants(self, arch: str, event: Event) -> bool:
        """Return whether an event of one of the kinds is one that was waited for."""
        words = {word for word in self.words & EVENTS.keys() if event.kind in EVENTS[word]}
        return (
            (CROSSING in words and event.from_user != event.to_user)
            or ("ipc" in words and event.number == IPC)
            or ("page-fault" in words and _is_page_fault(arch, event))
            or not words.isdisjoint(("space-switch", "interrupt"))
        )

    def counted(self, machine: Machine) -> tuple[int, ...]:
        """Return what the counters say now."""
        if not self._counters:
            return ()
        books = machine.books()
        return tuple(books.total(name) for name in self._counters)

    def moved(self, machine: Machine, before: tuple[int, ...]) -> tuple[str, ...]:
        """Return the names of those that say something else than before."""
        pairs = zip(self._counters, before, self.counted(machine), strict=True)
        return tuple(name for name, then, now in pairs if now != then)
