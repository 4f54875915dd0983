# SPDX-License-Identifier: GPL-2.0-or-later
"""``ringscope ipc`` runs a system and prints its ledger: what each marked operation cost, and why."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from ringscope.tools import endings, ledger_table, results, session
from ringscope.tools.console import ResultConsole
from ringscope.tools.options import BootOptions, add_boot_options, add_json_option
from ringscope.tools.probes import Probes, add_probe_option

if TYPE_CHECKING:
    import argparse


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``ipc``, which sets ``func`` to take the namespace and return the exit status."""
    parser = subparsers.add_parser(
        "ipc", help="run a system and say what each marked or probed operation cost", epilog=endings.STATUSES
    )
    group = parser.add_argument_group("ledger")
    add_json_option(group)
    add_probe_option(group)
    add_boot_options(parser)
    parser.set_defaults(func=ipc)


def ipc(arguments: argparse.Namespace) -> int:
    """Run ``ipc`` and return the exit status."""
    options = BootOptions.of(arguments)
    probes = Probes(arguments.probe)
    with contextlib.ExitStack() as stack:
        json_file = (
            None if arguments.json is None else stack.enter_context(results.ResultFile(arguments.json))
        )
        outcome = session.run(options, probes)
        endings.explain(outcome)
        probes.explain({entry.name: entry.count for entry in results.ledger(outcome)})
        console = ResultConsole()
        machine = outcome.machine
        for part in ledger_table.tables(
            results.ledger(outcome), machine.counters, console.width, machine.profile.what_if
        ):
            console.print(part)
        if json_file is not None:
            json_file.write(results.as_json(results.document(outcome)))
    return outcome.exit.status
