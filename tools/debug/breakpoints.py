# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands for places at which the guest is to stop: in code, and on data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ringscope.emulator.debug import inspection
from ringscope.emulator.debug.expressions import parse
from ringscope.emulator.debug.programs import UnknownSymbol
from ringscope.tools.debug.commands import LIVE, SYMBOLS
from ringscope.tools.debug.live_session import Stop
from ringscope.tools.debug.places import named, place_data
from ringscope.tools.debug.reply import CommandError, Reply, hexadecimal, lines, say
from ringscope.tools.debug.running import nothing

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringscope.emulator.debug.control import Control
    from ringscope.emulator.debug.expressions import Expression
    from ringscope.emulator.debug.live import Spot
    from ringscope.tools.debug.live_session import LiveSession

GROUP: Final = "breakpoints"
WORD: Final = 8
MEMORY_AT: Final = re.compile(r"^\*\s*([$\d])")  # as others write it: the memory at a number or a register
LONGEST: Final = 4096  # bytes that one watchpoint watches


def split_condition(words: str) -> tuple[str, Expression | None]:
    """Return what stands before ``if``, and the condition after it."""
    before, keyword, condition = f" {words} ".partition(" if ")
    if keyword and not condition.strip():
        raise CommandError("if what? Write an expression after it")
    return before.strip(), parse(condition) if keyword else None


@LIVE.command("break", "b", usage="PLACE [if EXPR]", group=GROUP, completes=SYMBOLS)
def break_at(session: LiveSession, words: str) -> Reply:
    """Stop before SYMBOL, PROGRAM:SYMBOL, FILE:LINE or *ADDRESS, where EXPR is not 0."""
    return _break(session, words, temporary=False)


@LIVE.command("tbreak", "tb", usage="PLACE [if EXPR]", group=GROUP, completes=SYMBOLS)
def break_once(session: LiveSession, words: str) -> Reply:
    """Stop there once."""
    return _break(session, words, temporary=True)


def _break(session: LiveSession, words: str, *, temporary: bool) -> Reply:
    text, condition = split_condition(words)
    if not text:
        text = f"*{session.live.pc:#x}"
    spots = session.live.spots(text)
    stop = Stop(session.next_number, "break", words or text, spots, [], condition, temporary)
    try:
        for spot in spots:
            place = session.control.add_breakpoint(spot.address, None, _test(session, stop, spot))
            stop.placed.append(place)
    except ValueError as error:
        session.remove(stop)
        raise CommandError(str(error)) from error
    return _added(session, stop)


def _test(session: LiveSession, stop: Stop, spot: Spot) -> Callable[[Control], bool]:
    """Return what says whether to stop."""
    return lambda _: session.live.is_at(spot) and session.is_met(stop)


def _added(session: LiveSession, stop: Stop) -> Reply:
    session.stops[stop.number] = stop
    session.next_number += 1
    return Reply(_data(session, stop), lines([_line(session, stop)]))


@LIVE.command("watch", usage="WHAT [LENGTH] [if EXPR]", group=GROUP, completes=SYMBOLS)
def watch(session: LiveSession, words: str) -> Reply:
    """Stop after an instruction that writes there: an address or a symbol, 8 bytes or the symbol's size."""
    return _watch(session, words, "watch")


@LIVE.command("rwatch", usage="WHAT [LENGTH] [if EXPR]", group=GROUP, completes=SYMBOLS)
def watch_reads(session: LiveSession, words: str) -> Reply:
    """Stop after an instruction that reads there."""
    return _watch(session, words, "rwatch")


@LIVE.command("awatch", usage="WHAT [LENGTH] [if EXPR]", group=GROUP, completes=SYMBOLS)
def watch_accesses(session: LiveSession, words: str) -> Reply:
    """Stop after an instruction that reads or writes there."""
    return _watch(session, words, "awatch")


