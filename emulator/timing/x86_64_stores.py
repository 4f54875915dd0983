# SPDX-License-Identifier: GPL-2.0-or-later
"""Where each store of an x86 block goes after the one before: to its line, or to another.

What registers hold is not known when a block is decoded, but by how much they change within it often is: each
is followed as what it held at first and a distance, through additions of constants, moves and the stack
pointer's steps; whatever else writes it makes it unknown anew. Two addresses of the same registers are so far
apart as their distances; two of different ones are taken to be of different lines. A block that jumps to
itself is gone through twice, so that its first store follows its last one. Before any other block's first
store lay some other line, unless it goes to the stack.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from ringscope.emulator.timing.pipeline import Reach

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

STACK_POINTER = 4
NEAR = 32  # bytes up to which two places are rather in one line than in two
WORD = 4  # bytes that are corrected together
LOOKED_BACK = 4  # stores


class Place(NamedTuple):
    """Where a store goes: registers by number, None for none, and what is added. ``bytes`` is its width."""

    base: int | None
    indexed_by: int | None
    scale: int
    displacement: int
    bytes: int


class Step(NamedTuple):
    """A register that becomes another one plus a constant."""

    to: int
    of: int
    by: int


@dataclass(frozen=True)
class Trace:
    """What an instruction means for the stores behind it.

    ``before`` is a step that comes before its store, as a push's, ``after`` one behind it; ``writes`` are the
    registers of which nothing is known afterwards.
    """

    place: Place | None = None
    before: Step | None = None
    after: Step | None = None
    writes: tuple[int, ...] = ()


class _Address(NamedTuple):
    of: tuple[object, ...]
    distance: int
    bytes: int

    def apart(self, other: _Address) -> float:
        return abs(self.distance - other.distance) if self.of == other.of else float("inf")


@dataclass
class _Values:
    """Registers as what they held at some time, by a number of its own, and a distance."""

    known: dict[int, tuple[int, int]] = field(default_factory=dict)
    fresh: Iterator[int] = field(default_factory=lambda: count(1 << 16))

    def of(self, register: int | None) -> tuple[int, int]:
        return (-1, 0) if register is None else self.known.get(register, (register, 0))

    def step(self, step: Step | None) -> None:
        if step is not None:
            held, distance = self.of(step.of)
            self.known[step.to] = held, distance + step.by

    def forget(self, registers: Iterable[int]) -> None:
        self.known |= {register: (next(self.fresh), 0) for register in registers}

    def address(self, place: Place) -> _Address:
        base, index = self.of(place.base), self.of(place.indexed_by)
        distance = base[1] + place.scale * index[1] + place.displacement
        return _Address((base[0], index[0], place.scale), distance, place.bytes)


def reaches(traces: list[Trace], *, loops: bool) -> list[Reach]:
    """Return where the store of each instruction of a block goes; SAME_LINE for one that has none.

    ``loops``: the block's end is a branch to its beginning.
    """
    values, before = _Values(), list[_Address]()
    found: list[Reach] = []
    for _ in range(2 if loops else 1):
        found = [_reach(trace, values, before) for trace in traces]
    return found


def _reach(trace: Trace, values: _Values, before: list[_Address]) -> Reach:
    values.step(trace.before)
    reach = Reach.SAME_LINE
    if trace.place is not None:
        address = values.address(trace.place)
        reach = _after(address, before, stack=trace.place.base == STACK_POINTER)
        before[:] = [address, *before[: LOOKED_BACK - 1]]
    values.step(trace.after)
    values.forget(trace.writes)
    return reach


def _after(address: _Address, before: list[_Address], *, stack: bool) -> Reach:
    if not before:
        return Reach.SAME_LINE if stack else Reach.OTHER_LINE
    if address.apart(before[0]) <= NEAR:
        return Reach.SAME_LINE
    returns = address.bytes < WORD and any(address.apart(other) < WORD for other in before[1:])
    return Reach.NARROW_RETURN if returns else Reach.OTHER_LINE
