# SPDX-License-Identifier: GPL-2.0-or-later
"""What a run counted, by name: attributes called as the counters are, with ``_`` for ``-``.

    figures.cycles, figures.L1_dcache_load_misses      over both rings
    figures.user.instructions, figures.kernel.cycles   of one
    figures.causes["trap"]                             cycles by cause

``Figures`` are totals, whole numbers. ``Cost`` is an operation of the ledger: what one execution took in the
mean. A counter that the run does not have is an AttributeError, not 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ringscope.emulator.books import Books, Counters, Entry

RINGS = ("kernel", "user")


class Figure(float):
    """A cost per execution, which knows whose it is: whoever finds it too high can be told why."""

    cost: Cost
    name: str

    @staticmethod
    def of(value: float, name: str, cost: Cost) -> Figure:
        """Return a figure."""
        figure = Figure(value)
        figure.name, figure.cost = name, cost
        return figure

    def __repr__(self) -> str:
        """Write it whole where it is whole."""
        return f"{int(self)}" if self.is_integer() else f"{float(self):.2f}"


def attribute(counter: str) -> str:
    """Return what a counter's attribute is called."""
    return counter.replace("-", "_")


@dataclass(frozen=True)
class Figures:
    """Counters of the rings named by ``rings``; ``names`` are those that the run has."""

    books: Books
    names: tuple[str, ...]
    rings: tuple[str, ...] = RINGS

    @staticmethod
    def of(books: Books, counters: Counters) -> Figures:
        """Return the figures in some books."""
        return Figures(books, tuple(counters.names()))

    @property
    def kernel(self) -> Figures:
        """What the kernel's ring spent: 0 on x86, EL1 on AArch64."""
        return Figures(self.books, self.names, ("kernel",))

    @property
    def user(self) -> Figures:
        """What user mode spent: ring 3 on x86, EL0 on AArch64."""
        return Figures(self.books, self.names, ("user",))

    @property
    def causes(self) -> dict[str, int]:
        """Cycles by cause; their sum is ``cycles``."""
        return self.books.causes(self.rings)

    def __getitem__(self, name: str) -> int:
        """Return a counter by the name that it has in reports. Raises KeyError."""
        if name not in self.names:
            raise KeyError(f"this run has no counter {name}; there are {', '.join(self.names)}")
        kernel, user = self.books.counter(name)
        return (kernel if "kernel" in self.rings else 0) + (user if "user" in self.rings else 0)

    def __getattr__(self, name: str) -> int:
        """Return a counter by the name of its attribute."""
        for counter in self.names if not name.startswith("__") else ():
            if attribute(counter) == name:
                return self[counter]
        raise AttributeError(
            f"this run has no counter {name}; without models there are few, and some need a mark in the guest"
        )

    def __dir__(self) -> Iterable[str]:
        """Name the counters too."""
        return [*super().__dir__(), *map(attribute, self.names)]

    def items(self) -> Iterator[tuple[str, int]]:
        """Yield each counter's name and value."""
        return ((name, self[name]) for name in self.names)


@dataclass(frozen=True)
class Cost:
    """An operation of the ledger: ``count`` executions, ``total`` of them all; attributes are the mean."""

    name: str
    count: int
    total: Figures
    ring: str = field(default="")

    @property
    def kernel(self) -> Cost:
        """The part of the kernel's ring."""
        return Cost(self.name, self.count, self.total.kernel, "kernel")

    @property
    def user(self) -> Cost:
        """The part of user mode."""
        return Cost(self.name, self.count, self.total.user, "user")

    @property
    def causes(self) -> dict[str, float]:
        """Cycles by cause; their sum is ``cycles``."""
        return {cause: cycles / self.count for cause, cycles in self.total.causes.items()}

    def __getitem__(self, name: str) -> Figure:
        """Return a counter's mean by the name that it has in reports. Raises KeyError."""
        return Figure.of(self.total[name] / self.count, name, self)

    def __getattr__(self, name: str) -> Figure:
        """Return a counter's mean by the name of its attribute."""
        if name.startswith("__"):
            raise AttributeError(name)
        total: int = getattr(self.total, name)
        return Figure.of(total / self.count, name.replace("_", "-"), self)

    def __dir__(self) -> Iterable[str]:
        """Name the counters too."""
        return [*super().__dir__(), *map(attribute, self.total.names)]

    def items(self) -> Iterator[tuple[str, Figure]]:
        """Yield each counter's name and mean."""
        return ((name, self[name]) for name in self.total.names)


class Ledger(Mapping[str, Cost]):
    """The operations that were carried out at least once, by name."""

    def __init__(self, entries: Iterable[Entry], counters: Counters) -> None:
        """Take them as they are now."""
        self._costs = {
            entry.name: Cost(entry.name, entry.count, Figures.of(entry.books, counters))
            for entry in entries
            if entry.count
        }

    def __getitem__(self, name: str) -> Cost:
        """Return an operation's cost. Raises KeyError with the names that there are."""
        if name not in self._costs:
            there = ", ".join(self._costs) or "none: mark one, or probe a symbol"
            raise KeyError(f"no operation {name} was carried out; there are {there}")
        return self._costs[name]

    def __iter__(self) -> Iterator[str]:
        """Go through the names."""
        return iter(self._costs)

    def __len__(self) -> int:
        """Count the operations."""
        return len(self._costs)

    def __repr__(self) -> str:
        """Show what there is."""
        return f"Ledger({', '.join(f'{name}: {cost.count}' for name, cost in self._costs.items())})"
