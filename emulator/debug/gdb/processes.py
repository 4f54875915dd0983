# SPDX-License-Identifier: GPL-2.0-or-later
"""Address spaces as processes of gdb, and the one processor as the thread of each.

Process 1 is the machine: ring 0 and whatever address space is in force; what is set through it counts in all.
Every address space in which user code was seen is one more, numbered as they are found; what is set through
it counts in that space alone. Each has one thread, 1. Source: Debugging with GDB, appendix E, "Thread Ids".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

MACHINE, THREAD = 1, 1


@dataclass(frozen=True)
class Process:
    """One process. ``space`` is the root of its address space, None for the machine."""

    pid: int
    space: int | None


class Processes:
    """Those there are. ``name_of`` returns the program that runs in a space, None if nobody knows it."""

    def __init__(self, name_of: Callable[[int], str | None]) -> None:
        """Know the machine."""
        self._name_of = name_of
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

    def xml(self, pids: Collection[int]) -> bytes:
        """Return the document that tells gdb of the threads of some processes."""
        threads = "".join(
            f'<thread id="p{process.pid:x}.{THREAD:x}" core="0" name={quoteattr(self.title(process))}/>'
            for process in self._all
            if process.pid in pids
        )
        return f'<?xml version="1.0"?><threads>{threads}</threads>'.encode()


def parse_thread(text: bytes) -> int | None:
    """Read ``p1.1``, ``1``, ``p-1.-1``, ``0``: the process meant, None for any. Raises ValueError."""
    if not text.startswith(b"p"):
        return None  # threads without processes: there is the machine alone
    pid = int(text[1:].partition(b".")[0], 16)
    return pid if pid > 0 else None
