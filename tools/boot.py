# SPDX-License-Identifier: GPL-2.0-or-later
"""``ringscope boot`` runs a system with its console on stdout, and ends with the guest's exit status."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringscope.tools import endings, session
from ringscope.tools.options import BootOptions, add_boot_options

if TYPE_CHECKING:
    import argparse


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``boot``, which sets ``func`` to take the namespace and return the exit status."""
    parser = subparsers.add_parser(
        "boot", help="run a system, its console on stdout", epilog=endings.STATUSES
    )
    add_boot_options(parser)
    parser.set_defaults(func=boot)


def boot(arguments: argparse.Namespace) -> int:
    """Run ``boot`` and return the exit status."""
    outcome = session.run(BootOptions.of(arguments))
    endings.explain(outcome)
    return outcome.exit.status
