# SPDX-License-Identifier: GPL-2.0-or-later
"""Moments of a run that can be gone back to: snapshots in order, thinned out where they take too much room.

A moment is known by its *point*: how many instructions had been executed, the cycle, and how many exceptions
and interrupts were delivered. Without models the elements of one string instruction are at one point.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringscope.emulator.snapshot import Snapshot

PAGE_ENTRY_BYTES = 100  # what a page costs beyond its contents, in each snapshot that has it


class Point(NamedTuple):
    """A place in time; points are ordered."""

    instructions: int
    cycle: int
    delivered: int


@dataclass(frozen=True)
class Moment:
    """A snapshot and where it is from. One that is ``pinned`` cannot be made again by replaying."""

    point: Point
    snapshot: Snapshot
    pinned: bool = False


class Moments:
    """Moments of one run in order; the first is never given up."""

    def __init__(self, first: Moment, most_bytes: int) -> None:
        """``most_bytes`` is roughly what all may take: first, last and pinned ones are always kept."""
        self._kept = [first]
        self._most_bytes = most_bytes

    def __iter__(self) -> Iterator[Moment]:
        """Return the moments, the earliest first."""
        return iter(self._kept)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._kept)

    @property
    def first(self) -> Moment:
        """The beginning."""
        return self._kept[0]

    @property
    def last(self) -> Moment:
        """The latest."""
        return self._kept[-1]

    def until(self, point: Point, *, strictly: bool = False) -> list[Moment]:
        """Return those at or before a point, or all before it, the latest first."""
        cut = bisect_left if strictly else bisect_right
        return self._kept[: cut(self._kept, point, key=_point)][::-1]

    def leading_to(self, point: Point, *, strictly: bool = False) -> list[Moment]:
        """Return those before a point from which the run leads to it: none before one that is pinned.

        One that is pinned at the very point is the only one of it, unless ``strictly``.
        """
        found = self.until(point, strictly=strictly)
        found = [moment for moment in found if moment.pinned or moment.point < point]
        pinned = next((at for at, moment in enumerate(found) if moment.pinned), len(found))
        return found[: pinned + 1]

    def add(self, moment: Moment) -> None:
        """Keep a moment, in place of one at the same point; others may be given up for it."""
        at = bisect_left(self._kept, moment.point, key=_point)
        same = at < len(self._kept) and self._kept[at].point == moment.point
        self._kept[at : at + same] = [moment]
        while self.bytes > self._most_bytes and (least := self._least_wanted()) is not None:
            del self._kept[least]

    def forget_changes_after(self, point: Point) -> Moment | None:
        """Forget the first pinned moment behind a point and all behind it; return that moment."""
        changed = next((moment for moment in self._kept if moment.pinned and moment.point > point), None)
        if changed is not None:
            del self._kept[bisect_left(self._kept, changed.point, key=_point) :]
        return changed

    def forget_after(self, point: Point) -> None:
        """Forget what lies behind a point."""
        del self._kept[max(1, bisect_right(self._kept, point, key=_point)) :]

    @property
    def bytes(self) -> int:
        """Roughly what all take together: what several share is counted once."""
        pieces = {
            id(piece): len(piece)
            for moment in self._kept
            for piece in (*moment.snapshot.parts.values(), *moment.snapshot.pages.values())
        }
        return sum(pieces.values()) + sum(
            PAGE_ENTRY_BYTES * len(moment.snapshot.pages) for moment in self._kept
        )

    def _least_wanted(self) -> int | None:
        """Return the one without which the least has to be run again, for how long ago it is."""
        now = self.last.point.instructions
        inner = [at for at in range(1, len(self._kept) - 1) if not self._kept[at].pinned]

        def loss(at: int) -> float:
            before, after = (self._kept[near].point.instructions for near in (at - 1, at + 1))
            return (after - before) / (now - before + 1)

        return min(inner, key=loss, default=None)


def _point(moment: Moment) -> Point:
    return moment.point
