# SPDX-License-Identifier: GPL-2.0-or-later
"""``ringscope compare`` runs the bundled system on several machines: one operation's cost, side by side.

Runs are the same to the bit, so a document that ``--json`` wrote is a baseline: whatever moved since then
was moved by a change of the guest, of a profile or of ringscope.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from ringscope.bootimage import BootRequest
from ringscope.bootimage.bundled import bundled_image
from ringscope.emulator.machine import DEFAULT_CPU, MachineConfig
from ringscope.emulator.timing import profile as profiles
from ringscope.tools import endings, ledger_table, results, session
from ringscope.tools.baseline import Baseline
from ringscope.tools.console import ResultConsole
from ringscope.tools.options import ARCHITECTURES, BootOptions, UsageError, file_path, once

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console

    from ringscope.emulator.books import Entry
    from ringscope.tools.baseline import Move

OPERATION = "ping-pong"
MOVED = 1
EPILOG = (
    "Exit status: 0, 1 where a counter moved since the --baseline, 2 bad input or usage; if a system ends "
    "early, its own, see 'ringscope --help'."
)


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``compare``, which sets ``func`` to take the namespace and return the exit status."""
    parser = subparsers.add_parser(
        "compare", help="say what one operation costs on several machines", epilog=EPILOG
    )
    machines = parser.add_argument_group("the machines, each of which runs the bundled system")
    once(
        machines,
        "--arch",
        metavar="ARCH,...",
        type=_architectures,
        help=f"each with its default processor; default: {','.join(ARCHITECTURES)}",
    )
    once(
        machines,
        "--cpu",
        metavar="PROFILE,...",
        type=_words,
        help="these processors instead: names (see 'ringscope cpu list') or .toml files",
    )
    shown = parser.add_argument_group("what to compare")
    once(
        shown,
        "--operation",
        metavar="NAME",
        default=OPERATION,
        help=f"an operation of the ledger; default: {OPERATION}",
    )
    once(
        shown,
        "--json",
        metavar="FILE",
        type=file_path,
        help="write what every machine counted as JSON, a baseline for later; - is stdout",
    )
    once(
        shown,
        "--baseline",
        metavar="FILE",
        type=file_path,
        help="name what moved since --json wrote this file, and end with status 1 if anything did",
    )
    once(
        shown,
        "--tolerance",
        metavar="P",
        type=_percentage,
        help="let the baseline's figures move by P %% of themselves; default: 0, for runs are repeatable",
    )
    parser.set_defaults(func=compare)


def _words(text: str) -> list[str]:
    words = text.split(",")
    if "" in words:
        raise argparse.ArgumentTypeError(f"{text!r} has an empty name; put one comma between two names")
    return words


def _architectures(text: str) -> list[str]:
    words = _words(text)
    for word in words:
        if word not in ARCHITECTURES:
            raise argparse.ArgumentTypeError(f"{word!r} is not one of {', '.join(ARCHITECTURES)}")
    return words


def _percentage(text: str) -> float:
    """Read a percentage, not negative."""
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a percentage; write 5 or 0.5")
    return float(text)


@dataclass(frozen=True)
class Run:
    """What is kept of one machine's run: its name, its document, its ledger and the counters it has."""

    machine: str
    document: dict[str, object]
    ledger: Sequence[Entry]
    has: frozenset[str]
    what_if: bool

    def column(self, operation: str) -> ledger_table.Column:
        """Return an operation of the ledger. Raises UsageError where it was not carried out."""
        for entry in self.ledger:
            if entry.name == operation:
                heading = self.machine.replace(" ", "\n") + ("\nwhat-if" if self.what_if else "")
                return ledger_table.Column(heading, entry, self.has)
        names = ", ".join(entry.name for entry in self.ledger)
        raise UsageError(f"--operation {operation}: not in the ledger of {self.machine}, which has {names}")


class EndedEarly(Exception):
    """A system did not come to its own good end; ``status`` is the exit status to end with."""

    def __init__(self, status: int) -> None:
        """Say with which."""
        super().__init__(status)
        self.status = status


