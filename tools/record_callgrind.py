# SPDX-License-Identifier: GPL-2.0-or-later
"""Costs by function and line, and from caller to callee, in the format that callgrind_annotate reads.

Source: Valgrind's manual, "Callgrind Format Specification". A program is an object; a call is also how the
kernel is entered. Costs of no known line are on line 0; a call from an inlined function of another file is on
the line where the caller begins, so that the readers find it with the caller. Events that never happened are
left out.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ringscope.emulator.attribution.costs import Cost
    from ringscope.emulator.attribution.names import Function
    from ringscope.emulator.attribution.recording import Head
    from ringscope.emulator.attribution.summary import Passage, Passed, Summary
    from ringscope.emulator.debug.source_lines import Place as Line

NO_FILE, NO_LINE = "???", 0


def text(summary: Summary, head: Head) -> str:
    """Return the file's content."""
    words = [number for number, name in enumerate(head.columns) if name in head.counters]
    totals = [sum(ring[word] for ring in head.totals) for word in words]
    words = [word for word, value in zip(words, totals, strict=True) if value]
    lines = [
        "# callgrind format",
        "version: 1",
        "creator: ringscope",
        f"cmd: {head.image}",
        f"desc: Machine: {head.arch}, {head.cpu}, {head.fidelity}",
        "positions: line",
        "events: " + " ".join(head.columns[word] for word in words),
        "summary: " + " ".join(str(sum(ring[word] for ring in head.totals)) for word in words),
        "",
        *_functions(summary, words),
    ]
    return "\n".join(lines) + "\n"


def _functions(summary: Summary, words: Sequence[int]) -> Iterator[str]:
    names = summary.names
    own: defaultdict[Function, list[tuple[Line | None, Cost]]] = defaultdict(list)
    for (function, line), cost in summary.by(lambda place: (names.of(place), names.line(place))).items():
        own[function].append((line, cost))
    calls: defaultdict[Function, list[tuple[Passage, Passed]]] = defaultdict(list)
    for passage, passed in summary.passages().items():
        calls[passage.caller].append((passage, passed))
    home = {function: _file(names.beginning(function)) for function in {*own, *calls}}
    for function in sorted(home):
        yield f"ob={function.program}"
        yield f"fl={home[function]}"
        yield f"fn={function.name}"
        file = home[function]
        for line, cost in own[function]:
            if _file(line) != file:
                file = _file(line)
                yield f"{'fe' if file == home[function] else 'fi'}={file}"
            yield _costs(line, [cost[word] for word in words])
        if calls[function] and file != home[function]:
            yield f"fe={home[function]}"
        for passage, passed in calls[function]:
            first = names.beginning(passage.callee)
            yield f"cob={passage.callee.program}"
            yield f"cfi={_file(first)}"
            yield f"cfn={passage.callee.name}"
            yield f"calls={passed.count} {_number(first)}"
            here = passage.line if _file(passage.line) == home[function] else names.beginning(function)
            yield _costs(here, [passed.cost[word] for word in words])
        yield ""


def _file(line: Line | None) -> str:
    return NO_FILE if line is None else line.file


def _number(line: Line | None) -> int:
    return NO_LINE if line is None else line.line


def _costs(line: Line | None, values: Sequence[int]) -> str:
    return f"{_number(line)} {' '.join(map(str, values))}"
