# SPDX-License-Identifier: GPL-2.0-or-later
"""What was spent where, as the native core attributed it (native/attribution.h, native/callpath.h)."""

from __future__ import annotations

import enum
import struct
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from ringscope.emulator.native import library as native

if TYPE_CHECKING:
    from collections.abc import Iterable

PLACE = struct.Struct("<QQII")  # struct place
WAY = struct.Struct("<QQQQIHH")  # struct path_node
ROOT = 0  # the way of what came from nowhere
USER = 1  # enum ring


class Kind(enum.IntEnum):
    """``enum path_kind``: how the guest went on a way."""

    CALL = 0
    SYNCHRONOUS = 1  # into the kernel by a system call or an exception
    INTERRUPT = 2


@dataclass(frozen=True, slots=True)
class Place:
    """An instruction, in an address space and a ring, come to on a way."""

    space: int
    address: int
    way: int
    user: bool


@dataclass(frozen=True, slots=True)
class Way:
    """A call or a crossing at ``site``, taken ``count`` times by who had come there on the way ``parent``.

    ``space`` is the site's if that is in user mode, else 0. The site of an interrupt is where the function
    that it cut begins.
    """

    site: int
    target: int
    space: int
    count: int
    parent: int
    kind: Kind
    user: bool


Cost = tuple[int, ...]  # the counters of counters.def, then the cycles by cause of causes.def


@cache
def columns() -> tuple[str, ...]:
    """Return what a cost's words are called. The first, ``cycles``, is the sum of those by cause."""
    return (*native.counter_names(), *native.cause_names())


@cache
def entry_layout(words: int) -> struct.Struct:
    """Return ``struct tally_entry`` of a core with so many words to a cost.

    Signed: an exception in a block may take back from a later place what an earlier one had.
    """
    return struct.Struct(f"<Q{words}q")


def total(costs: Iterable[Cost]) -> Cost:
    """Return the sum of costs; nothing if there are none."""
    return tuple(map(sum, zip(*costs, strict=True)))


@dataclass(frozen=True)
class Attribution:
    """All that was booked, by the number of its place; and for each operation the same of its executions.

    The sums over all places are the machine's books, those of an operation the ledger's entry.
    """

    places: tuple[Place, ...]
    ways: tuple[Way, ...]
    costs: dict[int, Cost]
    operations: dict[str, dict[int, Cost]]


def read_places(data: bytes) -> tuple[Place, ...]:
    """Return the places in an array of ``struct place``."""
    return tuple(
        Place(space, address, way, ring == USER) for space, address, way, ring in PLACE.iter_unpack(data)
    )


def read_ways(data: bytes) -> tuple[Way, ...]:
    """Return the ways in an array of ``struct path_node``."""
    return tuple(
        Way(site, target, space, count, parent, Kind(kind), ring == USER)
        for site, target, space, count, parent, kind, ring in WAY.iter_unpack(data)
    )


def read_costs(data: bytes, words: int, cycles: int) -> dict[int, Cost]:
    """Return the costs in an array of ``struct tally_entry`` by place.

    ``words`` is how many a cost has; those from ``cycles`` on are cycles by cause.
    """
    return {place: (sum(cost[cycles:]), *cost[1:]) for place, *cost in entry_layout(words).iter_unpack(data)}
