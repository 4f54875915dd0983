# SPDX-License-Identifier: GPL-2.0-or-later
"""Who did it: the threads of a trace, each called after the program whose address space it runs in.

A kernel's view (debug/kernel_view.py) tells threads apart; where there is none, an address space counts as
one. The second thread of a program is called ``program.2``, in the order in which they first ran; what has
run no user code yet is the kernel itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ringscope.emulator.trace.event import Event

KERNEL = "kernel"


def label(program: str | None) -> str:
    """Return what a program's file is called without its suffix; nothing where it is not known."""
    return "" if program is None else program.removesuffix(".elf")


class Threads:
    """The names of a trace's threads, by what an event says of them."""

    def __init__(self, programs: Mapping[int, str | None]) -> None:
        """``programs`` are the names of address spaces by root; None where it is not known."""
        self._programs = programs
        self._label: dict[int, str] = {}  # by key: the thread in force at that point of the trace
        self._known: dict[tuple[int, int], str] = {}
        self._runs: dict[str, int] = {}

    def survey(self, events: Iterable[Event]) -> None:
        """Name every thread that runs user code in some events, in their order. Before ``follow``."""
        for event in events:
            if event.from_user:
                self._name(self._key(event), event.space)

    def follow(self, event: Event) -> str:
        """Return the name of the thread that an event happened to, going through them in order."""
        key = self._key(event)
        if event.from_user:
            self._label[key] = self._name(key, event.space)
        if key not in self._label:  # it has run no user code yet, but will
            self._label[key] = next((name for (who, _), name in self._known.items() if who == key), KERNEL)
        return self._label[key]

    def name(self, event: Event, user: Event | None) -> str:
        """Return the name of the thread that an event happened to, wherever in the trace.

        ``user`` is the latest event, not after it, in which that thread left user code; None: it had not.
        """
        if user is not None:
            return self._name(self._key(user), user.space)
        key = self._key(event)
        return next((name for (who, _), name in self._known.items() if who == key), KERNEL)

    def names(self) -> list[str]:
        """Return every name there is, in the order in which the threads first ran."""
        return list(self._known.values())

    @staticmethod
    def _key(event: Event) -> int:
        return event.thread or event.space

    def _name(self, key: int, space: int) -> str:
        known = self._known.get((key, space))
        if known is not None:
            return known
        name = label(self._programs.get(space)) or f"space {space:#x}"
        self._runs[name] = self._runs.get(name, 0) + 1
        thread = name if self._runs[name] == 1 else f"{name}.{self._runs[name]}"
        self._known[key, space] = thread
        return thread
