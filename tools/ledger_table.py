# SPDX-License-Identifier: GPL-2.0-or-later
"""The ledger as tables: what each operation cost, its cycles by cause, and what theory says of some.

Every figure is per operation. A counter that the run does not have is a dash, not 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ringscope.emulator.books import Counters, Entry

ABSENT = "-"
BAR, LABEL, OPERATION = 48, 26, 14  # columns of a bar, of the headings, of an operation's name and figures
L1_MISSES = ("L1-icache-load-misses", "L1-dcache-load-misses", "L1-dcache-store-misses")
#: Heading of a row and the counters whose sum it shows.
COUNTS: Mapping[str, tuple[str, ...]] = {
    "cycles": ("cycles",),
    "instructions": ("instructions",),
    "mode switches": ("mode-switches",),
    "address-space switches": ("address-space-switches",),
    "context switches": ("context-switches",),
    "IPCs": ("ipc",),
    "L1 misses": L1_MISSES,
    "L2 misses": ("L2-load-misses",),
    "LLC misses": ("LLC-load-misses",),
    "page walks": ("page-walks",),
    "branch misses": ("branch-misses",),
    "bytes copied": ("bytes-copied",),
}


@dataclass(frozen=True)
class Look:
    """How a cause is drawn in a bar: a letter of its own, and a colour where there are colours."""

    letter: str
    colour: str


LOOKS: Mapping[str, Look] = {
    "issue": Look("=", "green"),
    "i-miss": Look("i", "yellow"),
    "d-miss": Look("d", "magenta"),
    "tlb-walk": Look("w", "blue"),
    "branch": Look("b", "cyan"),
    "trap": Look("T", "red"),
    "serialisation": Look("S", "bright_red"),
    "copy": Look("c", "white"),
}
UNKNOWN = Look("?", "white")


@dataclass(frozen=True)
class Theory:
    """What an operation costs in principle, whatever the processor; the reason is shown with it."""

    operation: str
    reason: str
    counters: Mapping[str, int]


THEORY = (
    Theory(
        "ping-pong",
        "a call and its reply: into the kernel and out for each, two processes, two messages",
        {"mode-switches": 4, "address-space-switches": 2, "ipc": 2},
    ),
    Theory(
        "null-call",
        "one system call: into the kernel and out, in one process, no message",
        {"mode-switches": 2, "address-space-switches": 0, "ipc": 0},
    ),
)


@dataclass(frozen=True)
class Column:
    """A column of costs: an operation of a run, and the names of the counters that the run has."""

    heading: str
    entry: Entry
    has: frozenset[str]


def number(value: float) -> str:
    """Write a count per operation: whole where it is whole, else two decimals."""
    if 0 < value < 0.005:
        return "<0.01"
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"


def tables(
    ledger: Sequence[Entry], counters: Counters, width: int, what_if: str | None = None
) -> Iterator[Table | Text]:
    """Yield what there is to print on ``width`` columns; ``what_if`` says what is supposed in it."""
    if what_if is not None:
        yield Text(f"\n{what_if}", "bold")
    if not ledger:
        yield Text(
            "No operation was marked; emulator/guest/ringscope.h says how a guest marks one, and "
            "--probe SYMBOL needs no mark."
        )
        return
    has = frozenset(counters.names())
    yield from costs("The ledger, per operation", [Column(each.name, each, has) for each in ledger], width)
    yield _bars(ledger)
    yield from _compared(ledger, has)


def titled(title: str) -> Table:
    """Return an empty table as all are here: a title of its own line, no frame."""
    return Table(title=f"\n{title}", title_justify="left", title_style="bold", box=None, pad_edge=False)


def costs(title: str, columns: Sequence[Column], width: int) -> Iterator[Table]:
    """Yield tables of what operations cost, side by side as far as ``width`` columns of text allow."""
    abreast = max(1, (width - LABEL) // OPERATION)
    for first in range(0, len(columns), abreast):
        yield _costs(title, columns[first : first + abreast])


def _costs(title: str, columns: Sequence[Column]) -> Table:
    table = titled(title)
    table.add_column("", no_wrap=True)
    for column in columns:
        table.add_column(Text(column.heading, justify="right"), justify="right")
    table.add_row("carried out", *(f"{column.entry.count:,}" for column in columns))
    for heading, names in COUNTS.items():
        table.add_row(heading, *(_cell(column.entry, names, column.has) for column in columns))
    table.add_row()
    table.add_row(Text("cycles by cause", "bold"))
    for cause in columns[0].entry.books.causes():
        look = LOOKS.get(cause, UNKNOWN)
        cycles = (number(column.entry.books.causes()[cause] / column.entry.count) for column in columns)
        table.add_row(Text.assemble((look.letter, look.colour), f" {cause}"), *cycles)
    return table


def _cell(entry: Entry, names: Sequence[str], has: frozenset[str]) -> str:
    if not has.issuperset(names):
        return ABSENT
    return number(sum(entry.books.total(name) for name in names) / entry.count)


def _bars(ledger: Sequence[Entry]) -> Table:
    table = titled("Where the cycles went")
    table.add_column("operation")
    table.add_column("share of each cause", min_width=BAR, no_wrap=True)
    table.add_column("cycles", justify="right")
    for entry in ledger:
        cycles = number(entry.books.total("cycles") / entry.count)
        table.add_row(Text(entry.name), bar(entry.books.causes(), BAR), cycles)
    return table


def bar(causes: Mapping[str, int], width: int) -> Text:
    """Draw shares of ``width`` characters; what is rounded away from one cause falls to the next."""
    whole = sum(causes.values())
    text = Text()
    done = drawn = 0
    for cause, cycles in causes.items():
        done += cycles
        upto = round(width * done / whole) if whole else 0
        look = LOOKS.get(cause, UNKNOWN)
        text.append(look.letter * (upto - drawn), look.colour)
        drawn = upto
    return text


def _compared(ledger: Sequence[Entry], has: frozenset[str]) -> Iterator[Table | Text]:
    """Yield measured counts beside theory's, for the operations that theory knows."""
    table = titled("What theory says, per operation")
    table.add_column("operation")
    table.add_column("counter")
    table.add_column("theory", justify="right")
    table.add_column("measured", justify="right")
    reasons = []
    for theory in THEORY:
        for entry in (entry for entry in ledger if entry.name == theory.operation):
            reasons.append(Text(f"{theory.operation} is {theory.reason}."))
            for counter, expected in theory.counters.items():
                measured = _cell(entry, (counter,), has)
                style = "" if measured in (number(expected), ABSENT) else "bold red"
                table.add_row(theory.operation, counter, number(expected), Text(measured, style))
    if reasons:
        yield table
        yield from reasons
