# SPDX-License-Identifier: GPL-2.0-or-later
"""The programs on the host, in a process of their own.

``python -m ringscope.tools.validation.host FILE`` loads the file as the machine does, runs every program,
and prints as JSON what each returned and the cycles of its runs. They are the core's own where the host
lends its counter (cycle_counter.py); what reading it takes is that of an empty program, and taken off. Else
they are time-stamp ticks, scaled by a chain of dependent additions just before and after, which tells how
many ticks a cycle of the core has just then, whatever its clock does; a run beside a chain that took longer
than the others is none. Every run follows another one of the same program, as on the machine.
"""

from __future__ import annotations

import ctypes
import json
import mmap
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ringscope.tools.validation.cycle_counter import Counter, NoCounter
from ringscope.tools.validation.suite import CASES, MEMORY_BYTES, Image, memory_at_start

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

u64 = ctypes.c_uint64
#: By what a host's cycles are known.
CORE = "the core's own counter of cycles"
SCALED = "the time-stamp counter, scaled by chains of additions"
CHAIN_CYCLES = 16384  # harness.S: so many additions, one after the other
RUNS = 40
KEPT_AT_LEAST = 15
AGREEMENT = 0.02  # by which a chain before or after a run may be longer than the shortest


class HostError(Exception):
    """The host could not be measured; the message is a sentence."""


@dataclass(frozen=True)
class Native:
    """A program on the host: the fewest cycles of its runs, how far the middle one is above, and its result.

    ``kept`` counts the runs whose cycles are known, ``spread`` is the median's excess over the minimum.
    """

    cycles: float
    spread: float
    kept: int
    result: int


def cycles(runs: Sequence[tuple[int, int, int]]) -> list[float | None]:
    """Return the cycles of each run of a program: None where a chain, before it or after it, was disturbed.

    That one is longer by more than AGREEMENT than the shortest of them all: the core's clock was another, or
    somebody else ran on the core.
    """
    longest = min(min(before, after) for before, _, after in runs) * (1 + AGREEMENT)
    return [
        ticks * CHAIN_CYCLES / ((before + after) / 2) if max(before, after) <= longest else None
        for before, ticks, after in runs
    ]


class Programs:
    """The file in this process's memory, as the machine has it."""

    def __init__(self, path: Path) -> None:
        """Load the file."""
        image = Image.read(path)
        rights = mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
        self._code = mmap.mmap(-1, len(image.data), prot=rights)
        self._code.write(image.data)
        self.memory = mmap.mmap(-1, MEMORY_BYTES, prot=mmap.PROT_READ | mmap.PROT_WRITE)
        self.memory.madvise(mmap.MADV_NOHUGEPAGE)  # the machine maps pages of 4 KiB
        self._at = ctypes.addressof(ctypes.c_char.from_buffer(self._code)) - image.base
        self._functions = image.functions
        self.place = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))

    def address(self, name: str) -> int:
        """Return where a function is."""
        return self._at + self._functions[name]

    def function(self, name: str) -> Callable[[int, int], int]:
        """Return a program, or what prepares one: a function of the memory's address and a count."""
        return ctypes.CFUNCTYPE(u64, u64, u64)(self.address(name))


Run = tuple[float | None, int]  # cycles, None where they are not known, and what the program returned


def by_counter(programs: Programs, counter: Counter, name: str, count: int) -> Iterator[Run]:
    """Yield runs of a program, in cycles that the host counted. Raises NoCounter."""
    program, nothing = programs.function(name), programs.function("host_nothing")

    def spent(function: Callable[[int, int], int]) -> tuple[int, int]:
        function(programs.place, count)  # behind itself, as host_time_again does
        before = counter.read()
        result = function(programs.place, count)
        return counter.read() - before, result

    beside = min(spent(nothing)[0] for _ in range(RUNS))
    for _ in range(RUNS):
        cycles, result = spent(program)
        yield cycles - beside, result


def by_ticks(programs: Programs, name: str, count: int) -> Iterator[Run]:
    """Yield runs of a program, in cycles that chains of additions make out of ticks."""
    out = (u64 * 3)()
    time = ctypes.CFUNCTYPE(u64, u64, u64, u64, ctypes.POINTER(u64))(programs.address("host_time_again"))
    results, runs = [], []
    for _ in range(RUNS):
        results.append(time(programs.address(name), programs.place, count, out))
        runs.append((out[0], out[1], out[2]))
    yield from zip(cycles(runs), results, strict=True)


def _time_all(path: Path) -> dict[str, object]:
    programs = Programs(path)
    try:
        counter = Counter()
        source = CORE
    except NoCounter:
        counter, source = None, SCALED
    found: dict[str, object] = {}
    for case in CASES:
        name = f"program_{case.function}"
        programs.memory[:] = memory_at_start()
        if case.prepare is not None:
            programs.function(f"prepare_{case.prepare}")(programs.place, case.count)
        programs.function(name)(programs.place, case.count)  # warm
        runs = by_ticks(programs, name, case.count)
        if counter is not None:
            runs = by_counter(programs, counter, name, case.count)
        taken, results = zip(*runs, strict=True)
        found[case.name] = {"result": results[-1], "runs": taken}
    return {"source": source, "programs": found}


def measure(path: Path, rounds: int = 12) -> tuple[str, dict[str, Native]]:
    """Time the programs in processes of their own, one after another; return by what, and what they took.

    Raises HostError where fewer than KEPT_AT_LEAST runs of a program are left.
    """
    kept: dict[str, list[float]] = {}
    results: dict[str, int] = {}
    for _ in range(rounds):
        command = [sys.executable, "-m", "ringscope.tools.validation.host", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise HostError(f"the programs did not run on this host: {done.stderr.strip()[-200:]}")
        found = json.loads(done.stdout)
        for name, answer in found["programs"].items():
            kept.setdefault(name, []).extend(taken for taken in answer["runs"] if taken is not None)
            results[name] = answer["result"]
    for name, runs in kept.items():
        if len(runs) < KEPT_AT_LEAST:
            raise HostError(
                f"{name}: the clock changed during all but {len(runs)} runs, and {KEPT_AT_LEAST} are needed; "
                "try again when the host has less to do"
            )
    natives = {
        name: Native(min(runs), sorted(runs)[len(runs) // 2] / min(runs) - 1, len(runs), results[name])
        for name, runs in kept.items()
    }
    return found["source"], natives


if __name__ == "__main__":
    print(json.dumps(_time_all(Path(sys.argv[1]))))
