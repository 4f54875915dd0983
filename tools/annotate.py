# SPDX-License-Identifier: GPL-2.0-or-later
"""``ringscope annotate`` shows source lines and instructions of a recorded run with what they spent."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from ringscope.emulator.attribution import recording
from ringscope.emulator.attribution.summary import Summary
from ringscope.tools import annotated_code, attributed, results
from ringscope.tools.console import ResultConsole
from ringscope.tools.options import UsageError, file_path, once, one_of
from ringscope.tools.record import DEFAULT_FILE
from ringscope.tools.report import RINGS, results_width

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from ringscope.emulator.attribution.names import Function


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``annotate``, which sets ``func`` to take the namespace and return the exit status."""
    parser = subparsers.add_parser(
        "annotate",
        help="show source and instructions of a function with what they spent",
        epilog="Of what a block of instructions is charged as a whole, its issue is spread over them in "
        "proportion to their issue cost, and fetching it is the first one's; all else is exactly where it "
        "happened.",
    )
    parser.add_argument(
        "words",
        metavar="[FILE] [SYMBOL]",
        nargs="*",
        help=f"what 'record' wrote (default: {DEFAULT_FILE}), and a function (default: the costliest)",
    )
    chosen = parser.add_argument_group("which, and how it is told")
    once(chosen, "--program", metavar="NAME", help="of this program, should several have such a function")
    once(chosen, "--ring", **one_of(RINGS), help="of this ring")
    once(chosen, "--json", metavar="FILE", type=file_path, help="write it as JSON as well; - is stdout")
    parser.set_defaults(func=annotate)


def annotate(arguments: argparse.Namespace) -> int:
    """Run ``annotate`` and return the exit status."""
    file, symbol = _file_and_symbol(arguments.words)
    kept = recording.read(file)
    summary = Summary(kept.attribution, attributed.names(kept.head.programs, kept.kernel, kept.modules))
    found = [
        function
        for function in summary.functions
        if symbol in (None, function.name)
        and arguments.program in (None, function.program)
        and arguments.ring in (None, function.ring)
    ]
    if not found:
        raise UsageError(_nothing(symbol, summary))
    with contextlib.ExitStack() as stack:
        json_file = (
            None if arguments.json is None else stack.enter_context(results.ResultFile(arguments.json))
        )
        shown = annotated_code.AnnotatedCode(kept, summary, found[0])
        if arguments.json is None or str(arguments.json) != results.STDOUT_NAME:
            console = ResultConsole()
            for line in shown.lines(results_width(console)):
                console.print(line, soft_wrap=True, markup=False)
            for other in found[1:] if symbol is not None else ():
                sentence = f"There is also {other.name} of {other.program}: --program {other.program}"
                console.print(sentence, soft_wrap=True, markup=False)
        if json_file is not None:
            json_file.write(results.as_json(shown.document()))
    return 0


def _file_and_symbol(words: list[str]) -> tuple[Path, str | None]:
    """Tell which is which: one word alone is a file if there is such a one."""
    if len(words) > 2:
        raise UsageError(f"{words[2]!r} is one argument too many: give a FILE and a SYMBOL")
    if len(words) == 2:
        return file_path(words[0]), words[1]
    if words and file_path(words[0]).exists():
        return file_path(words[0]), None
    return DEFAULT_FILE, words[0] if words else None


def _nothing(symbol: str | None, summary: Summary) -> str:
    if symbol is None:
        return "no function of that program and ring did anything in this recording"
    most: list[Function] = [*summary.functions][:5]
    return (
        f"no function {symbol!r} did anything in this recording; most cycles are in "
        f"{', '.join(function.name for function in most)}"
    )
