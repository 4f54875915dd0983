# SPDX-License-Identifier: GPL-2.0-or-later
"""``ringscope cpu list`` names the processor profiles, ``cpu show`` prints one with its sources.

``cpu check`` runs microbenchmarks on the machine and prints what they take beside what the profile says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from ringscope.emulator.timing import profile as profiles
from ringscope.emulator.timing.parameters import ASSUMED, ESTIMATE
from ringscope.tools import cpu_calibrate, cpu_validate
from ringscope.tools.console import ResultConsole
from ringscope.tools.options import once
from ringscope.tools.primitives.rows import measure

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from ringscope.emulator.timing.profile import Profile
    from ringscope.tools.primitives.rows import Row

OFF = 1
CHECK_STATUSES = (
    "Exit status: 0, 1 where a figure with a source is off by more than 2 % or outside the range that its "
    "source states (an estimate may be anything), 2 bad input or usage."
)


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``cpu`` and its commands; each sets ``func`` to take the namespace and return the status."""
    cpu = subparsers.add_parser("cpu", help="list the processor profiles, or show one")
    commands = cpu.add_subparsers(metavar="COMMAND", required=True)
    commands.add_parser("list", help="name the profiles").set_defaults(func=list_profiles)
    show = commands.add_parser("show", help="print every value of a profile with its unit and source")
    show.add_argument("profile", metavar="NAME", help="a profile's name or its .toml file")
    show.set_defaults(func=show_profile)
    check = commands.add_parser(
        "check", help="run microbenchmarks and hold what they take against a profile", epilog=CHECK_STATUSES
    )
    once(
        check.add_argument_group("what to check"),
        "--cpu",
        metavar="PROFILE",
        help="this processor alone: a name (see 'ringscope cpu list') or a .toml file; default: all",
    )
    check.set_defaults(func=check_profiles)
    cpu_calibrate.register(commands)
    cpu_validate.register(commands)


def list_profiles(_: argparse.Namespace) -> int:
    """Run ``cpu list`` and return the exit status."""
    table = Table("name", "arch", "estimates", "assumed", "description", box=None, pad_edge=False)
    for name in profiles.available():
        profile = profiles.load(name)
        shares = (f"{100 * profile.share(kind):.0f}%" for kind in (ESTIMATE, ASSUMED))
        table.add_row(name, profile.arch, *shares, Text(profile.description))
    _print(table)
    return 0


def show_profile(arguments: argparse.Namespace) -> int:
    """Run ``cpu show`` and return the exit status."""
    profile = profiles.load(arguments.profile)
    document = profiles.document(arguments.profile)
    table = Table("parameter", "value", "unit", "source", box=None, pad_edge=False)
    table.columns[1].justify = "right"
    for path, source in profile.sources.items():
        entry = _at(document, path)
        value = entry["value"]
        shown = f"{value:,}" if isinstance(value, int) else str(value)
        table.add_row(path, shown, str(entry["unit"]), Text(source))
    _print(table)
    _print(Text(shares(profile)))
    return 0


def check_profiles(arguments: argparse.Namespace) -> int:
    """Run ``cpu check`` and return the exit status."""
    cpus = profiles.available() if arguments.cpu is None else [arguments.cpu]
    checked = [profiles.load(cpu) for cpu in cpus]  # all, before the first machine runs
    wrong = 0
    for cpu, profile in zip(cpus, checked, strict=True):
        rows = measure(profile, cpu)
        _print(_comparison(profile, rows))
        sourced = [row for row in rows if row.sourced]
        off = [row.name for row in sourced if not row.holds]
        verdict = f"{len(sourced) - len(off)} of {len(sourced)} sourced figures hold"
        _print(Text(f"{verdict}; off: {', '.join(off)}" if off else verdict))
        wrong += len(off)
    return OFF if wrong else 0


def _comparison(profile: Profile, rows: Sequence[Row]) -> Table:
    table = Table(
        title=f"\n{profile.arch} {profile.label}",
        title_justify="left",
        title_style="bold",
        box=None,
        pad_edge=False,
    )
    table.add_column("figure", no_wrap=True)
    for heading in ("profile", "measured", "off"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("source")
    for row in rows:
        off = f"{100 * (row.measured / row.expected - 1):+.1f}%" if row.expected else "-"
        style = "" if row.holds else "bold red" if row.sourced else "yellow"
        figures = (f"{figure:,.1f}".removesuffix(".0") for figure in (row.expected, row.measured))
        table.add_row(Text(row.name), *figures, Text(off, style), Text("; ".join(dict.fromkeys(row.sources))))
    return table


def shares(profile: Profile) -> str:
    """Return a sentence on how much of a profile nobody published, and of what it is a what-if."""
    estimates, assumed = (
        sum(source.startswith(kind) for source in profile.sources.values()) for kind in (ESTIMATE, ASSUMED)
    )
    sentence = (
        f"{estimates} of {len(profile.sources)} values ({100 * profile.share(ESTIMATE):.0f}%) are estimates"
    )
    if profile.what_if is None:
        return sentence
    return f"{sentence}, {assumed} are assumed for what the core lacks; {profile.what_if}"


def _at(document: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    """Return the table at a dotted path of a document that has been checked."""
    for part in path.split("."):
        document = document[part]
    return document


def _print(part: Table | Text) -> None:
    ResultConsole().print(part)
