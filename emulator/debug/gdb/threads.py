# SPDX-License-Identifier: GPL-2.0-or-later
"""The threads of the project's own kernel as threads of gdb's processes, and what each left user mode with.

A thread keeps its number as long as it lives; numbers begin at 1 in each address space. Who waits in a system
call has only the registers that one keeps: the others are lost until it returns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ringscope.emulator.debug import crossing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringscope.emulator.cpu.engine import Engine
    from ringscope.emulator.debug.our_kernel import OurKernel, Thread

FIRST: Final = 1  # a process has this thread, whatever is known of it
#: The instruction that a system call is made by.
SYSTEM_CALL: Final = {"x86_64": bytes.fromhex("0f05"), "aarch64": bytes.fromhex("010000d4")}


class KernelThreads:
    """The threads there are while the machine stands still; ``moved`` says that it did not."""

    def __init__(self, engine: Engine, ours: OurKernel) -> None:
        """Have numbered none yet."""
        self._engine = engine
        self._ours = ours
        self._numbers: dict[int, dict[int, int]] = {}  # by address space, then by a thread's address
        self._read: dict[int, Thread] | None = None

    def moved(self) -> None:
        """Read them anew when they are next asked for."""
        self._read = None

    def _threads(self) -> Mapping[int, Thread]:
        """Return every thread by its address."""
        if self._read is None:
            self._read = {thread.address: thread for thread in self._ours.threads()}
        return self._read

    def of(self, space: int) -> dict[int, Thread]:
        """Return the threads in an address space by their numbers."""
        there = [thread for thread in self._threads().values() if thread.space == space]
        numbers = self._numbers.setdefault(space, {})
        for gone in numbers.keys() - {thread.address for thread in there}:
            del numbers[gone]
        for thread in there:
            if thread.address not in numbers:
                taken = numbers.values()
                numbers[thread.address] = next(n for n in range(FIRST, len(numbers) + 2) if n not in taken)
        return {numbers[thread.address]: thread for thread in there}

    def is_current(self, thread: Thread) -> bool:
        """Return whether its user mode is in the processor, or was last."""
        return thread.address == self._ours.current

    def registers(self, thread: Thread) -> Mapping[str, int]:
        """Return those with which a thread left user mode; without those that nobody knows."""
        known = thread.registers
        if self.is_current(thread):
            known = crossing.left_user(self._engine, {}, self._ours) or known
        if thread.fault or not self._is_behind_a_call(known[self._engine.program_counter], thread.space):
            return known
        return {name: value for name, value in known.items() if name in self._ours.kept}

    def _is_behind_a_call(self, pc: int, space: int) -> bool:
        call = SYSTEM_CALL[self._engine.arch]
        return pc >= len(call) and self._engine.read_virtual(pc - len(call), len(call), space) == call
