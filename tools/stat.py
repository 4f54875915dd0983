# SPDX-License-Identifier: GPL-2.0-or-later
"""``ringscope stat`` runs a system as ``boot`` does, then prints every counter, on stderr as perf does."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

from ringscope.tools import attributed, counter_table, endings, explain, results, session
from ringscope.tools.options import (
    BootOptions,
    UsageError,
    add_boot_options,
    add_json_option,
    file_path,
    once,
)

if TYPE_CHECKING:
    import argparse


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``stat``, which sets ``func`` to take the namespace and return the exit status."""
    parser = subparsers.add_parser("stat", help="run a system and count", epilog=endings.STATUSES)
    output = parser.add_argument_group("counters")
    add_json_option(output)
    once(output, "-x", "--field-separator", metavar="SEP", help="print fields with SEP between, as in -x,")
    once(
        output,
        "-o",
        "--output",
        metavar="FILE",
        type=file_path,
        help="print the counters here, not on stderr",
    )
    once(
        output,
        "--explain",
        metavar="OPERATION",
        nargs="?",
        const=explain.EVERY,
        help="say by cause, ring and function where an operation's cycles went; every one's without a name",
    )
    add_boot_options(parser)
    parser.set_defaults(func=stat)


def stat(arguments: argparse.Namespace) -> int:
    """Run ``stat`` and return the exit status."""
    options = BootOptions.of(arguments)
    separator = arguments.field_separator
    if separator == "":
        raise UsageError("-x needs something to put between the fields, as in -x,")
    if arguments.json is not None and arguments.json == arguments.output:
        raise UsageError(f"--json and -o name one file, {arguments.json}; give two")
    if arguments.explain is not None:
        attributed.refuse_to_save(options)
    with contextlib.ExitStack() as stack:
        json_file, text_file = (
            None if path is None else stack.enter_context(results.ResultFile(path))
            for path in (arguments.json, arguments.output)
        )
        explainer = None if arguments.explain is None else explain.Explainer(arguments.explain)
        outcome = session.run(options, None if explainer is None else explainer.watcher)
        endings.explain(outcome)
        explained = [] if explainer is None else explainer.explain(outcome)
        if separator is None:
            text = counter_table.text(outcome, options.request.kernel.name)
        else:
            text = counter_table.fields(outcome, separator.replace(r"\t", "\t"))
        if explainer is not None:
            text += explain.text(explained)
        if text_file is None:
            sys.stderr.write(text)
        else:
            text_file.write(text)
        if json_file is not None:
            document = results.document(outcome)
            if explainer is not None:
                document["explained"] = [one.document() for one in explained]
            json_file.write(results.as_json(document))
    return outcome.exit.status
