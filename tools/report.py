# SPDX-License-Identifier: GPL-2.0-or-later
"""``ringscope report`` tells where a recorded run spent its cycles: by process, function and source line."""

from __future__ import annotations

import argparse
import contextlib
import fnmatch
import os
import re
from typing import TYPE_CHECKING

from ringscope.emulator.attribution import recording
from ringscope.emulator.attribution.summary import Summary
from ringscope.tools import attributed, endings, report_table, results
from ringscope.tools.console import ResultConsole
from ringscope.tools.options import UsageError, file_path, once, one_of
from ringscope.tools.record import DEFAULT_FILE
from ringscope.tools.report_grid import WHOLE_LINES
from ringscope.tools.report_page import add_page_options, write_page

if TYPE_CHECKING:
    from ringscope.emulator.attribution.costs import Cost
    from ringscope.emulator.attribution.names import Names
    from ringscope.emulator.attribution.recording import Recording

RINGS = ("user", "kernel")
TOP = 20
OF_TABLES = frozenset(("sort", "top", "process", "ring", "json"))


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``report``, which sets ``func`` to take the namespace and return the exit status."""
    parser = subparsers.add_parser(
        "report",
        help="tell where a recorded run spent its cycles and misses, or show a run as one page",
        description=f"Without --html IMAGE is what 'record' wrote, {DEFAULT_FILE} if it is left out.",
        epilog=endings.STATUSES,
    )
    chosen = parser.add_argument_group("what is told of what 'record' wrote")
    once(chosen, "--sort", metavar="EVENT", default="cycles", help="a counter or a cause; default: cycles")
    once(chosen, "--top", metavar="N", type=row_count, default=TOP, help=f"rows of a table; default: {TOP}")
    once(chosen, "--process", metavar="GLOB", help="of processes of this name, as in 'client*'")
    once(chosen, "--ring", **one_of(RINGS), help="of this ring alone")
    once(chosen, "--json", metavar="FILE", type=file_path, help="write all rows as JSON as well; - is stdout")
    add_page_options(parser)
    parser.set_defaults(func=report)


def row_count(text: str) -> int:
    """Read a number of rows, at least 1."""
    if not re.fullmatch(r"\d{1,9}", text) or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of rows; write 50")
    return int(text)


def report(arguments: argparse.Namespace) -> int:
    """Run ``report`` and return the exit status."""
    _refuse_contradictions(arguments)
    if arguments.html is not None:
        return write_page(arguments)
    kept = recording.read(arguments.image or DEFAULT_FILE)
    names = attributed.names(kept.head.programs, kept.kernel, kept.modules)
    word = event_word(kept, arguments.sort)
    summary = Summary(kept.attribution, names, _chosen(kept, names, arguments.process, ring=arguments.ring))
    with contextlib.ExitStack() as stack:
        json_file = (
            None if arguments.json is None else stack.enter_context(results.ResultFile(arguments.json))
        )
        tables = report_table.Tables(kept.head, summary, word, arguments.top)
        if arguments.json is None or str(arguments.json) != results.STDOUT_NAME:
            console = ResultConsole()
            for line in tables.lines(results_width(console)):
                console.print(line, soft_wrap=True, markup=False)
        if json_file is not None:
            json_file.write(results.as_json(tables.document()))
    return 0


def results_width(console: ResultConsole) -> int:
    """Return how long lines may be: as the console is wide, and whole where it is none."""
    return console.width if console.is_terminal or "COLUMNS" in os.environ else WHOLE_LINES


def _refuse_contradictions(given: argparse.Namespace) -> None:
    """Keep apart what chooses tables of a recording and what says which run a page shows."""
    seen: set[str] = given.__dict__.get("_seen", set())
    if given.html is not None and seen & OF_TABLES:
        raise UsageError(
            "--html writes a page, and --sort, --top, --process, --ring and --json choose tables"
        )
    if given.html is None and seen - OF_TABLES:
        raise UsageError("without --html a report is of what 'record' wrote: it takes no options of a run")


def event_word(kept: Recording, event: str) -> int:
    """Return the number of a cost's word by its name, which the run must have. Raises UsageError."""
    there = [*kept.head.counters, *kept.head.columns[kept.head.causes :]]
    if event not in there:
        raise UsageError(f"{event!r} is not among the events of this recording: {', '.join(there)}")
    return kept.head.columns.index(event)


def _chosen(kept: Recording, names: Names, process: str | None, *, ring: str | None) -> dict[int, Cost]:
    places = kept.attribution.places
    found = {
        number: cost
        for number, cost in kept.attribution.costs.items()
        if (ring is None or places[number].user == (ring == RINGS[0]))
        and (process is None or fnmatch.fnmatchcase(names.process(places[number].space), process))
    }
    if not found and process is not None:
        there = sorted({names.process(place.space) for place in places})
        raise UsageError(f"no process {process!r} did anything here; there are {', '.join(there)}")
    return found
