# SPDX-License-Identifier: GPL-2.0-or-later
"""``ringscope cpu validate``: the same programs on this host and on the machine, cycles against cycles."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from ringscope.emulator.timing import profile as profiles
from ringscope.tools.console import ResultConsole
from ringscope.tools.options import UsageError
from ringscope.tools.validation import host, suite
from ringscope.tools.validation.machine import Processor, Run

if TYPE_CHECKING:
    import argparse

ARCHITECTURE = "x86_64"


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``cpu validate``."""
    parser = commands.add_parser(
        "validate", help="run programs on this host and on the machine, and compare their cycles"
    )
    parser.add_argument(
        "--cpu", metavar="PROFILE", default="skylake", help="a profile's name or its .toml file"
    )
    parser.set_defaults(func=validate)


def validate(arguments: argparse.Namespace) -> int:
    """Run ``cpu validate`` and return the exit status."""
    if platform.machine() != ARCHITECTURE:
        raise UsageError(
            f"the programs are for {ARCHITECTURE}, and this host is {platform.machine()}: "
            "there is nothing to compare"
        )
    profile = profiles.load(arguments.cpu, ARCHITECTURE)
    try:
        path = suite.build()
        source, native = host.measure(path)
    except (suite.SuiteMissing, host.HostError) as error:
        raise UsageError(str(error)) from error
    processor = Processor(profile, suite.Image.read(path))
    try:
        modelled = {case.name: processor.measure(case) for case in suite.CASES}
    finally:
        processor.close()
    ResultConsole().print(_table(native, modelled))
    errors = [abs(modelled[name].cycles / native[name].cycles - 1) for name in native]
    ResultConsole().print(
        f"{profile.name} against this host: mean absolute error {100 * sum(errors) / len(errors):.1f}%, "
        f"largest {100 * max(errors):.1f}%, of {len(errors)} programs"
    )
    ResultConsole().print(f"cycles of the host by {source}")
    differing = [name for name in native if native[name].result != modelled[name].result]
    if differing:
        ResultConsole().print(f"results differ: {', '.join(differing)}")
    return 1 if differing else 0


def _table(native: dict[str, host.Native], modelled: dict[str, Run]) -> Table:
    table = Table(
        "program",
        "kind",
        "instructions",
        "host",
        "spread",
        "machine",
        "error",
        "why",
        box=None,
        pad_edge=False,
    )
    for column in table.columns[2:7]:
        column.justify = "right"
    for case in suite.CASES:
        here, there = native[case.name], modelled[case.name]
        shares = sorted(
            ((cycles / there.cycles, cause) for cause, cycles in there.causes.items()), reverse=True
        )
        why = ", ".join(f"{cause} {100 * share:.0f}%" for share, cause in shares if share > 0.05)
        table.add_row(
            Text(case.name),
            case.kind,
            f"{there.instructions:,}",
            f"{here.cycles:,.0f}",
            f"{100 * here.spread:.1f}%",
            f"{there.cycles:,}",
            f"{100 * (there.cycles / here.cycles - 1):+.1f}%",
            Text(why),
        )
    return table
