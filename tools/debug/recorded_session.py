# SPDX-License-Identifier: GPL-2.0-or-later
"""A session with a recording: the commands that go through its events, forwards and backwards.

The commands have the names that they have with a live machine; what needs a machine is refused in one
sentence.
"""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING, Any, Final

from rich.text import Text

from ringscope.emulator.debug.recorded import WORDS, EventBreakpoint, Recorded
from ringscope.emulator.trace.event import Kind
from ringscope.tools.debug import help as _help  # noqa: F401  it declares commands
from ringscope.tools.debug.commands import LIVE, RECORDED, SYMBOLS, Commands
from ringscope.tools.debug.reply import CommandError, Reply, hexadecimal, lines, say
from ringscope.tools.debug.running import count, nothing

if TYPE_CHECKING:
    from ringscope.emulator.debug.programs import Programs
    from ringscope.emulator.trace.story import Told
    from ringscope.tools.debug.reply import Printer

GROUP: Final = "going through the recording"
LOOKING: Final = "looking"
AROUND: Final = 5  # events before and after


class RecordedCommands(Commands):
    """RECORDED's commands, and a sentence for those that only a live machine has."""

    def __init__(self) -> None:
        """Take over what was declared."""
        super().__init__()
        self.all = RECORDED.all

    def find(self, word: str) -> Any:  # noqa: ANN401  a Command
        """Return the command that a word means. Raises CommandError."""
        try:
            return super().find(word)
        except CommandError:
            live = next((each for each in LIVE.all.values() if word in (each.name, *each.aliases)), None)
            if live is None:
                raise
            raise CommandError(
                f"{live.name} needs a live machine, and this is a recording, which has events alone"
            ) from None


class RecordedSession:
    """What the commands of RECORDED work on."""

    def __init__(self, recorded: Recorded, programs: Programs, printer: Printer) -> None:
        """Stand at the first event."""
        self.recorded, self.programs, self.printer = recorded, programs, printer
        self.commands: Commands = RecordedCommands()
        self.breakpoints: dict[int, EventBreakpoint] = {}
        self._before = 0
        self.next_number = 1

    def completions(self, kind: str, begin: str) -> list[str]:
        """Return the symbols that begin so."""
        return self.programs.completions(begin) if kind == SYMBOLS else []

    def stopped(self, reason: str = "") -> Reply:
        """Say where in the recording we are, how long after the last stop, and what that was spent on."""
        recorded = self.recorded
        told = recorded.told()
        event = told.event
        spent = recorded.spent(self._before, recorded.position)
        since = sum(spent.values())
        self._before = recorded.position
        data = {
            "stop": "event",
            "reason": reason,
            "number": recorded.position,
            "of": recorded.length,
            **_data(told),
            "since": {"cycles": since, "causes": spent},
        }
        head = Text(f"{reason}  " if reason else "", style="bold yellow")
        head.append(f"event {recorded.position:,} of {recorded.length:,}   cycle {event.time:,}", style="dim")
        parts = [f"{since:+,} cycles", ", ".join(f"{name} {cycles:,}" for name, cycles in spent.items())]
        parts += [f"this event takes {event.cost:,}"] if event.cost else []
        why = "  " + " | ".join(part for part in parts if part)
        return Reply(data, lines([head, Text(why, style="dim"), _line(told)]))


def _line(told: Told) -> str:
    arrow = f" -> {told.to}" if told.to else ""
    sign = " " if told.event.from_user == told.event.to_user else "<" if told.event.to_user else ">"
    return f"{told.thread:<12} {sign} {told.what:<24} {told.where}{arrow}"


def _data(told: Told) -> dict[str, object]:
    event = told.event
    return {
        "cycle": event.time,
        "cost": event.cost,
        "kind": event.kind.name.lower(),
        "event": told.what,
        "thread": told.thread,
        "from": told.where,
        "to": told.to or None,
        "pc": hexadecimal(event.target),
        "ring": "user" if event.to_user else "kernel",
        "space": hexadecimal(event.space),
    }


def _go(session: RecordedSession, by: int) -> Reply:
    went = session.recorded.go(by)
    ends = "the end of the recording" if by > 0 else "the beginning: nothing is recorded before this"
    return session.stopped(ends if went != by else "")


def _to(session: RecordedSession, word: str, *, back: bool) -> Reply:
    try:
        wanted = session.recorded.is_a(word)
    except ValueError as error:
        raise CommandError(str(error)) from error
    found = session.recorded.go_to(wanted, back=back)
    return session.stopped("" if found else _no_more(word, back=back))


def _no_more(what: str, *, back: bool) -> str:
    return (
        f"no {what} before this: the beginning" if back else f"no {what} after this: the end of the recording"
    )


@RECORDED.command(
    "step", "s", "stepi", "si", "next", "n", "nexti", "ni", usage="[N]", group=GROUP, repeats=True
)
def step(session: RecordedSession, words: str) -> Reply:
    """Go to the next event, or by N."""
    return _go(session, count(words))


@RECORDED.command(
    "reverse-step", "rs", "reverse-stepi", "rsi", "reverse-next", "rn", usage="[N]", group=GROUP, repeats=True
)
def reverse_step(session: RecordedSession, words: str) -> Reply:
    """Go to the event before, or back by N."""
    return _go(session, -count(words))


