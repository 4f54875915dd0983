# SPDX-License-Identifier: GPL-2.0-or-later
"""A trace in the Chrome trace event format, which https://ui.perfetto.dev and chrome://tracing show.

Each program is a process with two tracks for each of its threads: what it did in user mode, and what the
kernel did for it. A slice runs from one crossing to the next; its arguments say where. A message that leads
from one thread to another is a flow between their slices; mode switches, messages and faults so far are
counter tracks.
Source of the format: "Trace Event Format", Google, 2016.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ringscope.emulator.trace.event import ENTRIES, Kind
from ringscope.emulator.trace.story import IPC

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ringscope.emulator.trace.story import Told

MICROSECONDS = 1_000_000
MACHINE = 0  # the process that counter tracks belong to
USER, KERNEL = "user", "kernel"


class Tracks:
    """Numbers for threads' tracks, and the metadata events that name them."""

    def __init__(self) -> None:
        """No thread has been seen."""
        self._process: dict[str, int] = {}
        self._track: dict[tuple[str, str], int] = {}
        self.fresh: list[dict[str, Any]] = []

    def of(self, thread: str, ring: str) -> dict[str, int]:
        """Return the ``pid`` and ``tid`` of a thread's track; what names a new one is put into ``fresh``."""
        program = thread.partition(".")[0]
        pid = self._process.setdefault(program, len(self._process) + 1)
        known = (thread, ring) in self._track
        tid = self._track.setdefault((thread, ring), len(self._track) + 1)
        where = {"pid": pid, "tid": tid}
        if not known:
            self.fresh.append({"ph": "M", "name": "process_name", **where, "args": {"name": program}})
            self.fresh.append(
                {"ph": "M", "name": "thread_name", **where, "args": {"name": f"{thread} {ring}"}}
            )
        return where


class Exporter:
    """Turns events in words into trace events; one for each trace."""

    def __init__(self, hz: int) -> None:
        """``hz`` is the clock in cycles per second."""
        self._hz = hz
        self._tracks = Tracks()
        self._open: dict[str, Any] | None = None
        self._flow = 0
        self._message: dict[str, Any] | None = None
        self._counts = {"mode switches": 0, "messages": 0, "faults": 0}

    def text(self, told: Iterable[Told]) -> Iterator[str]:
        """Yield the parts of one JSON document."""
        yield '{"displayTimeUnit": "ns", "traceEvents": [\n'
        separator = ""
        for each in self._all(told):
            yield separator + json.dumps(each)
            separator = ",\n"
        yield "\n]}\n"

    def _all(self, told: Iterable[Told]) -> Iterator[dict[str, Any]]:
        end = 0
        for one in told:
            end = one.event.time + one.event.cost
            for event in self._events(one):
                yield from self._tracks.fresh
                self._tracks.fresh.clear()
                yield event
        yield from self._close(self._at(end))

    def _at(self, cycle: int) -> float:
        """Return a time in microseconds, to the picosecond: shorter than a cycle."""
        return round(cycle * MICROSECONDS / self._hz, 6)

    def _events(self, one: Told) -> Iterator[dict[str, Any]]:
        event = one.event
        if event.kind in ENTRIES or event.kind is Kind.RETURN:
            yield from self._crossing(one)
            return
        ring = USER if event.from_user else KERNEL
        where = self._tracks.of(one.thread, ring)
        at = self._at(event.time)
        arguments = {"where": one.where, "cycle": event.time, "cost": event.cost}
        yield {"ph": "i", "s": "t", "name": one.what, "ts": at, **where, "args": arguments}
        if event.kind is Kind.EVENT and event.number == IPC:
            self._counts["messages"] += 1
            self._message = {"thread": one.thread, "ts": at, **where}
            yield self._counter("messages", at)

    def _crossing(self, one: Told) -> Iterator[dict[str, Any]]:
        """Close the slice that ends here and open the next; carry a message over."""
        event = one.event
        at = self._at(event.time)
        yield from self._close(at)
        ring = USER if event.to_user else KERNEL
        where = self._tracks.of(one.thread, ring)
        name = one.to.partition("+")[0] if event.kind is Kind.RETURN else one.what
        arguments = {"from": one.where, "to": one.to, "cycle": event.time, "cost": event.cost}
        self._open = {"ph": "X", "name": name, "ts": at, **where, "args": arguments}
        if event.from_user != event.to_user:
            self._counts["mode switches"] += 1
            yield self._counter("mode switches", at)
        if event.kind is Kind.EXCEPTION:
            self._counts["faults"] += 1
            yield self._counter("faults", at)
        sent, received = self._message, event.to_user
        if sent is not None and received:
            self._message = None
            if sent["thread"] != one.thread:
                self._flow += 1
                flow = {"cat": "ipc", "name": "ipc", "id": self._flow}
                yield {"ph": "s", **flow, **{key: sent[key] for key in ("ts", "pid", "tid")}}
                yield {"ph": "f", "bp": "e", **flow, "ts": at, **where}

    def _close(self, at: float) -> Iterator[dict[str, Any]]:
        """End the open slice, if there is one."""
        if self._open is not None:
            yield {**self._open, "dur": round(at - self._open["ts"], 6)}
        self._open = None

    def _counter(self, name: str, at: float) -> dict[str, Any]:
        return {"ph": "C", "name": name, "pid": MACHINE, "ts": at, "args": {name: self._counts[name]}}
