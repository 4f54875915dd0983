# SPDX-License-Identifier: GPL-2.0-or-later
"""The queue of what is due in simulated time.

Order is by cycle, then by the order of asking, so that two runs do the same things in the same order. An
action gets the cycle it was due at: a periodic timer that adds its period to that never drifts, however late
it was served.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

from ringscope.emulator.devices.interfaces import Event

if TYPE_CHECKING:
    from collections.abc import Callable


class EventQueue:
    """The clock of the board; `cycle_source` returns the processor's cycle counter.

    `on_earlier`, when set, is called with the earliest due cycle whenever a new event has become the
    earliest, so that a running processor can be stopped in time.
    """

    __slots__ = ("_heap", "_hz", "_order", "cycle_source", "on_earlier")

    def __init__(self, hz: int, cycle_source: Callable[[], int] | None = None) -> None:
        """`hz` is simulated cycles per second. Without a source the cycle stays 0."""
        if hz <= 0:
            raise ValueError(f"the clock's rate is {hz} Hz; it must be above 0")
        self._hz = hz
        self._heap: list[tuple[int, int, Event]] = []
        self._order = 0
        self.cycle_source: Callable[[], int] = cycle_source or (lambda: 0)
        self.on_earlier: Callable[[int], None] | None = None

    @property
    def cycle(self) -> int:
        """The current simulated cycle."""
        return self.cycle_source()

    @property
    def hz(self) -> int:
        """Cycles per simulated second."""
        return self._hz

    def at(self, cycle: int, action: Callable[[int], None]) -> Event:
        """Have `action(cycle)` called by the first `run_due` at or after `cycle`."""
        event = Event(cycle, action)
        earliest = self.next_due()
        heapq.heappush(self._heap, (cycle, self._order, event))
        self._order += 1
        if self.on_earlier is not None and (earliest is None or cycle < earliest):
            self.on_earlier(cycle)
        return event

    def cancel(self, event: Event) -> None:
        """Forget `event`; harmless when it already ran or was cancelled."""
        event.pending = False

    def next_due(self) -> int | None:
        """Return the cycle of the earliest event, or None when nothing is due ever."""
        while self._heap and not self._heap[0][2].pending:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def pending(self) -> list[tuple[int, int, Event]]:
        """Return (cycle, number, event) of all that is due some time, in the order in which it will be run.

        The number says which of two that are due at one cycle was asked for first.
        """
        return sorted(entry for entry in self._heap if entry[2].pending)

    @property
    def asked(self) -> int:
        """How many events were ever asked for: the number of the next."""
        return self._order

    def replace(self, events: list[tuple[int, int, Event]], asked: int) -> None:
        """Have these be due and no others, as `pending` and `asked` had them."""
        for _, _, event in self._heap:
            event.pending = False
        self._heap = sorted(events)
        self._order = asked

    def run_due(self, now: int) -> None:
        """Run every event due at or before `now`, also those that are added meanwhile."""
        while (due := self.next_due()) is not None and due <= now:
            _, _, event = heapq.heappop(self._heap)
            event.pending = False
            event.action(event.cycle)
