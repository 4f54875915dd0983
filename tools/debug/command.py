# SPDX-License-Identifier: GPL-2.0-or-later
"""``ringscope debug`` steps through a system forwards and backwards, or through a recording of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ringscope.tools.options import add_boot_options, file_path, once

if TYPE_CHECKING:
    import argparse

EPILOG: Final = (
    "Commands are typed at a terminal, with history and completion ('help' lists them), or come from -x FILE "
    "or a pipe, a line each; # begins a comment. Exit status: 0, 2 where a command of a script was refused, "
    "130 Ctrl-C twice. Debugging never writes the disk's file."
)


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``debug``, which sets ``func`` to take the namespace and return the exit status."""
    parser = subparsers.add_parser(
        "debug", help="step through a system, or through a recording, forwards and backwards", epilog=EPILOG
    )
    session = parser.add_argument_group("the session")
    once(session, "-x", "--script", metavar="FILE", type=file_path, help="do the commands in this file first")
    session.add_argument(
        "-ex",
        metavar="COMMAND",
        dest="commands",
        action="append",
        default=[],
        help="do this command after the file's; may be given again",
    )
    session.add_argument("--json", action="store_true", help="answer in JSON, one object a line")
    once(
        session,
        "--trace",
        metavar="FILE",
        type=file_path,
        help="run nothing: go through what 'trace --record' wrote; IMAGE gives it the names",
    )
    add_boot_options(parser)
    parser.set_defaults(func=debug)


def debug(arguments: argparse.Namespace) -> int:
    """Run ``debug`` and return the exit status."""
    from ringscope.tools.debug.conversation import converse  # noqa: PLC0415  other commands need no line editor

    return converse(arguments)
