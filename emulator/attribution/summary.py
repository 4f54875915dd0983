# SPDX-License-Identifier: GPL-2.0-or-later
"""Sums over places: by function, by source line, by process and ring; and what passed between functions."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from ringscope.emulator.attribution.costs import ROOT, Kind, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ringscope.emulator.attribution.costs import Attribution, Cost
    from ringscope.emulator.attribution.names import Function, Names
    from ringscope.emulator.debug.source_lines import Place as Line

CYCLES = 0  # the word of a cost
Key = TypeVar("Key")


def _sum(spent: Iterable[tuple[Place, Cost]], key: Callable[[Place], Key]) -> dict[Key, Cost]:
    sums: dict[Key, list[int]] = {}
    for place, cost in spent:
        one = key(place)
        if one in sums:
            sums[one] = [*map(int.__add__, sums[one], cost)]
        else:
            sums[one] = list(cost)
    ordered = sorted(sums.items(), key=lambda item: -item[1][CYCLES])
    return {one: tuple(cost) for one, cost in ordered}


@dataclass(frozen=True)
class Passage:
    """From the line of a call, or of a crossing, into another function."""

    caller: Function
    line: Line | None
    callee: Function
    kind: Kind


@dataclass
class Passed:
    """How often a passage was taken, and all that was spent until control came back."""

    count: int
    cost: list[int]


class Summary:
    """Sums over the places of an attribution; ``costs`` chooses some of what was spent, else it is all."""

    def __init__(
        self, attribution: Attribution, names: Names, costs: Mapping[int, Cost] | None = None
    ) -> None:
        """Sum nothing yet."""
        self.names = names
        self._ways = attribution.ways
        self._spent = [
            (attribution.places[number], cost)
            for number, cost in (attribution.costs if costs is None else costs).items()
        ]

    @cached_property
    def _flat(self) -> list[tuple[Place, Cost]]:
        """The places without their ways: many fewer, and all that most sums need."""
        sums = _sum(self._spent, lambda place: (place.space, place.address, place.user))
        return [(Place(space, address, ROOT, user), cost) for (space, address, user), cost in sums.items()]

    def by(self, key: Callable[[Place], Key]) -> dict[Key, Cost]:
        """Return the sums for each value of ``key``, which ignores ways; the largest in cycles first."""
        return _sum(self._flat, key)

    @cached_property
    def functions(self) -> dict[Function, Cost]:
        """What each function spent itself."""
        return self.by(self.names.of)

    @cached_property
    def inclusive(self) -> dict[Function, int]:
        """Cycles of each function and of all that it called or that was entered from it."""
        ends: defaultdict[tuple[int, Function], int] = defaultdict(int)
        for place, cost in self._spent:
            ends[place.way, self.names.of(place)] += cost[CYCLES]
        sums: defaultdict[Function, int] = defaultdict(int)
        for (way, last), cycles in ends.items():
            for function in {*self.names.leading(self._ways, way), last}:
                sums[function] += cycles
        return dict(sums)

    def stacks(self) -> dict[tuple[Function, ...], Cost]:
        """Return the sums for each stack of functions, the outermost first."""
        return _sum(
            self._spent,
            lambda place: (*self.names.leading(self._ways, place.way), self.names.of(place)),
        )

    def passages(self) -> dict[Passage, Passed]:
        """Return what passed between functions. What recursion spends counts once, for the outermost."""
        words = len(self._spent[0][1]) if self._spent else 0
        below = [[0] * words for _ in self._ways]
        for place, cost in self._spent:
            below[place.way] = [*map(int.__add__, below[place.way], cost)]
        for number in range(len(self._ways) - 1, ROOT, -1):  # a parent comes before its children
            parent = self._ways[number].parent
            below[parent] = [*map(int.__add__, below[parent], below[number])]
        found: dict[Passage, Passed] = {}
        open_on: dict[int, frozenset[Passage]] = {ROOT: frozenset()}
        for number, way in enumerate(self._ways):
            if number == ROOT:
                continue
            passage = self._passage(number)
            passed = found.setdefault(passage, Passed(0, [0] * words))
            passed.count += way.count
            outer = open_on[way.parent]
            if passage not in outer:
                passed.cost = [*map(int.__add__, passed.cost, below[number])]
            open_on[number] = outer | {passage}
        return found

    def _passage(self, number: int) -> Passage:
        way = self._ways[number]
        site = Place(way.space, way.site, way.parent, way.user)
        called_by_user = way.user and way.kind is Kind.CALL
        callee = self.names.function(way.space, way.target, user=called_by_user)
        return Passage(self.names.caller(way), self.names.line(site), callee, way.kind)
