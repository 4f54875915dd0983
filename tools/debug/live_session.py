# SPDX-License-Identifier: GPL-2.0-or-later
"""A session with a live machine: what its commands share, and what every stop shows."""

from __future__ import annotations

import contextlib
import signal
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from rich.text import Text

from ringscope.emulator.debug.expressions import ExpressionError
from ringscope.emulator.debug.halt import Breakpoint, WatchHit, Why
from ringscope.emulator.trace.event import Event, Kind
from ringscope.emulator.trace.story import Names, Teller
from ringscope.tools.debug.commands import LIVE, SYMBOLS
from ringscope.tools.debug.places import code_line, named, place_data, source_line
from ringscope.tools.debug.reply import Reply, Twice, hexadecimal, lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from ringscope.emulator.debug.control import Control
    from ringscope.emulator.debug.expense import Expense
    from ringscope.emulator.debug.expressions import Expression
    from ringscope.emulator.debug.halt import Halt
    from ringscope.emulator.debug.history import History
    from ringscope.emulator.debug.live import Live, Spot
    from ringscope.tools.debug.reply import Printer

KERNEL_COLOUR, USER_COLOUR = "bold magenta", "bold cyan"
#: Counters that say why cycles went where they did; the others are in the JSON.
SHOWN_COUNTERS: Final = (
    "instructions",
    "branch-misses",
    "L1-icache-load-misses",
    "L1-dcache-load-misses",
    "L1-dcache-store-misses",
    "page-walks",
    "page-faults",
    "interrupts",
    "address-space-switches",
)
PLAIN: Final = {
    Why.INTERRUPTED: "interrupted",
    Why.BEGINNING: "the beginning: nothing is known before this",
    Why.CYCLE: "the cycle has come",
}


@dataclass(eq=False)
class Stop:
    """One numbered breakpoint or watchpoint of the user: a text, and what stands for it in the core."""

    number: int
    kind: str  # break, watch, rwatch or awatch
    text: str
    spots: list[Spot]
    placed: list[object]
    condition: Expression | None = None
    temporary: bool = False
    note: str = ""  # why its condition could not be worked out

    @property
    def hits(self) -> int:
        """How often it has stopped the guest."""
        return sum(getattr(each, "hits", 0) for each in self.placed)


