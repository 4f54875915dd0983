# SPDX-License-Identifier: GPL-2.0-or-later
"""Steering a live machine as a debugger does: stop it, look into it, let it go on. Nothing is printed here.

    control = Control(machine)
    place = control.add_breakpoint(symbols["fastpath_call"])
    halt = control.resume()                     # a Halt: why, pc, cycle, ...
    control.register("rsp"), control.read(halt.pc, 16)

Debugging observes: the counters of a run with stops are to the bit those of the run without. Only what writes
(``write``, ``set_register``) changes what the guest computes.
"""

from __future__ import annotations

import contextlib
from functools import cached_property
from typing import TYPE_CHECKING

from ringscope.emulator.debug.halt import Breakpoint, Detail, Halt, WatchHit, Watchpoint, Why
from ringscope.emulator.debug.register_set import REGISTERS, RegisterSet
from ringscope.emulator.debug.waits import Waits
from ringscope.emulator.native import library as native
from ringscope.emulator.native.library import NOWHERE, Stop
from ringscope.emulator.trace import event as trace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ringscope.emulator.machine import Exit, Machine

__all__ = ["Breakpoint", "Control", "Halt", "WatchHit", "Watchpoint", "Why"]


class Control:
    """What a front end may do to a machine. ``limit``: the cycle at which the run ends, if any."""

    def __init__(self, machine: Machine, limit: int | None = None) -> None:
        """Stop nowhere yet."""
        self.machine = machine
        self.engine = machine.engine
        self.limit = limit
        self.breakpoints: list[Breakpoint] = []
        self.watchpoints: list[Watchpoint] = []
        self.ended: Exit | None = None
        self._waits = Waits(frozenset())
        self._interrupted = False
        self.on_pause: Callable[[], None] | None = None  # while a run stands still for a moment
        self.on_change: Callable[[], None] | None = None  # when somebody wrote a register or memory

    # ---- running ----

    def step(self, n: int = 1) -> Halt:
        """Execute n instructions; an exception before which nothing was executed counts as one.

        Breakpoints and whatever else stops a run stop this as well, before the first instruction excepted.
        """
        if n < 1:
            raise ValueError(f"{n} instructions cannot be executed; take 1 at least")
        return self._go(None, n)

    def resume(self, until_cycle: int | None = None) -> Halt:
        """Run to whatever stops the run, or to the end of the block in which ``until_cycle`` comes."""
        return self._go(until_cycle, None)

    def interrupt(self) -> None:
        """Stop the run that is under way, or the next. From a signal handler or another thread, too."""
        self._interrupted = True
        self.engine.stop()

    def take_interrupt(self) -> bool:
        """Return whether ``interrupt`` was called and nobody has stopped for it yet; it is taken back."""
        was, self._interrupted = self._interrupted, False
        if was:
            self.engine.stop(False)
        return was

    @contextlib.contextmanager
    def waiting_only_for(self, *watchpoints: Watchpoint) -> Iterator[None]:
        """Have nothing else stop the processor for a while."""
        before = self.breakpoints, self.watchpoints, self._waits.words
        self._set_breakpoints([])
        self._set_watchpoints([*watchpoints])
        self.stop_on = ()
        try:
            yield
        finally:
            self._set_breakpoints(before[0])
            self._set_watchpoints(before[1])
            self.stop_on = before[2]

    def rewound(self) -> None:
        """Note that the machine was put back to an earlier moment: a run that had ended has not."""
        self.ended = None
        self.machine.resume()

    def _go(self, until: int | None, steps: int | None) -> Halt:
        limits = [cycle for cycle in (until, self.limit) if cycle is not None]
        limit = min(limits, default=None)
        left = steps
        self.engine.step_over_breakpoint()
        while self.ended is None:
            if self._interrupted:
                return self._give_way()
            counted = self._waits.counted(self.machine)
            end = self.machine.advance(limit, left)
            stop = self.machine.stop
            if self.on_pause is not None:
                self.on_pause()
            if left is not None and stop is not None:
                left = self.engine.steps_left
            if end is not None and (end.reason != "limit" or limit == self.limit):
                self.ended = end
            elif end is not None:
                return self._halt(Why.CYCLE)
            elif (halt := self._judge(stop, left, counted)) is not None:
                return halt
        return self._halt(Why.END, self.ended)

    def _give_way(self) -> Halt:
        self._interrupted = False
        self.engine.stop(False)
        return self._halt(Why.INTERRUPTED)

    def _judge(self, stop: Stop | None, left: int | None, counted: tuple[int, ...]) -> Halt | None:
        """Say whether the machine is to stand still where the processor stopped."""
        match stop:
            case Stop.BREAKPOINT if (place := self._arrived()) is not None:
                return self._halt(Why.BREAKPOINT, place)
            case Stop.WATCHPOINT:
                hit = self._watch_hit()
                hit.watchpoint.hits += 1
                return self._halt(Why.WATCHPOINT, hit)
            case Stop.EVENT:
                (event,) = trace.read(self.engine.met_event)
                if self._waits.wants(self.engine.arch, event):
                    return self._halt(Why.EVENT, event)
            case Stop.COUNTER:
                return self._halt(Why.EVENT, self._waits.moved(self.machine, counted))
            case Stop.BREAKPOINT:
                self.engine.step_over_breakpoint()
            case _:
                pass
        if left == 0:
            place = self._arrived()
            return self._halt(Why.STEP) if place is None else self._halt(Why.BREAKPOINT, place)
        return None

    def _halt(self, why: Why, detail: Detail | trace.Event | Exit | None = None) -> Halt:
        return Halt(why, self.pc, self.engine.in_user_mode, self.space, self.cycle, self.instructions, detail)

    def here(self) -> Halt:
        """Return where the machine stands, as at the end of a step."""
        return self._halt(Why.STEP)

    # ---- where to stop ----

    def _in(self, space: int | None) -> int | None:
        return None if space is None else self.engine.space_of(space)

    def add_breakpoint(
        self, address: int, space: int | None = None, condition: Callable[[Control], bool] | None = None
    ) -> Breakpoint:
        """Stop before the instruction at ``address``. Raises ValueError if there are too many breakpoints."""
        place = Breakpoint(address, self._in(space), condition)
        self._set_breakpoints([*self.breakpoints, place])
        return place

    def add_watchpoint(
        self, address: int, length: int, write: bool = True, read: bool = False, space: int | None = None
    ) -> Watchpoint:
        """Stop after an instruction that writes or reads some bytes. Raises ValueError."""
        if length < 1 or not (write or read) or address + length > 1 << 64:
            raise ValueError("a watchpoint is on at least one byte, and on writes or reads or both")
        place = Watchpoint(address, length, write, read, self._in(space))
        self._set_watchpoints([*self.watchpoints, place])
        return place

    def remove(self, place: Breakpoint | Watchpoint) -> None:
        """Stop there no more. Raises ValueError if nothing is there."""
        if isinstance(place, Breakpoint):
            places = [*self.breakpoints]
            places.remove(place)
            self._set_breakpoints(places)
        else:
            watched = [*self.watchpoints]
            watched.remove(place)
            self._set_watchpoints(watched)

    def _set_breakpoints(self, places: list[Breakpoint]) -> None:
        distinct = list({(place.address, place.space): None for place in places})
        try:
            self.engine.set_breakpoints([at for at, _ in distinct], [space for _, space in distinct])
        except ValueError:
            self._set_breakpoints(self.breakpoints)
            raise
        self.breakpoints = places

    def _set_watchpoints(self, places: list[Watchpoint]) -> None:
        points = [
            native.Watchpoint(
                place.address,
                place.address + place.length - 1,
                NOWHERE if place.space is None else place.space,
                place.write,
                place.read,
            )
            for place in places
        ]
        try:
            self.engine.set_watchpoints(points)
        except ValueError:
            self._set_watchpoints(self.watchpoints)
            raise
        self.watchpoints = places

    @property
    def stop_on(self) -> frozenset[str]:
        """What else stops the run: words of ``waits.EVENTS``, names of counters. Raises ValueError."""
        return self._waits.words

    @stop_on.setter
    def stop_on(self, words: Iterable[str]) -> None:
        waits = Waits(frozenset(words), tuple(self.machine.counters.names()))
        self.engine.stop_on(waits.kinds, waits.counter_set)
        self._waits = waits

    def _arrived(self) -> Breakpoint | None:
        """Return the breakpoint that stops here, if there is one; it is hit."""
        pc, space = self.pc, self.space
        for place in self.breakpoints:
            if place.address != pc or place.space not in (None, space):
                continue
            if place.condition is None or place.condition(self):
                place.hits += 1
                return place
        return None

    def _watch_hit(self) -> WatchHit:
        hit = self.engine.watch_hit
        return WatchHit(
            self.watchpoints[hit.index],
            hit.pc,
            hit.vaddr,
            hit.size,
            bool(hit.write),
            hit.old if hit.old_is_known else None,
            hit.now,
        )

    # ---- looking and changing ----

    @property
    def pc(self) -> int:
        """The linear address of the next instruction."""
        return self.engine.pc

    @property
    def space(self) -> int:
        """The root of the address space in force."""
        return self.engine.space

    @property
    def cycle(self) -> int:
        """Simulated time."""
        return self.engine.time

    @property
    def instructions(self) -> int:
        """How many were executed since power-on, in both rings."""
        return self.engine.instructions

    @cached_property
    def registers(self) -> RegisterSet:
        """Which registers there are."""
        return REGISTERS[self.engine.arch]

    def register_names(self) -> tuple[str, ...]:
        """Return the names of all registers, the general ones first."""
        return self.registers.names

    def register(self, name: str) -> int:
        """Return a register. Raises ValueError if there is none of that name."""
        if name not in self.registers.names:
            raise ValueError(f"{name} is no register of this processor")
        return self.engine.register(name)

    def set_register(self, name: str, value: int) -> None:
        """Write a register. Raises ValueError if there is none of that name, or if it can only be read."""
        if name not in self.registers.writable:
            known = name in self.registers.names
            raise ValueError(
                f"{name} can only be read" if known else f"{name} is no register of this processor"
            )
        if not 0 <= value < 1 << self.registers.bits(name):
            raise ValueError(f"{value:#x} does not fit into {name}")
        if name == self.engine.program_counter:
            self.engine.jump(value)
        else:
            self.engine.set_register(name, value)
        self._changed()

    def _changed(self) -> None:
        if self.on_change is not None:
            self.on_change()

    def read(self, address: int, n: int, space: int | None = None) -> bytes:
        """Return up to n bytes of RAM at a virtual address; fewer where it is not mapped."""
        return self.engine.read_virtual(address, n, space)

    def write(self, address: int, data: bytes, space: int | None = None) -> int:
        """Store bytes in RAM at a virtual address, whatever the permissions; code there is forgotten.

        Returns how many: fewer where it is not mapped.
        """
        written = self.engine.write_virtual(address, data, space)
        self._changed()
        return written
