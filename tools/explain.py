# SPDX-License-Identifier: GPL-2.0-or-later
"""What the cycles of a marked operation went into: by cause, ring and function, to the last cycle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringscope.emulator.attribution.summary import CYCLES, Summary
from ringscope.emulator.books import INTERRUPT
from ringscope.emulator.native import library as native
from ringscope.tools import attributed, results
from ringscope.tools.options import UsageError
from ringscope.tools.report_grid import WHOLE_LINES, Column, Grid, share

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ringscope.emulator.attribution.costs import Cost
    from ringscope.emulator.attribution.names import Function
    from ringscope.emulator.books import Entry
    from ringscope.emulator.machine import Machine
    from ringscope.tools.session import Outcome

EVERY = ""  # no operation is named


class Explainer:
    """Explains an operation, or every one that was carried out, of a run that it watches."""

    def __init__(self, operation: str) -> None:
        """``operation`` is a name of the ledger, or EVERY."""
        self._operation = operation
        self.watcher = attributed.Watcher(self._check)

    def _check(self, machine: Machine) -> None:
        there = [*machine.mark_names.values(), INTERRUPT]
        if self._operation not in (EVERY, *there):
            raise UsageError(
                f"--explain: no operation {self._operation!r} is marked in this image; there are "
                f"{', '.join(sorted(there))}"
            )

    def explain(self, outcome: Outcome) -> list[Explanation]:
        """Return the explanations, in the order of the ledger."""
        attribution = self.watcher.raw.read()
        modules = [(module.name, module.data) for module in outcome.image.modules]
        names = attributed.names(self.watcher.programs, outcome.image.kernel_elf, modules)
        return [
            Explanation(
                entry, Summary(attribution, names, attribution.operations.get(entry.name, {})).functions
            )
            for entry in results.ledger(outcome)
            if self._operation in (EVERY, entry.name)
        ]


class Explanation:
    """One operation: the ledger's entry, and what each function spent of it."""

    def __init__(self, entry: Entry, functions: dict[Function, Cost]) -> None:
        """Take both as they are: they have the same sum."""
        self.entry, self.functions = entry, functions
        self._causes = [
            (word, name)
            for word, name in enumerate(native.cause_names(), len(native.counter_names()))
            if any(cost[word] for cost in functions.values())
        ]

    def lines(self, width: int = WHOLE_LINES) -> Iterator[str]:
        """Yield the lines of a table: cycles of all executions, by cause."""
        entry, causes = self.entry, self.entry.books.causes()
        whole, count = entry.books.total("cycles"), entry.count
        title = f"{entry.name}: {whole:,} cycles in {count:,} executions, {whole / count:,.2f} each"
        columns = [Column(heading) for heading in ("cycles", "each", "share")]
        columns += [Column(name) for _, name in self._causes]
        columns += [Column(heading, figures=False) for heading in ("ring", "program", "function")]
        grid = Grid(title, columns)
        for function, cost in self.functions.items():
            if any(cost[word] for word, _ in self._causes):
                grid.add(
                    *self._figures(cost[CYCLES], whole, [cost[word] for word, _ in self._causes]),
                    function.ring,
                    function.program,
                    function.name,
                )
        grid.add(
            *self._figures(whole, whole, [causes[name] for _, name in self._causes]), "", "", "in the ledger"
        )
        for line in grid.lines(width):
            yield line.plain

    def _figures(self, cycles: int, whole: int, causes: Sequence[int]) -> tuple[str, ...]:
        each = f"{cycles / self.entry.count:,.2f}"
        return (f"{cycles:,}", each, share(cycles, whole), *(f"{value:,}" for value in causes))

    def document(self) -> dict[str, object]:
        """Return the same for JSON; the rows add up to ``cycles`` and ``cycles_by_cause``."""
        entry = self.entry
        return {
            "name": entry.name,
            "count": entry.count,
            "cycles": entry.books.total("cycles"),
            "cycles_by_cause": entry.books.causes(),
            "functions": [
                {
                    "ring": function.ring,
                    "program": function.program,
                    "function": function.name,
                    "cycles": cost[CYCLES],
                    "cycles_by_cause": dict(
                        zip(native.cause_names(), cost[len(native.counter_names()) :], strict=True)
                    ),
                }
                for function, cost in self.functions.items()
            ],
        }


def text(explanations: Sequence[Explanation]) -> str:
    """Return the tables."""
    if not explanations:
        return "\n No marked operation was carried out: there is nothing to explain.\n"
    lines = (line for one in explanations for line in ("", *one.lines()))
    return "".join(f" {line}".rstrip() + "\n" for line in lines)
