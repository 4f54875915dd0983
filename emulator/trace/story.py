# SPDX-License-Identifier: GPL-2.0-or-later
"""Events told in words: who, what, from where to where. Every form of a trace is made of these."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from ringscope.emulator.debug import exceptions
from ringscope.emulator.trace.event import Call, Kind
from ringscope.emulator.trace.threads import Threads, label

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ringscope.emulator.debug.symbols import SymbolTable
    from ringscope.emulator.trace.event import Event

PLACES = 1 << 14  # whose names are remembered: a trace comes by few places, again and again
IPC, CONTEXT_SWITCH = 1, 2  # RINGSCOPE_EVENT_* of guest/ringscope.h
INSTRUCTIONS = {call.value: call.name.lower() for call in Call}
EVENTS = {IPC: "ipc", CONTEXT_SWITCH: "context switch"}


@dataclass(frozen=True)
class Names:
    """What turns numbers into words: of address spaces, marked operations, system calls, code addresses."""

    arch: str
    hz: int
    programs: Mapping[int, str | None]
    marks: Mapping[int, str]
    calls: Mapping[int, str]
    symbols: SymbolTable

    def space(self, root: int) -> str:
        """Return what an address space is called."""
        return label(self.programs.get(root)) or f"{root:#x}"

    def place(self, address: int, space: int, user: bool) -> str:
        """Return ``program: symbol+0x12`` for a user address of a space, ``symbol+0x12`` for the kernel's."""
        program = self.programs.get(space) if user else None
        if program is None:
            return self.symbols.describe(address, user=user) or f"{address:#x}"
        return f"{label(program)}: {self.symbols.describe_in(program, address) or f'{address:#x}'}"


@dataclass(frozen=True, slots=True)
class Told:
    """One event in words; ``where`` is the place it began at, ``to`` the one it led to, if another."""

    event: Event
    thread: str
    what: str
    where: str
    to: str


class Teller:
    """Tells the events of one trace. ``survey`` goes through them first, ``tell`` then."""

    def __init__(self, names: Names) -> None:
        """Nothing has happened yet."""
        self.names = names
        self.threads = Threads(names.programs)
        self._place = lru_cache(PLACES)(names.place)

    def survey(self, events: Iterable[Event]) -> None:
        """Learn who takes part."""
        self.threads.survey(events)

    def tell(self, events: Iterable[Event]) -> Iterator[Told]:
        """Yield each event in words."""
        for event in events:
            yield self._tell(event, self.threads.follow(event))

    def tell_one(self, event: Event, user: Event | None) -> Told:
        """Return one event in words; ``user`` is the latest in which its thread left user code."""
        return self._tell(event, self.threads.name(event, user))

    def _tell(self, event: Event, thread: str) -> Told:
        where = self._place(event.source, event.space, event.from_user)
        moved = event.target != event.source
        to = self._place(event.target, event.space, event.to_user) if moved else ""
        return Told(event, thread, self.what(event), where, to)

    def what(self, event: Event) -> str:
        """Return what happened, without who and where."""
        names, number = self.names, event.number
        match event.kind:
            case Kind.SYSTEM_CALL:
                how = INSTRUCTIONS.get(number, f"call by {number}")
                what = f"{how} {names.calls.get(event.argument, event.argument)}"
            case Kind.EXCEPTION:
                what = exceptions.describe(names.arch, number, event.detail, event.argument)
            case Kind.INTERRUPT:
                what = "interrupt" if names.arch == "aarch64" else f"interrupt {number:#x}"
            case Kind.RETURN:
                what = "return"
            case Kind.SPACE:
                what = f"space {names.space(event.space)} -> {names.space(event.argument)}"
            case Kind.EVENT:
                what = EVENTS.get(number, f"event {number}")
            case Kind.BEGIN | Kind.END:
                what = f"{event.kind.name.lower()} {names.marks.get(number, number)}"
        return what