def compare(arguments: argparse.Namespace) -> int:
    """Run ``compare`` and return the exit status."""
    if arguments.tolerance is not None and arguments.baseline is None:
        raise UsageError("--tolerance is about what moved since a --baseline; give that too")
    if arguments.json is not None and arguments.json == arguments.baseline:
        raise UsageError(f"--json and --baseline name one file, {arguments.json}; give two")
    machines = _machines(arguments)
    operation: str = arguments.operation
    baseline = None if arguments.baseline is None else Baseline(arguments.baseline)
    if baseline is not None:
        for machine in machines:
            baseline.check(machine, operation)
    with contextlib.ExitStack() as stack:
        json_file = (
            None if arguments.json is None else stack.enter_context(results.ResultFile(arguments.json))
        )
        try:
            runs = [_run(machine, options, operation) for machine, options in machines.items()]
        except EndedEarly as end:
            return end.status
        console = ResultConsole()
        columns = [run.column(operation) for run in runs]
        for table in ledger_table.costs(f"{operation}, per operation", columns, console.width):
            console.print(table)
        moves = []
        if baseline is not None:
            tolerance = arguments.tolerance or 0
            moves = [move for run in runs for move in baseline.moves(run.document, operation, tolerance)]
            _print_moves(moves, arguments.baseline, console)
        if json_file is not None:
            json_file.write(results.as_json({"machines": [run.document for run in runs]}))
    return MOVED if moves else 0


def _machines(arguments: argparse.Namespace) -> dict[str, BootOptions]:
    """Return what to boot by the machine's name. Raises UsageError, ProfileError, ImageError."""
    if arguments.arch is not None and arguments.cpu is not None:
        raise UsageError("--arch and --cpu both choose the machines; give one of them")
    cpus = arguments.cpu or [DEFAULT_CPU[arch] for arch in arguments.arch or ARCHITECTURES]
    machines: dict[str, BootOptions] = {}
    for cpu in cpus:
        profile = profiles.load(cpu)
        name = f"{profile.arch} {profile.name}"
        if name in machines:
            raise UsageError(f"{name} is to be compared with itself; name each machine once")
        machines[name] = BootOptions(
            request=BootRequest(bundled_image(profile.arch)),
            machine=MachineConfig(cpu=cpu, serial=False, arch=profile.arch),
        )
    return machines


def _run(machine: str, options: BootOptions, operation: str) -> Run:
    """Run one machine to its end. Raises EndedEarly, UsageError."""
    outcome = session.run(options)
    endings.explain(outcome)
    if outcome.exit.status:
        if outcome.exit.reason == "guest":
            print(
                f"ringscope: the system on {machine} ended with status {outcome.exit.status}", file=sys.stderr
            )
        raise EndedEarly(outcome.exit.status)
    run = Run(
        machine,
        results.document(outcome),
        results.ledger(outcome),
        frozenset(outcome.machine.counters.names()),
        outcome.machine.profile.what_if is not None,
    )
    run.column(operation)  # a name that there is none of is refused before the next machine runs
    return run


def _print_moves(moves: Sequence[Move], baseline: Path, console: Console) -> None:
    if not moves:
        console.print(Text(f"\nNothing moved since {baseline}."), soft_wrap=True)
        return
    table = ledger_table.titled(f"Moved since {baseline.name}, per operation")
    for heading in ("machine", "figure"):
        table.add_column(heading, no_wrap=True)
    for heading in ("before", "now", "change"):
        table.add_column(heading, justify="right", no_wrap=True)
    for move in moves:
        before, now = (
            ledger_table.ABSENT if value is None else f"{value:,.6g}" for value in (move.before, move.now)
        )
        table.add_row(Text(move.machine), Text(move.figure), before, now, _change(move))
    console.print(table)


def _change(move: Move) -> str:
    if move.before is None or move.now is None or not move.before:
        return ledger_table.ABSENT
    return f"{100 * (move.now - move.before) / move.before:+.2f} %"