@RECORDED.command("continue", "c", group=GROUP, repeats=True)
def resume(session: RecordedSession, words: str) -> Reply:
    """Go to the next event at a breakpoint, or to the last event."""
    nothing(words)
    return _to_breakpoint(session, back=False)


@RECORDED.command("reverse-continue", "rc", group=GROUP, repeats=True)
def reverse_resume(session: RecordedSession, words: str) -> Reply:
    """Go back to the latest event at a breakpoint, or to the first event."""
    nothing(words)
    return _to_breakpoint(session, back=True)


def _to_breakpoint(session: RecordedSession, *, back: bool) -> Reply:
    breakpoints = list(session.breakpoints.values())
    if session.recorded.go_to(session.recorded.is_at(breakpoints), back=back):
        met = next(
            number for number, each in session.breakpoints.items() if _accepts(session.recorded.told(), each)
        )
        return session.stopped(f"breakpoint {met}: {session.breakpoints[met].text}")
    return session.stopped(_no_more("event at a breakpoint", back=back))


def _accepts(told: Told, breakpoint_: EventBreakpoint) -> bool:
    return any(breakpoint_.accepts(place) for place in (told.where, told.to) if place)


@RECORDED.command("run-to", "rt", usage="EVENT|CYCLE", group=GROUP, words=WORDS)
def run_to(session: RecordedSession, words: str) -> Reply:
    """Go to the next crossing, ipc, space-switch, page-fault or interrupt; to a cycle."""
    digits = words.replace(",", "")
    if digits.isdecimal():
        recorded, cycle = session.recorded, int(digits)
        back = cycle < recorded.event(recorded.position).time
        recorded.go_to(
            lambda at: (recorded.event(at).time <= cycle) if back else (recorded.event(at).time >= cycle),
            back=back,
        )
        return session.stopped()
    return _to(session, words, back=False)


@RECORDED.command("reverse-run-to", "rrt", usage="EVENT", group=GROUP, words=WORDS)
def reverse_run_to(session: RecordedSession, words: str) -> Reply:
    """Go back to the latest crossing, ipc, space-switch, page-fault or interrupt."""
    return _to(session, words, back=True)


@RECORDED.command("finish", "fin", group=GROUP, repeats=True)
def finish(session: RecordedSession, words: str) -> Reply:
    """Go to the next return to user mode."""
    nothing(words)
    recorded = session.recorded
    found = recorded.go_to(
        lambda at: recorded.event(at).kind is Kind.RETURN and recorded.event(at).to_user, back=False
    )
    return session.stopped("" if found else _no_more("return", back=False))


@RECORDED.command("break", "b", usage="SYMBOL|PATTERN", group=GROUP, completes=SYMBOLS)
def break_at(session: RecordedSession, words: str) -> Reply:
    """Stop at events that come from a function or go to it; a pattern is held against 'program: function'."""
    if not words:
        raise CommandError("where? Write a symbol, a program's symbol as in client:main, or a pattern")
    wanted = words if "*" in words else _as_told(session, words)

    def accepts(place: str) -> bool:
        return fnmatch.fnmatchcase(place.partition("+")[0], wanted)

    number = session.next_number
    session.next_number += 1
    session.breakpoints[number] = EventBreakpoint(words, accepts)
    return say(f"{number}: break {words}", number=number, what=words)


def _as_told(session: RecordedSession, text: str) -> str:
    """Return a symbol as events tell it. Raises UnknownSymbol."""
    place, symbol = session.programs.find(text)
    return symbol.name if place.program is None else f"{place.program.removesuffix('.elf')}: {symbol.name}"


@RECORDED.command("delete", "d", usage="[NUMBER]", group=GROUP)
def delete(session: RecordedSession, words: str) -> Reply:
    """Take a breakpoint away, or all."""
    if not words:
        session.breakpoints.clear()
        return say("all are gone")
    if not words.isdecimal() or int(words) not in session.breakpoints:
        raise CommandError(f"there is no breakpoint {words}")
    del session.breakpoints[int(words)]
    return say(f"break {words} is gone", number=int(words))


@RECORDED.command("breakpoints", "ib", group=GROUP)
def breakpoints(session: RecordedSession, words: str) -> Reply:
    """List the breakpoints."""
    nothing(words)
    rows = [f"{number}: break {each.text}, {each.hits} times" for number, each in session.breakpoints.items()]
    data = [
        {"number": number, "what": each.text, "hits": each.hits}
        for number, each in session.breakpoints.items()
    ]
    return Reply({"breakpoints": data}, lines(rows or ["none"]))


@RECORDED.command("where", "w", group=LOOKING)
def where(session: RecordedSession, words: str) -> Reply:
    """Show the present event."""
    nothing(words)
    return session.stopped()


@RECORDED.command("list", "l", usage="[N]", group=LOOKING)
def list_events(session: RecordedSession, words: str) -> Reply:
    """Show the events around the present one, 5 or N on each side."""
    around = count(words) if words else AROUND
    recorded = session.recorded
    first, last = max(recorded.position - around, 0), min(recorded.position + around, recorded.length - 1)
    rows: list[Text | str] = []
    data = []
    for at in range(first, last + 1):
        told = recorded.told(at)
        mark = "=>" if at == recorded.position else "  "
        rows.append(f"{mark} {at:>8,} {told.event.time:>14,}  {_line(told)}")
        data.append({"number": at, **_data(told)})
    return Reply({"events": data}, lines(rows))
