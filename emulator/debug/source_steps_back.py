# SPDX-License-Identifier: GPL-2.0-or-later
"""The steps of ``source_steps.py`` backwards: to the line before, over calls, to where a function began."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ringscope.emulator.debug.halt import Why
from ringscope.emulator.debug.source_steps import Unfinished

if TYPE_CHECKING:
    from ringscope.emulator.debug.control import Control
    from ringscope.emulator.debug.disassembly import Instruction
    from ringscope.emulator.debug.halt import Halt
    from ringscope.emulator.debug.history import History
    from ringscope.emulator.debug.live import Live

STEPS_MOST: Final = 2_000  # instructions of one line, each a replay


class SourceStepsBack:
    """Steps of a live machine into its past."""

    def __init__(self, live: Live, history: History) -> None:
        """Stand still."""
        self._live, self._history = live, history
        self._control: Control = live.control

    # ---- by instruction ----

    def instruction_over(self) -> Halt:
        """Go back by an instruction, and over what it called."""
        live = self._live
        was_user, stack = live.user, self._stack
        halt = self._history.step_back()
        if halt.why is not Why.STEP or (live.user == was_user and self._stack >= stack):
            return halt
        call = self._call() if live.user == was_user else None
        if call is None:
            return halt
        return self._back_to(call.address, stack, user=was_user)

    @property
    def _stack(self) -> int:
        return self._live.engine.register(self._live.mode.stack_pointer)

    def _call(self) -> Instruction | None:
        """Return the call by which the present function was entered; None where it was no call."""
        caller = self._live.unwinder.caller()
        if caller is None:
            return None
        begin = self._begin_of_function(caller.looked_up, user=caller.user)
        if begin is None:
            return None
        for instruction in self._live.instructions(begin, caller.address - begin):
            if instruction.end == caller.address:
                return instruction if instruction.is_call else None
        return None

    def _begin_of_function(self, address: int, *, user: bool) -> int | None:
        symbol = self._live.where(address, user=user).symbol
        return None if symbol is None else address - int(symbol.rpartition("+")[2], 16)

    def _back_to(self, address: int, stack: int, *, user: bool) -> Halt:
        """Go back to when an address was last executed in this space, no deeper in the stack."""
        live, mode = self._live, self._live.mode

        def is_here(control: Control) -> bool:
            return live.user == user and control.engine.register(mode.stack_pointer) >= stack

        place = self._control.add_breakpoint(address, live.engine.space if user else None, is_here)
        try:
            halt = self._history.resume_back()
        finally:
            self._control.remove(place)
        return replace(halt, why=Why.STEP, detail=None) if halt.detail is place else halt

    # ---- by line ----

    def line(self) -> Halt:
        """Go back to the beginning of the line before, into calls."""
        return self._by_line(into=True)

    def line_over(self) -> Halt:
        """Go back to the beginning of the line before, over calls."""
        return self._by_line(into=False)

    def _by_line(self, *, into: bool) -> Halt:
        live = self._live
        begin, target = live.where(), None
        for _ in range(STEPS_MOST):
            halt = self._history.step_back() if into else self.instruction_over()
            here = live.where()
            if halt.why is not Why.STEP or (begin.place is None and here.place is None):
                return halt
            if target is None and here.place not in (None, begin.place):
                target = here.place
            elif target is not None and here.place != target:
                return self._control.step()  # the line's first instruction is the one after this
        return halt

    # ---- by function ----

    def finish(self) -> Halt:
        """Go back to where this function was entered. Raises Unfinished where its beginning is not known."""
        live = self._live
        begin = self._begin_of_function(live.pc, user=live.user)
        if begin is None:
            raise Unfinished("this place is in no known function: its beginning is not known")
        if begin == live.pc:
            return self._history.step_back()
        return self._back_to(begin, self._stack, user=live.user)
