# SPDX-License-Identifier: GPL-2.0-or-later
"""What lies between two moments of a run: cycles, by cause, and what else was counted.

It may be negative: the later moment may be an earlier one, for who goes backwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringscope.emulator.books import Books
    from ringscope.emulator.machine import Machine


@dataclass(frozen=True)
class Reading:
    """What had been counted at a moment; ``time`` and ``idle`` in cycles.

    In the middle of a block they are those of its part that is done; the machine's clock goes on by whole
    blocks.
    """

    time: int
    idle: int
    books: Books
    names: tuple[str, ...]

    @staticmethod
    def of(machine: Machine) -> Reading:
        """Return the present one."""
        names = tuple(machine.counters.names())
        books, idle = machine.books_here(), machine.engine.idle
        return Reading(books.total("cycles") + idle, idle, books, names)


@dataclass(frozen=True)
class Expense:
    """The difference: ``cycles`` of simulated time, of which the processor slept ``idle``.

    The causes add up to the rest. What did not change is in neither mapping.
    """

    cycles: int
    idle: int
    causes: Mapping[str, int]
    counters: Mapping[str, int]

    @staticmethod
    def between(before: Reading, after: Reading) -> Expense:
        """Return what lies between two moments."""
        then, now = before.books.causes(), after.books.causes()
        counted = {name: after.books.total(name) - before.books.total(name) for name in after.names}
        return Expense(
            after.time - before.time,
            after.idle - before.idle,
            {name: now[name] - then[name] for name in now if now[name] != then[name]},
            {name: count for name, count in counted.items() if count and name != "cycles"},
        )
