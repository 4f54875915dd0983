# SPDX-License-Identifier: GPL-2.0-or-later
"""The break- and watchpoints that gdb has inserted, by process.

gdb takes all of them away at every stop and puts them back before it goes on; so they are given to the
machine when it goes on, and only where they changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ringscope.emulator.debug.control import Control
    from ringscope.emulator.debug.gdb.processes import Processes
    from ringscope.emulator.debug.halt import Breakpoint, Watchpoint

SOFTWARE, HARDWARE, WRITE, READ, ACCESS = range(5)  # the digit of Z packets
REASONS = {SOFTWARE: "swbreak", HARDWARE: "hwbreak", WRITE: "watch", READ: "rwatch", ACCESS: "awatch"}
LENGTH_MOST = 1 << 32


@dataclass(frozen=True)
class Place:
    """One of them; ``length`` in bytes, of a breakpoint what gdb calls its kind."""

    kind: int
    pid: int
    address: int
    length: int


class Places:
    """Those inserted, and the machine's stops that stand for them."""

    def __init__(self, control: Control, processes: Processes) -> None:
        """Nothing is inserted."""
        self._control = control
        self._processes = processes
        self.wanted: set[Place] = set()
        self._set: dict[Place, Breakpoint | Watchpoint] = {}

    def insert(self, place: Place) -> None:
        """Insert one. Raises ValueError if there is no such kind, or no such memory."""
        end = place.address + place.length
        if place.kind not in REASONS or end > 1 << 64 or place.length > LENGTH_MOST:
            raise ValueError("no such breakpoint")
        if place.kind >= WRITE and place.length < 1:
            raise ValueError("nothing to watch")
        self.wanted.add(place)

    def withdraw(self, pid: int | None = None) -> None:
        """Take away those of a process, or all."""
        self.wanted = {place for place in self.wanted if pid is not None and place.pid != pid}

    def apply(self) -> None:
        """Give the machine what is inserted now. Raises ValueError if it is too much."""
        for place in self._set.keys() - self.wanted:
            self._control.remove(self._set.pop(place))
        for place in sorted(self.wanted - self._set.keys(), key=lambda place: (place.pid, place.address)):
            self._set[place] = self._stop_at(place)

    def _stop_at(self, place: Place) -> Breakpoint | Watchpoint:
        process = self._processes.by_pid(place.pid)
        space = None if process is None else process.space
        if place.kind in (SOFTWARE, HARDWARE):
            return self._control.add_breakpoint(place.address, space)
        write, read = place.kind in (WRITE, ACCESS), place.kind in (READ, ACCESS)
        return self._control.add_watchpoint(place.address, place.length, write, read, space)

    def at(self, pc: int, space: int) -> list[Place]:
        """Return the breakpoints that stop before an instruction of a space."""
        found = []
        for place in self._set:
            process = self._processes.by_pid(place.pid)
            if place.kind in (SOFTWARE, HARDWARE) and place.address == pc and process is not None:
                found += [place] if process.space in (None, space) else []
        return sorted(found, key=lambda place: (-place.pid, place.kind))

    def of(self, watchpoint: Watchpoint) -> Place:
        """Return what a watchpoint of the machine stands for."""
        return next(place for place, stop in self._set.items() if stop is watchpoint)
