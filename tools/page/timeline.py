# SPDX-License-Identifier: GPL-2.0-or-later
"""A trace as swim lanes: for each thread its operations, its time in user mode, and the kernel's for it.

A piece lasts from one crossing to the next, or to the moment at which the kernel goes on with another thread.
However long the trace, there are ``most`` pieces at the most: when there would be more, neighbours in a lane
that lie within so many cycles become one, and twice as many the next time. What a lane was busy is exact.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ringscope.emulator.trace.event import ENTRIES, Event, Kind
from ringscope.emulator.trace.story import IPC
from ringscope.emulator.trace.threads import KERNEL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ringscope.emulator.trace.story import Told

MOST_PIECES, MOST_ARROWS = 40_000, 4_000
USER, IN_KERNEL, OPERATION = "user", "kernel", "operations"
RINGS = (OPERATION, USER, IN_KERNEL)
#: What a piece is, by its index in the page's data.
KINDS = ("user", "system call", "exception", "interrupt", "kernel", "operation", "several")
SEVERAL = KINDS.index("several")
KIND_OF = {Kind.SYSTEM_CALL: 1, Kind.EXCEPTION: 2, Kind.INTERRUPT: 3}
BOOT, OPERATION_KIND = 4, 5


class Words:
    """Texts by number, each kept once."""

    def __init__(self) -> None:
        """None yet."""
        self._number: dict[str, int] = {}

    def of(self, text: str) -> int:
        """Return the number of a text."""
        return self._number.setdefault(text, len(self._number))

    def all(self) -> list[str]:
        """Return the texts by number."""
        return list(self._number)


@dataclass(slots=True)
class Piece:
    """A stretch of a lane; ``count`` are put together in it, which are busy for ``busy`` cycles of it."""

    begin: int
    end: int
    name: int
    place: int
    kind: int
    cost: int
    busy: int
    count: int = 1

    def absorb(self, other: Piece) -> None:
        """Take a later piece in."""
        if other.name != self.name:
            self.name = -1
        if other.kind != self.kind:
            self.kind = SEVERAL
        self.place = -1
        self.end = other.end
        self.cost += other.cost
        self.busy += other.busy
        self.count += other.count

    def data(self, word: Callable[[int], int]) -> list[int]:
        """Return what timeline.js knows of a piece; ``word`` numbers texts anew."""
        texts = word(self.name), word(self.place)
        return [self.begin, self.end, *texts, self.kind, self.cost, self.busy, self.count]


@dataclass(slots=True)
class Lane:
    """A row of the picture."""

    thread: str
    ring: str
    pieces: list[Piece] = field(default_factory=list)
    busy: int = 0
    count: int = 0

    def squeeze(self, within: int) -> None:
        """Put neighbours together that lie within so many cycles."""
        kept: list[Piece] = []
        for piece in self.pieces:
            if kept and piece.end - kept[-1].begin <= within:
                kept[-1].absorb(piece)
            else:
                kept.append(piece)
        self.pieces = kept


class Timeline:
    """Takes events in words, in their order, and becomes the page's data.

    ``begin`` and ``end`` are cycles: pieces that reach into what is between them are kept. A run that
    ``boots`` is in its kernel until something crosses; another one is where nobody knows until then.
    """

    def __init__(
        self, begin: int = 0, end: int | None = None, most: int = MOST_PIECES, *, boots: bool = True
    ) -> None:
        """Draw nothing yet."""
        self._begin, self._end, self._most = begin, end, most
        self._words = Words()
        self._lanes: dict[tuple[str, str], Lane] = {}
        self._pieces = 0
        self._within = 0
        self._arrows: list[tuple[int, str, int, str]] = []
        self._arrow_count = 0
        self._message: tuple[int, str] | None = None
        self._operations: dict[tuple[str, int], tuple[int, str, str]] = {}
        booting = (KERNEL, IN_KERNEL, Piece(0, 0, self._words.of("boot"), -1, BOOT, 0, 0))
        self._open: tuple[str, str, Piece] | None = booting if boots else None
        self._events = self._last = 0

    # ---- taking events ----

    def take(self, told: Iterable[Told]) -> None:
        """Take some events."""
        for one in told:
            self._take(one)

    def _take(self, one: Told) -> None:
        event = one.event
        if not self._events and event.from_user:
            self._open = None  # what was recorded begins later than the run
        self._events += 1
        self._last = max(self._last, event.time + event.cost)
        if event.kind in ENTRIES or event.kind is Kind.RETURN:
            self._cross(one, event)
            return
        thread, ring, piece = self._open or (one.thread, "", None)
        if piece is not None and thread != one.thread and ring == IN_KERNEL:  # it goes on for another one
            self._start(
                one.thread,
                ring,
                Piece(event.time, 0, piece.name, self._words.of(one.where), piece.kind, 0, 0),
            )
        if event.kind is Kind.BEGIN:
            name = one.what.removeprefix("begin ")
            self._operations[one.thread, event.number] = (event.time, name, one.where)
        elif event.kind is Kind.END:
            self._end_operation(one, event)
        elif event.kind is Kind.EVENT and event.number == IPC:
            self._message = (event.time, one.thread)

    def _cross(self, one: Told, event: Event) -> None:
        ring = USER if event.to_user else IN_KERNEL
        name = (one.to or one.where).partition("+")[0] if event.kind is Kind.RETURN else one.what
        kind = KIND_OF.get(event.kind, 0 if event.to_user else BOOT)
        place = f"{one.where} -> {one.to}" if one.to else one.where
        piece = Piece(event.time, 0, self._words.of(name), self._words.of(place), kind, event.cost, 0)
        self._start(one.thread, ring, piece)
        if event.to_user and self._message is not None:
            sent, sender = self._message
            self._message = None
            if sender != one.thread:
                self._point(sent, sender, event.time, one.thread)

    def _start(self, thread: str, ring: str, piece: Piece) -> None:
        """End the open piece where another one begins."""
        self._close(piece.begin)
        self._open = (thread, ring, piece)

    def _close(self, at: int) -> None:
        if self._open is not None:
            thread, ring, piece = self._open
            piece.end = at
            self._keep(thread, ring, piece)

    def _end_operation(self, one: Told, event: Event) -> None:
        begun = self._operations.pop((one.thread, event.number), None)
        if begun is not None:
            begin, name, where = begun
            words = self._words
            piece = Piece(begin, event.time, words.of(name), words.of(where), OPERATION_KIND, 0, 0)
            self._keep(one.thread, OPERATION, piece)

    def _inside(self, begin: int, end: int) -> bool:
        return end > self._begin and (self._end is None or begin < self._end)

    def _keep(self, thread: str, ring: str, piece: Piece) -> None:
        if piece.end <= piece.begin or not self._inside(piece.begin, piece.end):
            return
        piece.busy = piece.end - piece.begin
        lane = self._lanes.setdefault((thread, ring), Lane(thread, ring))
        lane.busy += piece.busy
        lane.count += 1
        last = lane.pieces[-1] if lane.pieces else None
        if last is not None and self._within and piece.end - last.begin <= self._within:
            last.absorb(piece)
            return
        lane.pieces.append(piece)
        self._pieces += 1
        while self._pieces > self._most:
            self._within = 2 * self._within or max(1, self._last // self._most)
            for each in self._lanes.values():
                each.squeeze(self._within)
            self._pieces = sum(len(each.pieces) for each in self._lanes.values())

    def _point(self, sent: int, sender: str, received: int, receiver: str) -> None:
        if self._inside(sent, received):
            self._arrow_count += 1
            if self._arrow_count <= MOST_ARROWS:
                self._arrows.append((sent, sender, received, receiver))

    # ---- the end of it ----

    def data(self) -> dict[str, Any]:
        """Return what the page draws; times are cycles."""
        self._close(self._last)
        first = {thread: at for at, (thread, _) in reversed([*enumerate(self._lanes)])}
        order = sorted(self._lanes, key=lambda key: (first[key[0]], RINGS.index(key[1])))
        number = {key: at for at, key in enumerate(order)}
        lanes = [self._lanes[key] for key in order]
        arrows = self._arrows if self._arrow_count <= MOST_ARROWS and not self._within else []
        ends = [
            (sent, number.get((sender, IN_KERNEL), -1), received, number.get((receiver, USER), -1))
            for sent, sender, received, receiver in arrows
        ]
        pieces = [piece for lane in lanes for piece in lane.pieces]
        texts, words = (
            self._words.all(),
            Words(),
        )  # of those words, what is left after neighbours were put together

        def word(number: int) -> int:
            return number if number < 0 else words.of(texts[number])

        return {
            "begin": max(self._begin, min((piece.begin for piece in pieces), default=0)),
            "end": min(self._end or self._last, self._last),
            "events": self._events,
            "within": self._within,
            "messages": self._arrow_count,
            "kinds": KINDS,
            "lanes": [
                {
                    "thread": lane.thread,
                    "ring": lane.ring,
                    "busy": lane.busy,
                    "count": lane.count,
                    "pieces": [each.data(word) for each in lane.pieces],
                }
                for lane in lanes
            ],
            "words": words.all(),
            "arrows": [each for each in ends if -1 not in each],
        }
