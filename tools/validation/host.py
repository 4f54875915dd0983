# SPDX-License-Identifier: GPL-2.0-or-later
"""The programs on the host, in a process of their own.

``python -m ringscope.tools.validation.host FILE`` loads the file as the machine does, times every program,
and prints the runs as JSON: for each program what it returned and triples of time-stamp ticks: of a chain of
dependent additions before, of the program, and of the chain after. The chain tells how many ticks a cycle of
the core has just then, whatever its clock does.
"""

from __future__ import annotations

import ctypes
import json
import mmap
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from ringscope.tools.validation.suite import CASES, MEMORY_BYTES, Image, memory_at_start

CHAIN_CYCLES = 16384  # harness.S: so many additions, one after the other
RUNS = 40
KEPT_AT_LEAST = 15
AGREEMENT = 0.02  # by which the chains before and after a run may differ


class HostError(Exception):
    """The host could not be measured; the message is a sentence."""


@dataclass(frozen=True)
class Native:
    """A program on the host: the fewest cycles of its runs, how far the middle one is above, and its result.

    ``kept`` counts the runs whose two chains agreed, ``spread`` is the median's excess over the minimum.
    """

    cycles: float
    spread: float
    kept: int
    result: int


def cycles(run: tuple[int, int, int]) -> float | None:
    """Return the cycles of a run, or None if the core's clock changed meanwhile."""
    before, ticks, after = run
    if abs(before - after) > AGREEMENT * min(before, after):
        return None
    return ticks * CHAIN_CYCLES / ((before + after) / 2)


def _time_all(path: Path) -> dict[str, object]:
    image = Image.read(path)
    rights = mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
    code = mmap.mmap(-1, len(image.data), prot=rights)
    code.write(image.data)
    memory = mmap.mmap(-1, MEMORY_BYTES, prot=mmap.PROT_READ | mmap.PROT_WRITE)
    memory.madvise(mmap.MADV_NOHUGEPAGE)  # the machine maps pages of 4 KiB
    at = ctypes.addressof(ctypes.c_char.from_buffer(code)) - image.base
    place = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    u64 = ctypes.c_uint64
    time = ctypes.CFUNCTYPE(u64, u64, u64, u64, ctypes.POINTER(u64))(at + image.functions["host_time"])
    out = (u64 * 3)()
    found: dict[str, object] = {}
    for case in CASES:
        memory[:] = memory_at_start()
        if case.prepare is not None:
            ctypes.CFUNCTYPE(u64, u64, u64)(at + image.functions[f"prepare_{case.prepare}"])(
                place, case.count
            )
        runs, result = [], 0
        for _ in range(RUNS + 1):
            result = time(at + image.functions[f"program_{case.function}"], place, case.count, out)
            runs.append(tuple(out))
        found[case.name] = {"result": result, "runs": runs[1:]}
    return found


def measure(path: Path, rounds: int = 3) -> dict[str, Native]:
    """Time the programs in processes of their own, several after one another.

    Raises HostError where fewer than KEPT_AT_LEAST runs of a program are left.
    """
    kept: dict[str, list[float]] = {}
    results: dict[str, int] = {}
    for _ in range(rounds):
        command = [sys.executable, "-m", "ringscope.tools.validation.host", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise HostError(f"the programs did not run on this host: {done.stderr.strip()[-200:]}")
        for name, answer in json.loads(done.stdout).items():
            counted = [taken for run in answer["runs"] if (taken := cycles(tuple(run))) is not None]
            kept.setdefault(name, []).extend(counted)
            results[name] = answer["result"]
    for name, runs in kept.items():
        if len(runs) < KEPT_AT_LEAST:
            raise HostError(
                f"{name}: the clock changed during all but {len(runs)} runs, and {KEPT_AT_LEAST} are needed; "
                "try again when the host has less to do"
            )
    return {
        name: Native(min(runs), sorted(runs)[len(runs) // 2] / min(runs) - 1, len(runs), results[name])
        for name, runs in kept.items()
    }


if __name__ == "__main__":
    print(json.dumps(_time_all(Path(sys.argv[1]))))
