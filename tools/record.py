# SPDX-License-Identifier: GPL-2.0-or-later
"""``ringscope record`` runs a system and writes down where every cycle and every miss was spent."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from ringscope.emulator.attribution import recording
from ringscope.emulator.attribution.summary import Summary
from ringscope.tools import attributed, endings, record_callgrind, record_folded, results, session
from ringscope.tools.options import BootOptions, UsageError, add_boot_options, file_path, once

if TYPE_CHECKING:
    import argparse

    from ringscope.tools.session import Outcome

DEFAULT_FILE = Path("ringscope.data")


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``record``, which sets ``func`` to take the namespace and return the exit status."""
    parser = subparsers.add_parser(
        "record",
        help="run a system and record where every cycle and miss was spent",
        epilog="Exact, not sampled, and several times slower than 'boot'. Ctrl-C ends the run and keeps "
        "what there is. " + endings.STATUSES,
    )
    output = parser.add_argument_group("the recording")
    once(
        output,
        "-o",
        "--output",
        metavar="FILE",
        type=file_path,
        help=f"for 'report' and 'annotate' (default: {DEFAULT_FILE}, unless one of the others is given)",
    )
    once(output, "--folded", metavar="FILE", type=file_path, help="cycles by stack, for flame graphs")
    once(output, "--callgrind", metavar="FILE", type=file_path, help="for callgrind_annotate and kcachegrind")
    add_boot_options(parser)
    parser.set_defaults(func=record)


def record(arguments: argparse.Namespace) -> int:
    """Run ``record`` and return the exit status."""
    options = BootOptions.of(arguments)
    attributed.refuse_to_save(options)
    folded, callgrind, output = arguments.folded, arguments.callgrind, arguments.output
    if output is None and folded is None and callgrind is None:
        output = DEFAULT_FILE
    given = [path for path in (output, folded, callgrind) if path is not None]
    if len(set(given)) < len(given):
        raise UsageError("two of -o, --folded and --callgrind name one file; give each its own")
    with contextlib.ExitStack() as stack:
        files = {path: stack.enter_context(results.ResultFile(path)) for path in given}
        watcher = attributed.Watcher()
        outcome = session.run(options, watcher)
        endings.explain(outcome)
        if output is not None:
            files[output].append(_recording(outcome, watcher, options.request.kernel.name))
            files[output].finish()
        if folded is not None or callgrind is not None:
            summary, head = _summary(outcome, watcher), _head(outcome, watcher, options.request.kernel.name)
            if folded is not None:
                files[folded].write(record_folded.text(summary))
            if callgrind is not None:
                files[callgrind].write(record_callgrind.text(summary, head))
    return outcome.exit.status


def _modules(outcome: Outcome) -> list[tuple[str, bytes]]:
    return [(module.name, module.data) for module in outcome.image.modules]


def _head(outcome: Outcome, watcher: attributed.Watcher, image: str) -> recording.Head:
    return recording.head_of(outcome.machine, image, outcome.exit, watcher.programs)


def _recording(outcome: Outcome, watcher: attributed.Watcher, image: str) -> bytes:
    head = _head(outcome, watcher, image)
    return recording.write(head, watcher.raw, outcome.image.kernel_elf, _modules(outcome))


def _summary(outcome: Outcome, watcher: attributed.Watcher) -> Summary:
    names = attributed.names(watcher.programs, outcome.image.kernel_elf, _modules(outcome))
    return Summary(watcher.raw.read(), names)
