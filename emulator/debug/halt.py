# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a debugger may stop a run, and what it is told when the run has stopped."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringscope.emulator.debug.control import Control
    from ringscope.emulator.machine import Exit
    from ringscope.emulator.trace.event import Event


class Why(enum.Enum):
    """Why a run stopped."""

    STEP = "step"  # the instructions asked for are done
    BREAKPOINT = "breakpoint"  # the next instruction has one
    WATCHPOINT = "watchpoint"  # the last instruction touched what is watched
    EVENT = "event"  # the last instruction did what was waited for
    CYCLE = "cycle"  # the time asked for has come
    END = "end"  # the run is over
    INTERRUPTED = "interrupted"  # somebody asked to stop
    BEGINNING = "beginning"  # going back, there is nothing before this


@dataclass(eq=False)
class Breakpoint:
    """Stops before the instruction at a virtual address.

    In the address space whose root is ``space``, or in all; where ``condition`` says so, or always. ``hits``
    counts the stops.
    """

    address: int
    space: int | None = None
    condition: Callable[[Control], bool] | None = None
    hits: int = 0


@dataclass(eq=False)
class Watchpoint:
    """Stops after an instruction that touched one of ``length`` bytes at a virtual address."""

    address: int
    length: int
    write: bool = True
    read: bool = False
    space: int | None = None
    hits: int = field(default=0)


@dataclass(frozen=True)
class WatchHit:
    """What touched a watched byte: the instruction at ``pc``.

    ``address`` is the first watched byte that it touched; ``old`` and ``new`` are the ``size`` bytes from
    there, as a little-endian number, before and after. ``old`` is None where an instruction wrote past
    the functions that see stores beforehand.
    """

    watchpoint: Watchpoint
    pc: int
    address: int
    size: int
    write: bool
    old: int | None
    new: int


Detail = Breakpoint | WatchHit | tuple[str, ...]


@dataclass(frozen=True)
class Halt:
    """A machine that stands still: why, and where.

    ``pc`` is the linear address of the next instruction, ``space`` the root of the address space in force,
    ``cycle`` simulated time, ``instructions`` those executed since power-on. ``detail`` is the Breakpoint,
    the WatchHit, the trace's Event or the names of the counters that moved, the Exit; else None.
    """

    why: Why
    pc: int
    user: bool
    space: int
    cycle: int
    instructions: int
    detail: Detail | Event | Exit | None = None
