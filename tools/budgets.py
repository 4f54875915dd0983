# SPDX-License-Identifier: GPL-2.0-or-later
"""What operations may cost, in a file; and why one costs more than it may.

    [ping-pong]                  # at most, per execution
    cycles = 900
    "instructions:k" = 150
    [ping-pong.was]              # what it took when this was written; what moved is told from here
    cycles = 794.088
    trap = 314

Names are those of ``ringscope stat``, with ``:u`` or ``:k`` for one ring. ``was`` may be left out.
"""

from __future__ import annotations

import math
import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringscope.bootimage.files import content, write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ringscope.emulator.figures import Cost, Ledger

WAS = "was"
DEFAULTS = ("cycles", "instructions")  # what is budgeted where nobody has said
RINGS = {"u": "user", "k": "kernel"}
PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")
DIGITS = 3  # decimals of a mean in the file


class BudgetError(Exception):
    """A budget cannot be used; the message is one sentence for the user."""


def figure(cost: Cost, name: str) -> float:
    """Return a counter of a cost, of both rings or, with ``:u`` or ``:k``, of one. Raises KeyError."""
    counter, _, ring = name.partition(":")
    part = {"": cost, "u": cost.user, "k": cost.kernel}[ring]
    return float(part[counter])


def everything(cost: Cost) -> dict[str, float]:
    """Return every figure of a cost: counters of both rings and of each, and cycles by cause."""
    figures: dict[str, float] = {}
    for name in cost.total.names:
        figures |= {each: figure(cost, each) for each in (name, *(f"{name}:{ring}" for ring in RINGS))}
    return figures | cost.causes


def number(value: float) -> str:
    """Write a figure: whole where it is whole, else two decimals."""
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"


def breakdown(cost: Cost, was: Mapping[str, float] | None = None) -> Iterator[str]:
    """Yield lines that say where the cycles went, and what moved since ``was``."""
    before = was or {}

    def row(name: str, value: float) -> str:
        then = before.get(name)
        moved = "" if then is None or abs(value - then) < 10**-DIGITS else f"   was {number(then)}"
        return f"  {name:<24}{number(value):>12}{moved}"

    yield f"{cost.name}: {number(float(cost['cycles']))} cycles per execution, of {cost.count:,} executions"
    yield from (row(f"cycles:{ring}", figure(cost, f"cycles:{ring}")) for ring, name in RINGS.items() if name)
    yield from (row(cause, cycles) for cause, cycles in cost.causes.items() if cycles or before.get(cause))
    moved = [
        row(name, value)
        for name, value in everything(cost).items()
        if name in before
        and ":" not in name
        and name not in cost.causes
        and name != "cycles"
        and abs(value - before[name]) >= 10**-DIGITS
    ]
    if moved:
        yield "counters that moved"
        yield from moved


@dataclass(frozen=True)
class Excess:
    """An operation that costs more than it may."""

    operation: str
    counter: str
    most: float
    found: float

    def __str__(self) -> str:
        """Say so in one line."""
        over = f", {100 * (self.found / self.most - 1):.1f} % over" if self.most else ""
        return (
            f"{self.operation}: {number(self.found)} {self.counter}, and the budget is "
            f"{number(self.most)}{over}"
        )


class Budget:
    """The budgets in a file. Every method raises BudgetError."""

    def __init__(self, path: Path, *, may_be_missing: bool = False) -> None:
        """Read it; one that ``may_be_missing`` is empty then."""
        self.path = path
        self.head = ""
        self.most: dict[str, dict[str, float]] = {}
        self.was: dict[str, dict[str, float]] = {}
        if may_be_missing and not path.exists():
            return
        try:
            text = content(path).decode()
            tables = tomllib.loads(text)
        except OSError as error:
            raise BudgetError(f"{path}: cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise BudgetError(f"{path}: not a budget: {error}") from error
        for operation, table in tables.items():
            if not isinstance(table, dict):
                raise BudgetError(
                    f"{path}: {operation} is no table; write [{operation}] and what it may cost"
                )
            was = table.pop(WAS, {})
            self.most[operation] = {name: self._value(operation, name, table[name]) for name in table}
            self.was[operation] = {name: self._value(operation, name, was[name]) for name in was}
        lines = text.splitlines(keepends=True)
        self.head = "".join(lines[: next((i for i, line in enumerate(lines) if line[:1] != "#"), 0)])

    def _value(self, operation: str, name: str, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
            raise BudgetError(f"{self.path}: {operation}.{name} = {value!r}: give a number, 0 or more")
        return float(value)

    def _cost(self, ledger: Ledger, operation: str) -> Cost:
        if operation not in ledger:
            there = ", ".join(ledger) or "none"
            raise BudgetError(f"{self.path}: {operation} was not carried out in this run; there are {there}")
        return ledger[operation]

    def excesses(self, ledger: Ledger) -> list[Excess]:
        """Return what costs more than it may."""
        found = []
        for operation, table in self.most.items():
            cost = self._cost(ledger, operation)
            for name, most in table.items():
                try:
                    value = figure(cost, name)
                except KeyError as error:
                    raise BudgetError(
                        f"{self.path}: {operation}.{name}: this run has no such counter"
                    ) from error
                if value > most:
                    found.append(Excess(operation, name, most, value))
        return found

    def explain(self, ledger: Ledger, excesses: list[Excess]) -> str:
        """Return one line an excess, and below them where the cycles of those operations went."""
        lines = [str(excess) for excess in excesses]
        for operation in dict.fromkeys(excess.operation for excess in excesses):
            lines += ["", *breakdown(ledger[operation], self.was.get(operation))]
        return "\n".join(lines)

    def update(self, ledger: Ledger) -> None:
        """Write what was found as the new budgets; a file that has none gets every operation there is."""
        operations = list(self.most) or list(ledger)
        parts = [self.head]
        for operation in operations:
            cost = self._cost(ledger, operation)
            most = {name: math.ceil(figure(cost, name)) for name in self.most.get(operation, DEFAULTS)}
            was = {name: round(value, DIGITS) for name, value in everything(cost).items()}
            parts.append(f"[{_key(operation)}]\n{_lines(most)}[{_key(operation)}.{WAS}]\n{_lines(was)}")
            self.most[operation] = {name: float(value) for name, value in most.items()}
            self.was[operation] = was
        write_whole(self.path, "\n".join(part for part in parts if part).encode())


def _key(name: str) -> str:
    if PLAIN_KEY.fullmatch(name):
        return name
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _lines(figures: Mapping[str, float]) -> str:
    return "".join(
        f"{_key(name)} = {value:g}\n" if value != int(value) else f"{_key(name)} = {value:.0f}\n"
        for name, value in figures.items()
    )
