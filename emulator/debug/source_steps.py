# SPDX-License-Identifier: GPL-2.0-or-later
"""Steps as a person counts them: by source line, over calls, out of functions, from one ring to the other.

Each ends early where something else stops the run. A step by line goes into the kernel where a system call
does; a step over goes over it, as over any call, and over interrupts and faults.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ringscope.emulator.debug import crossing
from ringscope.emulator.debug.halt import Why

if TYPE_CHECKING:
    from ringscope.emulator.debug.control import Control
    from ringscope.emulator.debug.disassembly import Instruction
    from ringscope.emulator.debug.halt import Halt
    from ringscope.emulator.debug.live import Live

STEPS_MOST: Final = 1_000_000  # instructions of one line: a loop that ends later is left by a breakpoint
MASK: Final = (1 << 64) - 1


class Unfinished(Exception):
    """There is nothing to step out to; one sentence."""


class SourceSteps:
    """Steps of a live machine."""

    def __init__(self, live: Live) -> None:
        """Stand still."""
        self._live = live
        self._control: Control = live.control

    # ---- by instruction ----

    def instruction_over(self) -> Halt:
        """Execute an instruction, and what it calls until that returns."""
        live = self._live
        was_user, instruction, stack = live.user, self._next(), self._stack
        halt = self._control.step()
        if halt.why is not Why.STEP:
            return halt
        if was_user and not live.user:
            return self._back_to_user(halt)
        if instruction is not None and instruction.is_call and self._has_called(instruction):
            return self._run_to(instruction.end, stack, user=was_user)
        return halt

    def _next(self) -> Instruction | None:
        return next(self._live.instructions(self._live.pc, 1), None)

    @property
    def _stack(self) -> int:
        return self._live.engine.register(self._live.mode.stack_pointer)

    def _has_called(self, instruction: Instruction) -> bool:
        """Whether the call was carried out: the return address is where calls leave it."""
        live = self._live
        if live.mode.link is not None:
            return live.engine.register(live.mode.link) == instruction.end
        word = live.mode.word
        return int.from_bytes(self._control.read(self._stack, word), "little") == instruction.end

    def _run_to(self, address: int, stack: int, *, user: bool) -> Halt:
        """Run until an address is reached in this address space, no deeper in the stack than ``stack``."""
        live, mode = self._live, self._live.mode

        def is_here(control: Control) -> bool:
            return live.user == user and control.engine.register(mode.stack_pointer) >= stack

        place = self._control.add_breakpoint(address, live.engine.space if user else None, is_here)
        try:
            return self._arrived(self._control.resume(), place)
        finally:
            self._control.remove(place)

    def _arrived(self, halt: Halt, place: object) -> Halt:
        """Call a stop at our own breakpoint a step."""
        return self._control.here() if halt.why is Why.BREAKPOINT and halt.detail is place else halt

    def _back_to_user(self, halt: Halt) -> Halt:
        """Run until the kernel, just entered, returns to where user mode was left."""
        left = crossing.left_user(
            self._live.engine, self._live.unwinder.backtrace(1)[0].registers, self._live.ours
        )
        if left is None:
            return halt
        mode = self._live.mode
        return self._run_to(left[mode.program_counter], left[mode.stack_pointer], user=True)

    # ---- by line ----

    def line(self) -> Halt:
        """Execute up to another source line, into calls; an instruction where no line is known."""
        return self._by_line(into=True)

    def line_over(self) -> Halt:
        """Execute up to another source line, over calls and stays in the kernel."""
        return self._by_line(into=False)

    def _by_line(self, *, into: bool) -> Halt:
        live = self._live
        begin = live.where()
        for _ in range(STEPS_MOST):
            halt = self._control.step() if into else self.instruction_over()
            if halt.why is not Why.STEP or begin.place is None:
                return halt
            here = live.where()
            if here.place is not None and here.place != begin.place:
                return halt
            if here.place is None and not into:
                return halt
        return halt

    # ---- by function ----

    def finish(self) -> Halt:
        """Run until the function returns; the kernel's outermost function returns to user mode.

        Raises Unfinished where nobody knows whereto.
        """
        live = self._live
        frames = live.unwinder.backtrace()
        if len(frames) < 2:
            raise Unfinished("nobody is known to have called this: there is nothing to step out to")
        outer = frames[1]
        stack = outer.registers[live.mode.stack_pointer]
        return self._run_to(outer.address, stack, user=outer.user)
