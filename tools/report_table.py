# SPDX-License-Identifier: GPL-2.0-or-later
"""A summary as tables with bars, and as JSON. What a table shows adds up to what it says it is of."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from ringscope.emulator.attribution.costs import total
from ringscope.emulator.attribution.summary import CYCLES
from ringscope.tools.report_grid import Column, Grid, bar, share

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.text import Text

    from ringscope.emulator.attribution.costs import Cost, Place
    from ringscope.emulator.attribution.names import Function
    from ringscope.emulator.attribution.recording import Head
    from ringscope.emulator.attribution.summary import Summary
    from ringscope.emulator.debug.source_lines import Place as Line

#: Headings beside the event that a table is sorted by, the counters whose sum they show, and from what width
#: of the console on, in columns.
COUNTS: Mapping[str, tuple[tuple[str, ...], int]] = {
    "cycles": (("cycles",), 0),
    "instructions": (("instructions",), 90),
    "L1 misses": (("L1-icache-load-misses", "L1-dcache-load-misses", "L1-dcache-store-misses"), 110),
    "LLC misses": (("LLC-load-misses",), 150),
    "walks": (("page-walks",), 150),
    "br. misses": (("branch-misses",), 150),
}
RING = Column("ring", figures=False)


class Tables:
    """The tables of one summary, sorted by one word of a cost, ``top`` rows each."""

    def __init__(self, head: Head, summary: Summary, word: int, top: int) -> None:
        """Sum what is chosen."""
        self._head, self._summary = head, summary
        self._word, self._top = word, top
        self._event = head.columns[word]
        nothing: Cost = (0,) * len(head.columns)
        self._whole = total([nothing, *summary.by(lambda _: None).values()])

    def lines(self, width: int) -> Iterator[Text | str]:
        """Yield what is printed on a console of that width."""
        yield from self._about()
        for grid in (self._by_process(width), self._by_function(width), self._by_line(width)):
            yield ""
            yield from grid.lines(width)

    def _about(self) -> Iterator[str]:
        head = self._head
        yield (
            f"{head.image} ({head.arch}, {head.cpu}, {head.fidelity}), ended by {head.reason}, "
            f"status {head.status}"
        )
        if head.what_if is not None:
            yield head.what_if
        counted = [sum(ring[word] for ring in head.totals) for word in range(len(head.columns))]
        parts = []
        for word in dict.fromkeys((CYCLES, self._word, head.columns.index("instructions"))):
            of_all = "" if self._whole[word] == counted[word] else f" of {counted[word]:,}"
            parts.append(f"{self._whole[word]:,}{of_all} {head.columns[word]}")
        yield ", ".join(parts) + "; every table adds up to them"

    def _counts(self, width: int) -> dict[str, list[int]]:
        """Return the headings that the run has counters for, with their words."""
        found = {}
        for heading, (names, least) in COUNTS.items():
            words = [self._head.columns.index(name) for name in names if name in self._head.counters]
            if words and width >= least and words != [self._word]:
                found[heading] = words
        return found

    def _grid(self, title: str, width: int, texts: Sequence[Column]) -> Grid:
        counts = [Column(heading) for heading in self._counts(width)]
        columns = (Column(self._event), Column("share"), Column("", figures=False), *counts, *texts)
        return Grid(title, columns)

    def _fill(self, grid: Grid, width: int, rows: Sequence[tuple[Cost, tuple[str, ...]]], what: str) -> Grid:
        ordered = sorted(rows, key=lambda row: -row[0][self._word])
        for cost, texts in ordered[: self._top]:
            self._row(grid, width, cost, texts)
        rest = ordered[self._top :]
        if rest:
            cost = total(cost for cost, _ in rest)
            texts = ("",) * (len(rows[0][1]) - 1)
            self._row(grid, width, cost, (*texts, f"{len(rest):,} more {what}; --top shows more"))
        return grid

    def _row(self, grid: Grid, width: int, cost: Cost, texts: tuple[str, ...]) -> None:
        value, whole = cost[self._word], self._whole[self._word]
        counts = (f"{sum(cost[word] for word in words):,}" for words in self._counts(width).values())
        grid.add(f"{value:,}", share(value, whole), bar(value, whole), *counts, *texts)

    def _by_process(self, width: int) -> Grid:
        names = self._summary.names
        sums = self._summary.by(lambda place: (place.user, names.process(place.space)))
        rows = [(cost, ("user" if user else "kernel", process)) for (user, process), cost in sums.items()]
        grid = self._grid("By process and ring", width, (RING, Column("address space of", figures=False)))
        return self._fill(grid, width, rows, "rows")

    def _by_function(self, width: int) -> Grid:
        inclusive, whole = self._summary.inclusive, self._whole[CYCLES]
        rows = [
            (cost, (share(inclusive[one], whole), one.ring, one.program, one.name))
            for one, cost in self._summary.functions.items()
        ]
        texts = (
            Column("with callees"),
            RING,
            Column("program", figures=False),
            Column("function", figures=False),
        )
        return self._fill(self._grid("By function", width, texts), width, rows, "functions")

    def _by_line(self, width: int) -> Grid:
        lines = self._summary.names.lines
        rows = []
        for (function, line), cost in self._lines().items():
            text = "" if line is None else (lines.text(line) or "").strip()
            rows.append((cost, (_place(function, line), text)))
        texts = (Column("line", figures=False), Column("", figures=False))
        return self._fill(self._grid("By source line", width, texts), width, rows, "lines")

    def _lines(self) -> dict[tuple[Function | None, Line | None], Cost]:
        """Sum by line; what has none, by function."""
        names = self._summary.names

        def key(place: Place) -> tuple[Function | None, Line | None]:
            line = names.line(place)
            return (names.of(place) if line is None else None, line)

        return self._summary.by(key)

    # ---- JSON ----

    def document(self) -> dict[str, object]:
        """Return all of it: every row, every event, with the totals that they add up to."""
        head, summary = self._head, self._summary
        names = summary.names
        processes = summary.by(lambda place: (place.user, names.process(place.space)))
        return {
            "arch": head.arch,
            "cpu": head.cpu,
            "what_if": head.what_if,
            "fidelity": head.fidelity,
            "image": head.image,
            "exit": {"reason": head.reason, "status": head.status},
            "total": self._events(self._whole),
            "processes": [
                {"process": process, "ring": "user" if user else "kernel", **self._events(cost)}
                for (user, process), cost in processes.items()
            ],
            "functions": [
                {
                    "program": one.program,
                    "ring": one.ring,
                    "function": one.name,
                    "cycles_with_callees": summary.inclusive[one],
                    **self._events(cost),
                }
                for one, cost in summary.functions.items()
            ],
            "lines": [
                {
                    "file": None if line is None else line.file,
                    "line": None if line is None else line.line,
                    "function": None if function is None else function.name,
                    **self._events(cost),
                }
                for (function, line), cost in self._lines().items()
            ],
        }

    def _events(self, cost: Cost) -> dict[str, object]:
        return events(self._head, cost)


def events(head: Head, cost: Cost) -> dict[str, object]:
    """Return a cost with names: the counters that the run had, and cycles by cause."""
    by_name = dict(zip(head.columns, cost, strict=True))
    return {
        "counters": {name: by_name[name] for name in head.counters},
        "cycles_by_cause": {name: by_name[name] for name in head.columns[head.causes :]},
    }


def _place(function: Function | None, line: Line | None) -> str:
    if line is not None:
        return f"{PurePath(line.file).name}:{line.line}"
    return f"({function.name}, no line)" if function is not None else ""
