# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands that go back in the run: it is replayed from snapshots, and is the same run to the last count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ringscope.emulator.debug.halt import Why
from ringscope.emulator.debug.source_steps import Unfinished
from ringscope.emulator.debug.source_steps_back import SourceStepsBack
from ringscope.emulator.debug.waits import EVENTS
from ringscope.tools.debug.breakpoints import watched_range
from ringscope.tools.debug.commands import LIVE, SYMBOLS
from ringscope.tools.debug.reply import CommandError, Reply, say
from ringscope.tools.debug.running import count, nothing, repeated

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringscope.emulator.debug.halt import Halt
    from ringscope.tools.debug.live_session import LiveSession

GROUP: Final = "going back"


def _back(session: LiveSession, go: Callable[[], Halt], *, onward: bool = False) -> Reply:
    """Go back, and note that a run which was over is not any more."""
    session.ended = False
    return session.run(go, onward=onward)


def _repeated(session: LiveSession, words: str, step: Callable[[], Halt]) -> Reply:
    return _back(session, repeated(words, step))


@LIVE.command("reverse-stepi", "rsi", usage="[N]", group=GROUP, repeats=True)
def reverse_stepi(session: LiveSession, words: str) -> Reply:
    """Go back by an instruction, or by N."""
    times = count(words)
    return _back(session, lambda: session.history.step_back(times))


@LIVE.command("reverse-step", "rs", usage="[N]", group=GROUP, repeats=True)
def reverse_step(session: LiveSession, words: str) -> Reply:
    """Go back to the beginning of the source line before, into calls."""
    return _repeated(session, words, SourceStepsBack(session.live, session.history).line)


@LIVE.command("reverse-next", "rn", usage="[N]", group=GROUP, repeats=True)
def reverse_next(session: LiveSession, words: str) -> Reply:
    """Go back to the beginning of the source line before, over calls."""
    return _repeated(session, words, SourceStepsBack(session.live, session.history).line_over)


@LIVE.command("reverse-finish", "rfin", group=GROUP, repeats=True)
def reverse_finish(session: LiveSession, words: str) -> Reply:
    """Go back to where this function was entered."""
    nothing(words)
    try:
        return _back(session, SourceStepsBack(session.live, session.history).finish)
    except Unfinished as error:
        raise CommandError(str(error)) from error


@LIVE.command("reverse-continue", "rc", group=GROUP, repeats=True)
def reverse_continue(session: LiveSession, words: str) -> Reply:
    """Go back to the latest stop at a breakpoint or watchpoint before this, or to the beginning."""
    nothing(words)
    return _back(session, session.history.resume_back, onward=True)


@LIVE.command("reverse-run-to", "rrt", usage="EVENT|COUNTER", group=GROUP, words=tuple(EVENTS))
def reverse_run_to(session: LiveSession, words: str) -> Reply:
    """Go back to the latest crossing, ipc, space-switch, page-fault, interrupt or miss, or count."""
    control, before = session.control, session.control.stop_on

    def go() -> Halt:
        try:
            control.stop_on = frozenset({words})
            return session.history.resume_back()
        except ValueError as error:
            raise CommandError(str(error)) from error
        finally:
            control.stop_on = before

    if not words:
        raise CommandError(f"reverse-run-to what? One of {', '.join(EVENTS)}, or a counter's name")
    return _back(session, go)


@LIVE.command("who-wrote", "ww", usage="WHAT [LENGTH]", group=GROUP, completes=SYMBOLS)
def who_wrote(session: LiveSession, words: str) -> Reply:
    """Go back behind the instruction that last wrote there, and say what it wrote."""
    address, length = watched_range(session, words)
    found: list[Halt] = []

    def go() -> Halt:
        found.append(session.history.last_writer(address, length))
        return found[0]

    reply = _back(session, go)
    if found[0].why is Why.BEGINNING:
        return say("nobody has written there since the session began", stop=Why.BEGINNING.value)
    return reply
