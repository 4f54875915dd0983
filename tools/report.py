# SPDX-License-Identifier: GPL-2.0-or-later
"""``ringscope report`` shows what a run did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringscope.tools import endings
from ringscope.tools.options import UsageError
from ringscope.tools.report_page import add_page_options, write_page

if TYPE_CHECKING:
    import argparse


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``report``, which sets ``func`` to take the namespace and return the exit status."""
    parser = subparsers.add_parser("report", help="show a run as one page", epilog=endings.STATUSES)
    add_page_options(parser)
    parser.set_defaults(func=report)


def report(arguments: argparse.Namespace) -> int:
    """Run ``report`` and return the exit status."""
    if arguments.html is None:
        raise UsageError("report: nothing to write; give --html FILE")
    return write_page(arguments)
