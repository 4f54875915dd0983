# SPDX-License-Identifier: GPL-2.0-or-later
"""``ringscope trace`` runs a system and tells every ring crossing, or tells what an earlier run recorded."""

from __future__ import annotations

import argparse
import contextlib
import fnmatch
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringscope.emulator.debug import kernel_view
from ringscope.emulator.debug.spaces import AddressSpaces
from ringscope.emulator.debug.symbols import SymbolTable
from ringscope.emulator.machine import Machine, MachineConfig
from ringscope.emulator.trace.event import Kind, read, user_spaces
from ringscope.emulator.trace.recorder import LastEvents, Recorder
from ringscope.emulator.trace.recording import Head, Recording, RecordingWriter
from ringscope.emulator.trace.story import Names, Teller
from ringscope.tools import endings, results, session, trace_perfetto, trace_text
from ringscope.tools.options import (
    BootOptions,
    UsageError,
    add_boot_options,
    cycle_count,
    file_path,
    once,
    one_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ringscope.emulator.trace.story import Told
    from ringscope.tools.session import Image

    Chunks = Callable[[], Iterable[bytes]]
    Tell = Callable[[Names, Chunks], None]

FORMS = ("text", "tree", "perfetto")
LAST = 100_000
#: The words of ``--only``, and which kinds of event each lets through.
KINDS = {
    "call": {Kind.SYSTEM_CALL},
    "exception": {Kind.EXCEPTION},
    "interrupt": {Kind.INTERRUPT},
    "return": {Kind.RETURN},
    "space": {Kind.SPACE},
    "event": {Kind.EVENT},
    "mark": {Kind.BEGIN, Kind.END},
}


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``trace``, which sets ``func`` to take the namespace and return the exit status."""
    parser = subparsers.add_parser(
        "trace", help="run a system and tell every ring crossing", epilog=endings.STATUSES
    )
    output = parser.add_argument_group("the trace")
    once(output, "-o", "--output", metavar="FILE", type=file_path, help="print it here, not on stderr")
    once(
        output,
        "--form",
        **one_of(FORMS),
        default=FORMS[0],
        help="text: a line an event; tree: indented like calls; perfetto: JSON for ui.perfetto.dev",
    )
    once(
        output,
        "--last",
        metavar="N",
        type=event_count,
        default=None,
        help=f"keep the last N events of the run (default {LAST:,})",
    )
    once(
        output, "--record", metavar="FILE", type=file_path, help="write every event to a file, and tell none"
    )
    once(
        output,
        "--read",
        metavar="FILE",
        type=file_path,
        help="run nothing: tell what --record wrote; IMAGE gives it the names",
    )
    chosen = parser.add_argument_group("which events", "Every one is recorded; these choose what is told.")
    once(chosen, "--only", metavar="KINDS", type=kinds, help=f"some of {','.join(KINDS)}")
    once(chosen, "--thread", metavar="GLOB", help="of threads of this name, as in 'client*'")
    once(chosen, "--place", metavar="GLOB", help="from or to such a place, as in '*fastpath*'")
    once(chosen, "--begin", metavar="CYCLE", type=cycle_count, help="from this cycle on")
    once(chosen, "--end", metavar="CYCLE", type=cycle_count, help="before this cycle")
    add_boot_options(parser)
    parser.set_defaults(func=trace)


def event_count(text: str) -> int:
    """Read a number of events, at least 1; K and M work."""
    try:
        return cycle_count(text)
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of events; write 5000 or 2M") from None


def kinds(text: str) -> frozenset[Kind]:
    """Read the words of ``--only``."""
    words = text.split(",")
    unknown = [word for word in words if word not in KINDS]
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is not one of {', '.join(KINDS)}")
    return frozenset(kind for word in words for kind in KINDS[word])


@dataclass(frozen=True)
class Choice:
    """Which events are told."""

    only: frozenset[Kind] | None
    thread: str | None
    place: str | None
    begin: int
    end: int | None

    def lets_through(self, told: Told) -> bool:
        """Return whether an event is chosen."""
        event = told.event
        return (
            self.begin <= event.time
            and (self.end is None or event.time < self.end)
            and (self.only is None or event.kind in self.only)
            and (self.thread is None or fnmatch.fnmatchcase(told.thread, self.thread))
            and (
                self.place is None
                or any(fnmatch.fnmatchcase(place, self.place) for place in (told.where, told.to))
            )
        )


def trace(arguments: argparse.Namespace) -> int:
    """Run ``trace`` and return the exit status."""
    _refuse_contradictions(arguments)
    choice = Choice(arguments.only, arguments.thread, arguments.place, arguments.begin or 0, arguments.end)
    options = BootOptions.of(arguments)
    with contextlib.ExitStack() as stack:
        path = arguments.record or arguments.output
        file = None if path is None else stack.enter_context(results.ResultFile(path))

        def tell(names: Names, chunks: Chunks) -> None:
            for part in _forms(arguments.form, names, choice, chunks):
                if file is None:
                    sys.stderr.write(part)
                else:
                    file.append_text(part)
            if file is not None:
                file.finish()

        if arguments.read is not None:
            recording = Recording(arguments.read)
            tell(names_of(recording, options)[0], recording.chunks)
            return 0
        if arguments.record is not None and file is not None:
            return _record(options, file)
        return _run(options, arguments.last or LAST, tell)


def _refuse_contradictions(given: argparse.Namespace) -> None:
    rules = (
        (given.read and given.record, "--read tells what was recorded, and --record writes it; give one"),
        (given.record and given.output, "--record tells nothing that -o could hold; give one of them"),
        (given.read and given.last, "--last is about a run, and --read runs nothing; try --begin"),
        (
            given.begin is not None and given.end is not None and given.begin >= given.end,
            "--begin is not before --end: that is no time at all",
        ),
    )
    for is_broken, sentence in rules:
        if is_broken:
            raise UsageError(sentence)


class Watcher:
    """Records a run, and learns whose its address spaces are while they last."""

    def __init__(self, make_taker: Callable[[Machine], Callable[[bytes], None]]) -> None:
        """``make_taker`` is given the machine and returns what takes its events."""
        self._make_taker = make_taker

    def __call__(self, machine: Machine, image: Image, stack: contextlib.ExitStack) -> Callable[[], None]:
        """Begin, with the machine loaded; ``names`` are complete when the run has ended."""
        engine, arch = machine.engine, machine.profile.arch
        modules = [(module.name, module.data) for module in image.modules]
        spaces = AddressSpaces.on(engine, modules)
        view = kernel_view.view(arch, image.kernel_elf)
        self.names = Names(
            arch,
            machine.clock.hz,
            spaces.program,
            machine.mark_names,
            view.calls,
            SymbolTable(image.kernel_elf, modules),
        )

        def learn(chunk: bytes) -> None:
            if user_spaces(chunk) - spaces.program.keys():
                for event in read(chunk):
                    if event.from_user:
                        spaces.learn(event.space, event.source)

        takers = (learn, self._make_taker(machine))
        return stack.enter_context(Recorder(engine, takers, view.current, view.call_register)).drain


def _run(options: BootOptions, last: int, tell: Tell) -> int:
    kept = LastEvents(last)
    watcher = Watcher(lambda _: kept.take)
    outcome = session.run(options, watcher)
    endings.explain(outcome)
    chunks = list(kept.chunks())
    if kept.dropped:
        print(
            f"ringscope: the first {kept.dropped:,} events were let go; --last keeps more, --record all",
            file=sys.stderr,
        )
    tell(watcher.names, lambda: chunks)
    return outcome.exit.status


def _record(options: BootOptions, file: results.ResultFile) -> int:
    writer = RecordingWriter(file.append)

    def begin(machine: Machine) -> Callable[[bytes], None]:
        writer.begin(Head(machine.profile.arch, machine.profile.name, machine.clock.hz))
        return writer.take

    watcher = Watcher(begin)
    outcome = session.run(options, watcher)
    endings.explain(outcome)
    writer.finish(watcher.names.programs, watcher.names.marks)
    file.finish()
    return outcome.exit.status


def names_of(recording: Recording, options: BootOptions) -> tuple[Names, Image]:
    """Return the names for a recording, the image's symbols and what the run learnt; and the image."""
    arch = recording.head.arch
    if options.machine.arch != arch:
        raise UsageError(
            f"{recording.path}: a recording of {arch}, and the image is for {options.machine.arch}; give the "
            "image that ran, or --arch for the bundled one"
        )
    if not recording.is_whole:
        print(
            f"ringscope: {recording.path}: its end is missing, as when a run is cut off: "
            f"{recording.length:,} events are there, and no names of programs and marks",
            file=sys.stderr,
        )
    image = Machine(MachineConfig(arch=arch), _print_nothing).system.read_image(options.request)
    view = kernel_view.view(arch, image.kernel_elf)
    symbols = SymbolTable(image.kernel_elf, [(module.name, module.data) for module in image.modules])
    names = Names(arch, recording.head.hz, recording.programs, recording.marks, view.calls, symbols)
    return names, image


def _print_nothing(_: bytes) -> None:
    """Nothing runs."""


def _forms(form: str, names: Names, choice: Choice, chunks: Chunks) -> Iterator[str]:
    """Yield the text of a trace. The events are gone through twice: for who there is, and for the telling."""
    teller = Teller(names)
    for chunk in chunks():
        teller.survey(read(chunk))
    told = (one for chunk in chunks() for one in teller.tell(read(chunk)) if choice.lets_through(one))
    match form:
        case "text":
            return trace_text.lines(told)
        case "tree":
            return trace_text.tree(told)
        case _:
            return trace_perfetto.Exporter(names.hz).text(told)
