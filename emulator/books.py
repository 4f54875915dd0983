# SPDX-License-Identifier: GPL-2.0-or-later
"""Counters, causes and the ledger, read out of the native core's books.

``struct books`` (native/ledger.h) is counters of the kernel's ring, counters of the user's ring, causes of
the one and of the other, all 64-bit words. ``Books`` is a copy of it with names.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from ringscope.emulator.native import library as native

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

INTERRUPT = (
    "interrupt"  # the ledger's entry without a mark: all that one takes, from its arrival to its return
)
CORE, BRANCH, CACHE, TLB, MARK = range(5)  # enum counter_group of account.h


@cache
def _index() -> dict[str, int]:
    return {name: i for i, name in enumerate(native.counter_names())}


@dataclass(frozen=True)
class Books:
    """All that was counted: per ring the counters in the order of counters.def, and cycles by cause."""

    kernel: tuple[int, ...]
    user: tuple[int, ...]
    kernel_cause: tuple[int, ...]
    user_cause: tuple[int, ...]

    @staticmethod
    def at(address: int) -> Books:
        """Copy the ``struct books`` at an address."""
        counters, causes = len(native.counter_names()), len(native.cause_names())
        words = (ctypes.c_uint64 * (2 * (counters + causes))).from_address(address)
        rest = 2 * counters
        return Books(
            tuple(words[:counters]),
            tuple(words[counters:rest]),
            tuple(words[rest : rest + causes]),
            tuple(words[rest + causes :]),
        )

    def counter(self, name: str) -> tuple[int, int]:
        """Return a counter's value in the kernel's and the user's ring."""
        if name == "cycles":
            return sum(self.kernel_cause), sum(self.user_cause)
        i = _index()[name]
        return self.kernel[i], self.user[i]

    def total(self, name: str) -> int:
        """Return a counter's value over both rings."""
        return sum(self.counter(name))

    def causes(self, rings: Collection[str] = ("kernel", "user")) -> dict[str, int]:
        """Return cycles by cause in some rings; in both their sum is ``total("cycles")``."""
        of_ring = {"kernel": self.kernel_cause, "user": self.user_cause}
        parts = zip(*(of_ring[ring] for ring in rings), strict=True)
        return dict(zip(native.cause_names(), map(sum, parts), strict=True))


@dataclass(frozen=True)
class Entry:
    """One operation of the ledger: how often it was carried out, and what all of that cost."""

    name: str
    count: int
    books: Books


@dataclass(frozen=True)
class Counters:
    """Which counters a run has: those of models that did not run, and marks that nobody makes, are absent."""

    timing: bool
    marks: frozenset[str]

    def names(self) -> Iterator[str]:
        """Yield the names of the counters that exist, in the order of reports."""
        for name, group in zip(native.counter_names(), native.counter_groups(), strict=True):
            if (
                group == CORE
                or (group == MARK and name in self.marks)
                or (group not in (CORE, MARK) and self.timing)
            ):
                yield name

    def by_ring(self, books: Books) -> dict[str, int]:
        """Return every counter with its ``:u`` and ``:k`` parts."""
        table: dict[str, int] = {}
        for name in self.names():
            kernel, user = books.counter(name)
            table |= {name: kernel + user, f"{name}:u": user, f"{name}:k": kernel}
        return table

    def totals(self, books: Books) -> dict[str, int]:
        """Return every counter over both rings."""
        return {name: books.total(name) for name in self.names()}


def operation_name(number: int, names: Mapping[int, str]) -> str:
    """Return what an operation is called: the name of its mark's number, or the number."""
    if number == native.LEDGER_INTERRUPT:
        return INTERRUPT
    return names.get(number, f"mark-{number}")


def read_ledger(library: ctypes.CDLL, core: int, names: Mapping[int, str]) -> list[Entry]:
    """Return the operations that were carried out, by number: marked ones, ``interrupt``, probed ones.

    ``library`` is the one that made the core. ``names`` are the names of the numbers; an unnamed one is
    called by its number.
    """
    entries = []
    for number in range(native.LEDGER_PROBES + native.PROBES_MAX):
        address = library.core_operation(core, number)
        if address:
            count = ctypes.c_uint64.from_address(address).value
            entries.append(Entry(operation_name(number, names), count, Books.at(address + 8)))
    return entries
