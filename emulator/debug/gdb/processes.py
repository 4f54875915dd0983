# SPDX-License-Identifier: GPL-2.0-or-later
"""Address spaces as processes of gdb.

Process 1 is the machine: ring 0 and whatever address space is in force; what is set through it counts in all.
Every address space in which user code was seen is one more, numbered as they are found; what is set through
it counts in that space alone. The machine has one thread, its processor, and so has a process of which no
threads are known. Source: Debugging with GDB, appendix E, "Thread Ids".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from ringscope.emulator.debug.gdb.threads import FIRST

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from ringscope.emulator.debug.gdb.threads import KernelThreads
    from ringscope.emulator.debug.our_kernel import Thread

MACHINE = 1


@dataclass(frozen=True)
class Process:
    """One process. ``space`` is the root of its address space, None for the machine."""

    pid: int
    space: int | None


class Processes:
    """Those there are. ``name_of`` returns the program that runs in a space, None if nobody knows it.

    ``threads`` are those of a kernel that is known.
    """

    def __init__(self, name_of: Callable[[int], str | None], threads: KernelThreads | None = None) -> None:
        """Know the machine."""
        self._name_of = name_of
        self._threads = threads
        self._all = [Process(MACHINE, None)]

    def __iter__(self) -> Iterator[Process]:
        """Yield all, by number."""
        return iter(tuple(self._all))

    def of(self, space: int) -> Process:
        """Return the process of an address space, a new one if it has none yet."""
        for process in self._all:
            if process.space == space:
                return process
        self._all.append(Process(len(self._all) + 1, space))
        return self._all[-1]

    def by_pid(self, pid: int) -> Process | None:
        """Return a process, None if there is none of that number."""
        return self._all[pid - 1] if 0 < pid <= len(self._all) else None

    def program(self, process: Process) -> str | None:
        """Return the name of a process's program."""
        return None if process.space is None else self._name_of(process.space)

    def title(self, process: Process) -> str:
        """Return what a process is called."""
        if process.space is None:
            return "kernel"
        return self.program(process) or f"space {process.space:#x}"

    # ---- threads ----

    def moved(self) -> None:
        """Note that the machine did not stand still."""
        if self._threads is not None:
            self._threads.moved()

    def _known(self, process: Process) -> dict[int, Thread]:
        if process.space is None or self._threads is None:
            return {}
        return self._threads.of(process.space)

    def threads(self, process: Process) -> list[int]:
        """Return the numbers of a process's threads, one at least."""
        return sorted(self._known(process)) or [FIRST]

    def running(self, process: Process) -> int:
        """Return which thread of a process is in the processor, or would be if none is known to be."""
        current = (
            number
            for number, thread in self._known(process).items()
            if self._threads is not None and self._threads.is_current(thread)
        )
        return next(current, self.threads(process)[0])

    def left_user(self, process: Process, number: int) -> Mapping[str, int] | None:
        """Return what a thread left user mode with, as far as it is known; None where nothing is."""
        thread = self._known(process).get(number)
        return None if thread is None or self._threads is None else self._threads.registers(thread)

    def xml(self, pids: Collection[int]) -> bytes:
        """Return the document that tells gdb of the threads of some processes."""
        threads = "".join(
            self._xml(process, number)
            for process in self._all
            if process.pid in pids
            for number in self.threads(process)
        )
        return f'<?xml version="1.0"?><threads>{threads}</threads>'.encode()

    def _xml(self, process: Process, number: int) -> str:
        thread = self._known(process).get(number)
        state = "" if thread is None else escape(thread.state)
        name = quoteattr(self.title(process))
        return f'<thread id="p{process.pid:x}.{number:x}" core="0" name={name}>{state}</thread>'


def parse_thread(text: bytes) -> tuple[int | None, int | None]:
    """Read ``p1.1``, ``1``, ``p-1.-1``, ``0``: process and thread, None for any. Raises ValueError."""
    if not text.startswith(b"p"):
        return None, None  # threads without processes: there is the machine alone
    pid, _, number = text[1:].partition(b".")
    return _positive(pid), _positive(number) if number else None


def _positive(text: bytes) -> int | None:
    value = int(text, 16)
    return value if value > 0 else None
