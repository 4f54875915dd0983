# SPDX-License-Identifier: GPL-2.0-or-later
"""A trace as text: one event a line, or indented by how deep in the kernel it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringscope.emulator.trace.event import ENTRIES, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ringscope.emulator.trace.story import Told

HEADING = f"{'cycle':>14} {'+cycles':>11} {'cost':>7}  {'thread':<12} event\n"
INDENT = "  "
DEEPEST = 12  # levels shown; a kernel that interrupts itself deeper than this has other troubles


def lines(told: Iterable[Told]) -> Iterator[str]:
    """Yield a heading and one line an event: when, how long after the one before, its own cost, who, what."""
    yield HEADING
    before = None
    for one in told:
        event = one.event
        since = "" if before is None else f"+{event.time - before:,}"
        before = event.time
        arrow = f" -> {one.to}" if one.to else ""
        cost = f"{event.cost:,}" if event.cost else ""
        sign = _sign(one)
        yield (
            f"{event.time:>14,} {since:>11} {cost:>7}  {one.thread:<12} {sign} {one.what:<24} "
            f"{one.where}{arrow}\n"
        )


def _sign(one: Told) -> str:
    """Return an arrow into the kernel or out of it, or a space where the ring stays."""
    event = one.event
    if event.from_user == event.to_user:
        return " "
    return "<" if event.to_user else ">"


def tree(told: Iterable[Told]) -> Iterator[str]:
    """Yield the trace as a call graph: an entry opens a level, its return closes it with all that it took.

    A level belongs to the processor, not to a thread: what enters the kernel from one thread may return to
    another, and then the closing line says to which.
    """
    opened: list[Told] = []
    for one in told:
        event = one.event
        if event.kind is Kind.RETURN:
            entry = opened.pop() if opened else None
            took = "" if entry is None else f", {event.time + event.cost - entry.event.time:,} cycles"
            yield f"{_margin(one, opened)}}} return {event.cost:,}{took}  {one.to}\n"
        elif event.kind in ENTRIES:
            yield f"{_margin(one, opened)}{one.what} {event.cost:,}  {one.where} -> {one.to} {{\n"
            opened.append(one)
        else:
            cost = f" {event.cost:,}" if event.cost else ""
            yield f"{_margin(one, opened)}{one.what}{cost}  {one.where}\n"


def _margin(one: Told, opened: list[Told]) -> str:
    return f"{one.event.time:>14,}  {one.thread:<12} {INDENT * min(len(opened), DEEPEST)}"
