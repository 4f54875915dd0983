# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands that let the guest go on: by steps, to an event, to a breakpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ringscope.emulator.debug.halt import Why
from ringscope.emulator.debug.source_steps import SourceSteps, Unfinished
from ringscope.emulator.debug.waits import EVENTS
from ringscope.tools.debug.commands import LIVE, SYMBOLS
from ringscope.tools.debug.reply import CommandError, Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringscope.emulator.debug.control import Control
    from ringscope.emulator.debug.halt import Halt
    from ringscope.tools.debug.live_session import LiveSession

GROUP: Final = "running"
WORDS: Final = tuple(EVENTS)


def count(words: str) -> int:
    """Read how often a command is to be done; 1 where nothing is said."""
    if not words:
        return 1
    if not words.isdecimal() or not 0 < int(words) < 1 << 63:
        raise CommandError(f"{words!r} is no number of times; write 1 or more")
    return int(words)


def nothing(words: str) -> None:
    """Refuse an argument where none is taken."""
    if words:
        raise CommandError(f"this command takes no argument, and {words!r} was given")


def alive(session: LiveSession) -> None:
    """Refuse to run what is over."""
    if session.ended:
        raise CommandError("the run is over; look around, go back, or quit")


def repeated(words: str, step: Callable[[], Halt]) -> Callable[[], Halt]:
    """Return what does a step as often as asked, until something else stops the run."""
    times = count(words)

    def go() -> Halt:
        for _ in range(times - 1):
            halt = step()
            if halt.why is not Why.STEP:
                return halt
        return step()

    return go


def repeat(session: LiveSession, words: str, step: Callable[[], Halt]) -> Reply:
    """Do a step as often as asked."""
    go = repeated(words, step)
    alive(session)
    return session.run(go)


@LIVE.command("stepi", "si", usage="[N]", group=GROUP, repeats=True)
def stepi(session: LiveSession, words: str) -> Reply:
    """Execute an instruction, or N."""
    times = count(words)
    alive(session)
    return session.run(lambda: session.control.step(times))


@LIVE.command("nexti", "ni", usage="[N]", group=GROUP, repeats=True)
def nexti(session: LiveSession, words: str) -> Reply:
    """Execute an instruction, over calls and stays in the kernel."""
    return repeat(session, words, SourceSteps(session.live).instruction_over)


@LIVE.command("step", "s", usage="[N]", group=GROUP, repeats=True)
def step(session: LiveSession, words: str) -> Reply:
    """Execute up to another source line, into calls and into the kernel."""
    return repeat(session, words, SourceSteps(session.live).line)


@LIVE.command("next", "n", usage="[N]", group=GROUP, repeats=True)
def next_line(session: LiveSession, words: str) -> Reply:
    """Execute up to another source line, over calls and stays in the kernel."""
    return repeat(session, words, SourceSteps(session.live).line_over)


@LIVE.command("finish", "fin", group=GROUP, repeats=True)
def finish(session: LiveSession, words: str) -> Reply:
    """Run until this function returns; the kernel's outermost one returns to user mode."""
    nothing(words)
    alive(session)
    try:
        return session.run(SourceSteps(session.live).finish)
    except Unfinished as error:
        raise CommandError(str(error)) from error


@LIVE.command("continue", "c", group=GROUP, repeats=True)
def resume(session: LiveSession, words: str) -> Reply:
    """Run to a breakpoint or watchpoint, or to the end; Ctrl-C stops."""
    nothing(words)
    alive(session)
    return session.run(session.control.resume, onward=True)


@LIVE.command(
    "run-to", "rt", "until", usage="EVENT|COUNTER|CYCLE|PLACE", group=GROUP, completes=SYMBOLS, words=WORDS
)
def run_to(session: LiveSession, words: str) -> Reply:
    """Run to the next crossing, ipc, space-switch, page-fault, interrupt or miss; to a cycle; to a place.

    A counter's name stops where it next counts.
    """
    alive(session)
    if not words:
        raise CommandError(f"run-to what? One of {', '.join(WORDS)}, a counter's name, a cycle, or a place")
    if words.replace(",", "").isdecimal():
        cycle = int(words.replace(",", ""))
        if cycle <= session.control.cycle:
            raise CommandError(f"cycle {cycle} is past: this is {session.control.cycle}")
        return session.run(lambda: session.control.resume(cycle), onward=True)
    counters = tuple(session.live.machine.counters.names())
    if words in EVENTS or words in counters:
        return session.run(lambda: _to_event(session, words), onward=True)
    return session.run(lambda: _to_place(session, words), onward=True)


def _to_event(session: LiveSession, word: str) -> Halt:
    control, before = session.control, session.control.stop_on
    try:
        control.stop_on = frozenset({word})
        return control.resume()
    except ValueError as error:
        raise CommandError(str(error)) from error
    finally:
        control.stop_on = before


def _to_place(session: LiveSession, text: str) -> Halt:
    live, control = session.live, session.control
    spots, placed = live.spots(text), []

    def is_there(_: Control) -> bool:
        return any(live.is_at(spot) for spot in spots)

    try:
        placed += [
            control.add_breakpoint(address, None, is_there) for address in {each.address for each in spots}
        ]
        return control.resume()
    except ValueError as error:
        raise CommandError(str(error)) from error
    finally:
        for place in placed:
            control.remove(place)
