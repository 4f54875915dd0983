# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a debugger wants the processor to stop, and where it is: what ``Engine`` offers to it.

``emulator/debug/control.py`` makes sense of this; native/debug.h says what the core does.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

from ringscope.emulator.native import library as native
from ringscope.emulator.native.library import NOWHERE

if TYPE_CHECKING:
    from collections.abc import Sequence


class Stops:
    """The part of an engine that a debugger uses. Addresses are virtual, spaces roots of page tables."""

    _native: ctypes.CDLL
    _core: Any
    _uc: Any

    def set_breakpoints(self, addresses: Sequence[int], spaces: Sequence[int | None] = ()) -> None:
        """Stop before the instructions at these virtual addresses, each in its space or, for None, in all.

        Raises ValueError if they are too many.
        """
        spaces = spaces or [None] * len(addresses)
        points = [
            native.Breakpoint(address, NOWHERE if space is None else space)
            for address, space in zip(addresses, spaces, strict=True)
        ]
        array = (native.Breakpoint * max(len(points), 1))(*points)
        taken = self._native.core_set_breakpoints(self._core, array, len(points))
        self._uc.ctl_flush_tb()
        if not taken:
            raise ValueError(
                f"{len(points)} breakpoints are more than the processor can watch; take 64 at most"
            )

    def set_watchpoints(self, points: Sequence[native.Watchpoint]) -> None:
        """Stop after the instructions that touch some memory. Raises ValueError if they are too many."""
        array = (native.Watchpoint * max(len(points), 1))(*points)
        taken = self._native.core_set_watchpoints(self._core, array, len(points))
        self._uc.ctl_flush_tb()
        if not taken:
            raise ValueError(
                f"{len(points)} watchpoints are more than the processor can watch; take 64 at most"
            )

    def stop_on(self, kinds: int, counters: int) -> None:
        """Stop after what makes events, changes counters, of these sets of ``trace_kind`` and ``counter``."""
        self._native.core_stop_on(self._core, kinds, counters)
        self._uc.ctl_flush_tb()

    @property
    def watch_hit(self) -> native.WatchHit:
        """What a run stopped at that ended with WATCHPOINT."""
        return native.WatchHit.from_buffer_copy(self._native.core_watch_hit(self._core).contents)

    @property
    def met_event(self) -> bytes:
        """The ``struct trace_event`` at which a run stopped that ended with EVENT."""
        return ctypes.string_at(self._native.core_met_event(self._core), self._native.core_trace_event_size())

    @property
    def pc(self) -> int:
        """The linear address of the next instruction."""
        return int(self._native.core_pc(self._core))

    def jump(self, pc: int) -> None:
        """Go on at another instruction."""
        self._native.core_jump(self._core, pc)

    @property
    def space(self) -> int:
        """The root of the address space in force."""
        return int(self._native.core_space(self._core))

    def space_of(self, root: int) -> int:
        """Return the address space of a CR3 or TTBR0 as the guest writes it: without PCID or ASID."""
        return int(self._native.core_space_of(self._core, root))

    @property
    def in_user_mode(self) -> bool:
        """Whether the processor is in the user's ring."""
        return bool(self._native.core_in_user_mode(self._core))

    @property
    def steps_left(self) -> int:
        """How many of the last run's steps were not made."""
        return int(self._native.core_steps_left(self._core))

    def step_over_breakpoint(self) -> None:
        """Let the next run start on a breakpoint without stopping there."""
        self._native.core_step_over(self._core)

    @property
    def instructions(self) -> int:
        """How many were executed, without those that the books have of a block yet to be finished."""
        return int(self._native.core_instructions(self._core))