def watched_range(session: LiveSession, words: str) -> tuple[int, int]:
    """Read WHAT [LENGTH]: where the bytes lie and how many there are."""
    words = MEMORY_AT.sub(r"\1", words)
    parts = words.rsplit(maxsplit=1)
    if not parts:
        raise CommandError("which bytes? Write an address or a symbol, and how many if not 8")
    live = session.live
    if len(parts) == 2 and parts[1].isdecimal() and not parts[0].rstrip().endswith(tuple("+-*/%&|^<>=(~!")):
        address, length = live.value(parts[0]), int(parts[1])
    else:
        address, length = live.value(words), WORD
        try:
            _, symbol = live.programs.find(words.removeprefix("&"), live.program if live.user else None)
            length = symbol.size or WORD
        except UnknownSymbol:
            pass
    if not 0 < length <= LONGEST:
        raise CommandError(f"{length} bytes cannot be watched; take 1 to {LONGEST}")
    return address, length


def _watch(session: LiveSession, words: str, kind: str) -> Reply:
    text, condition = split_condition(words)
    address, length = watched_range(session, text)
    stop = Stop(session.next_number, kind, words, [], [], condition)
    try:
        place = session.control.add_watchpoint(
            address,
            length,
            write=kind != "rwatch",
            read=kind != "watch",
            space=_space_of(session, text, address),
        )
    except ValueError as error:
        raise CommandError(str(error)) from error
    stop.placed.append(place)
    return _added(session, stop)


def _space_of(session: LiveSession, words: str, address: int) -> int | None:
    """Return the address space to watch in: a program's own, for what user mode may use the present one."""
    live = session.live
    name, colon, _ = words.partition(":")
    program = live.programs.program(name.strip()) if colon else None
    if program is not None:
        roots = [root for root, each in live.spaces.program.items() if each == program]
        if len(roots) == 1:
            return roots[0]
        raise CommandError(
            f"{name} has not been seen running yet: go to it first, as by run-to {name}:_start"
        )
    walk = inspection.walk(live.engine, address)
    return live.engine.space if walk.paddr is not None and walk.page_shift and walk.user else None


@LIVE.command("delete", "d", usage="[NUMBER]", group=GROUP)
def delete(session: LiveSession, words: str) -> Reply:
    """Take a breakpoint or watchpoint away, or all."""
    if not words:
        for stop in list(session.stops.values()):
            session.remove(stop)
        return say("all are gone")
    wanted = session.stops.get(int(words)) if words.isdecimal() else None
    if wanted is None:
        there = ", ".join(map(str, session.stops)) or "none"
        raise CommandError(f"there is no breakpoint {words}; there are {there}")
    session.remove(wanted)
    return say(f"{wanted.kind} {wanted.number} is gone", number=wanted.number)


@LIVE.command("breakpoints", "info-breakpoints", "ib", group=GROUP)
def list_all(session: LiveSession, words: str) -> Reply:
    """List breakpoints and watchpoints, and how often each has stopped the guest."""
    nothing(words)
    stops = list(session.stops.values())
    rows = [_line(session, stop) for stop in stops] or ["none"]
    return Reply({"breakpoints": [_data(session, stop) for stop in stops]}, lines(rows))


def _places(session: LiveSession, stop: Stop) -> list[tuple[str, dict[str, object]]]:
    found = []
    for spot in stop.spots:
        where = session.live.describe(spot.address, spot.program, user=spot.program is not None)
        found.append((f"{spot.address:#x} {named(where)}", place_data(where)))
    return found


def _line(session: LiveSession, stop: Stop) -> str:
    where = "; ".join(text for text, _ in _places(session, stop))
    if not stop.spots:
        place = stop.placed[0]
        where = f"{getattr(place, 'length', 0)} bytes at {getattr(place, 'address', 0):#x}"
    hits = f", {stop.hits} times" if stop.hits else ""
    return f"{stop.number}: {stop.kind} {stop.text} ({where}){hits}"


def _data(session: LiveSession, stop: Stop) -> dict[str, object]:
    places: list[object] = [data for _, data in _places(session, stop)]
    if not stop.spots:
        place = stop.placed[0]
        places = [
            {"address": hexadecimal(getattr(place, "address", 0)), "length": getattr(place, "length", 0)}
        ]
    return {
        "number": stop.number,
        "kind": stop.kind,
        "what": stop.text,
        "places": places,
        "hits": stop.hits,
    }
