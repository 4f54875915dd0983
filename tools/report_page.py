# SPDX-License-Identifier: GPL-2.0-or-later
"""``ringscope report --html`` shows a run, or a trace that was recorded, as one page for a browser."""

from __future__ import annotations

import contextlib
import tempfile
from typing import IO, TYPE_CHECKING

from ringscope.emulator.trace.event import LAYOUT, read
from ringscope.emulator.trace.recording import Recording
from ringscope.emulator.trace.story import Teller
from ringscope.tools import endings, page, results, session
from ringscope.tools.options import BootOptions, UsageError, add_boot_options, cycle_count, file_path, once
from ringscope.tools.trace import Watcher, names_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path
    from typing import Any

    from ringscope.emulator.trace.story import Names

CHUNK = LAYOUT.size << 14  # bytes read at once


def add_page_options(parser: argparse.ArgumentParser) -> None:
    """Declare where the page goes, and what it shows of which run."""
    output = parser.add_argument_group(
        "the page", "--html runs a system or reads a trace, and shows all of it."
    )
    once(output, "--html", metavar="FILE", type=file_path, help="write one page for a browser; - is stdout")
    once(
        output,
        "--read",
        metavar="FILE",
        type=file_path,
        help="run nothing: show what 'trace --record' wrote; IMAGE gives it the names",
    )
    once(output, "--begin", metavar="CYCLE", type=cycle_count, help="show the timeline from this cycle on")
    once(output, "--end", metavar="CYCLE", type=cycle_count, help="and before this one")
    add_boot_options(parser)


def write_page(arguments: argparse.Namespace) -> int:
    """Write the page and return the exit status."""
    if arguments.begin is not None and arguments.end is not None and arguments.begin >= arguments.end:
        raise UsageError("--begin is not before --end: that is no time at all")
    if str(arguments.html) == results.STDOUT_NAME and arguments.read is None and arguments.serial == "stdio":
        raise UsageError("--html - and the guest's console would both be stdout; give --serial none too")
    options = BootOptions.of(arguments)
    window = (arguments.begin or 0, arguments.end)
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(results.ResultFile(arguments.html))
        if arguments.read is not None:
            file.write(_of_recording(arguments.read, options, window))
            return 0
        outcome, text = _of_run(options, window, stack)
        file.write(text)
        return outcome.exit.status


def _of_recording(path: Path, options: BootOptions, window: tuple[int, int | None]) -> str:
    recording = Recording(path)
    names, _ = names_of(recording, options)
    head = {"arch": recording.head.arch, "cpu": recording.head.cpu, "hz": recording.head.hz}
    return page.page(path.name, head, None, _timeline(names, recording.chunks, window, boots=True))


def _of_run(
    options: BootOptions, window: tuple[int, int | None], stack: contextlib.ExitStack
) -> tuple[session.Outcome, str]:
    """Run; the events go to a file that nobody sees, for they are told when all names are known."""
    events = stack.enter_context(contextlib.closing(tempfile.TemporaryFile()))  # noqa: SIM115  the stack's

    def keep(chunk: bytes) -> None:
        events.write(chunk)

    watcher = Watcher(lambda _: keep)
    outcome = session.run(options, watcher)
    endings.explain(outcome)
    machine = outcome.machine
    head = {
        "arch": machine.profile.arch,
        "cpu": machine.profile.name,
        "hz": machine.clock.hz,
        "time": machine.engine.time,
        "cycles_by_cause": machine.books().causes(),
    }
    boots = options.start is None
    timeline = _timeline(watcher.names, lambda: _chunks(events), window, boots=boots)
    return outcome, page.page(options.request.kernel.name, head, results.document(outcome), timeline)


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while chunk := file.read(CHUNK):
        yield chunk


def _timeline(
    names: Names, chunks: Callable[[], Iterable[bytes]], window: tuple[int, int | None], *, boots: bool
) -> dict[str, Any]:
    """Tell the events in two passes, as ``trace`` does."""
    teller, timeline = Teller(names), page.Timeline(*window, boots=boots)
    for chunk in chunks():
        teller.survey(read(chunk))
    for chunk in chunks():
        timeline.take(teller.tell(read(chunk)))
    return timeline.data()