class LiveSession:
    """What the commands of LIVE work on. ``went_on`` says that the guest ran since the last look."""

    def __init__(self, live: Live, control: Control, history: History, printer: Printer) -> None:
        """Stand where the machine does; the history begins here."""
        self.live, self.control, self.history, self.printer = live, control, history, printer
        self.commands = LIVE
        self.stops: dict[int, Stop] = {}
        self.next_number = 1
        self.ended = False
        self.shown_registers: dict[str, int] = {}
        self._teller = Teller(
            Names(
                live.engine.arch,
                live.machine.clock.hz,
                live.spaces.program,
                live.machine.mark_names,
                live.view.calls,
                live.programs.table,
            )
        )

    def completions(self, kind: str, begin: str) -> list[str]:
        """Return the symbols, or the registers, that begin so."""
        if kind == SYMBOLS:
            return self.live.programs.completions(begin)
        names = [
            *self.live.mode.aliases,
            *self.live.mode.general,
            *self.live.mode.system,
            "cycle",
            "instructions",
        ]
        return [name for name in names if name.startswith(begin)]

    # ---- running ----

    def run(self, go: Callable[[], Halt], *, onward: bool = False) -> Reply:
        """Let the guest go, with Ctrl-C stopping it, and answer with the stop.

        ``onward`` says that ``go`` may be called again where a watchpoint's condition is not met.
        """
        with self._interruptible():
            halt = go()
            while onward and self._is_unwanted(halt):
                halt = go()
        self.printer.finish()
        return self.stopped(halt)

    def _is_unwanted(self, halt: Halt) -> bool:
        """Whether a watchpoint stopped the run whose condition is not met."""
        if not isinstance(halt.detail, WatchHit):
            return False
        stop = self._stop_of(halt.detail.watchpoint)
        return stop is not None and not self.is_met(stop)

    def is_met(self, stop: Stop) -> bool:
        """Return whether to stop, by the condition; one that has no value stops, and the stop says why."""
        stop.note = ""
        try:
            return stop.condition is None or stop.condition.value(self.live) != 0
        except ExpressionError as error:
            stop.note = f" (its condition has no value: {error})"
            return True

    def _stop_of(self, place: object) -> Stop | None:
        return next((each for each in self.stops.values() if place in each.placed), None)

    @contextlib.contextmanager
    def _interruptible(self) -> Iterator[None]:
        """Ctrl-C stops the guest, and a second one before it has stopped ends the session."""
        asked = False

        def interrupt(_number: int, _frame: FrameType | None) -> None:
            nonlocal asked
            if asked:
                raise Twice
            asked = True
            self.control.interrupt()

        before = signal.signal(signal.SIGINT, interrupt)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    # ---- what a stop shows ----

    def stopped(self, halt: Halt) -> Reply:
        """Say why and where the guest stopped, and what was spent since it stopped last."""
        spent = self.live.spent()
        where = self.live.where()
        reason, detail = self._reason(halt)
        data = {
            "stop": halt.why.value,
            "reason": reason,
            **detail,
            **place_data(where),
            "space": hexadecimal(halt.space),
            "cycle": self.live.cycle,
            "instructions": halt.instructions,
            "since": {
                "cycles": spent.cycles,
                "idle": spent.idle,
                "causes": dict(spent.causes),
                "counters": dict(spent.counters),
            },
        }
        instruction = next(self.live.instructions(where.address, 1), None)
        head = Text(f"{reason}  ", style="bold yellow") if reason else Text()
        ring = "user" if where.user else "kernel"
        head.append(f"{ring} ", style=USER_COLOUR if where.user else KERNEL_COLOUR)
        head.append(named(where))
        head.append(f"   cycle {self.live.cycle:,}", style="dim")
        rows = [head, Text(_why(spent), style="dim")]
        rows += [row for row in (source_line(self.live, where),) if row is not None]
        if instruction is not None and halt.why is not Why.END:
            rows.append(code_line(self.live, instruction, where.user, here=True))
        return Reply(data, lines(rows))

    def _reason(self, halt: Halt) -> tuple[str, dict[str, object]]:
        """Say why the guest stopped, in words and as data; a step says nothing in words."""
        detail = halt.detail
        match halt.why:
            case Why.BREAKPOINT if isinstance(detail, Breakpoint):
                return self._met(detail)
            case Why.WATCHPOINT if isinstance(detail, WatchHit):
                return self._watched(detail)
            case Why.EVENT:
                return self._happened(detail)
            case Why.END:
                self.ended = True
                reason = getattr(detail, "reason", "")
                status = getattr(detail, "status", 0)
                words = f"the run is over: {reason}, status {status}"
                return words, {"exit": {"reason": reason, "status": status}}
            case _:
                return PLAIN.get(halt.why, ""), {}

    def _happened(self, detail: object) -> tuple[str, dict[str, object]]:
        """Tell an event, or name the counters that moved."""
        if not isinstance(detail, Event):
            moved = list(detail) if isinstance(detail, tuple) else []
            return f"counted: {', '.join(moved)}", {"counters": moved}
        root = self.live.engine.space_of  # as spaces are known
        argument = root(detail.argument) if detail.kind is Kind.SPACE else detail.argument
        event = replace(detail, space=root(detail.space), argument=argument)
        (told,) = self._teller.tell([event])
        arrow = f" -> {told.to}" if told.to else ""
        said = f"{told.what}: {told.where}{arrow}"
        return said, {"event": told.what, "from": told.where, "to": told.to or None, "cost": detail.cost}

    def _met(self, place: Breakpoint) -> tuple[str, dict[str, object]]:
        stop = self._stop_of(place)
        if stop is None:
            return "", {}
        if stop.temporary:
            self.remove(stop)
        return f"breakpoint {stop.number}: {stop.text}{stop.note}", {"number": stop.number}

    def _watched(self, hit: WatchHit) -> tuple[str, dict[str, object]]:
        stop = self._stop_of(hit.watchpoint)
        number = 0 if stop is None else stop.number
        text = "" if stop is None else f"watchpoint {stop.number}: {stop.text}{stop.note} "
        by = self.live.where(hit.pc)
        verb = "written" if hit.write else "read"
        change = f"{hit.new:#x}" if not hit.write else f"{_value(hit.old)} -> {hit.new:#x}"
        words = f"{text}{verb} at {hit.address:#x}, {change}, by {named(by)}"
        data = {
            "number": number,
            "write": hit.write,
            "address": hexadecimal(hit.address),
            "size": hit.size,
            "old": None if hit.old is None else hexadecimal(hit.old),
            "new": hexadecimal(hit.new),
            "by": place_data(by),
        }
        return words, data

    def remove(self, stop: Stop) -> None:
        """Take a breakpoint or watchpoint away."""
        for place in stop.placed:
            self.control.remove(place)  # type: ignore[arg-type]  # what add_* returned
        self.stops.pop(stop.number, None)


def _value(value: int | None) -> str:
    return "?" if value is None else f"{value:#x}"


def _why(spent: Expense) -> str:
    """Say what was spent, by cause, and what was counted."""
    parts = [f"{spent.cycles:+,} cycles"]
    causes = sorted(spent.causes.items(), key=lambda item: -abs(item[1]))
    causes += [("idle", spent.idle)] if spent.idle else []
    if causes:
        parts.append(", ".join(f"{name} {cycles:,}" for name, cycles in causes))
    counted = [f"{spent.counters[name]:,} {name}" for name in SHOWN_COUNTERS if name in spent.counters]
    if counted:
        parts.append(", ".join(counted))
    return "  " + " | ".join(parts)
