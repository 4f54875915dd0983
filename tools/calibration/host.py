# SPDX-License-Identifier: GPL-2.0-or-later
"""The snippets on the host, in a process of their own: ``python -m ringscope.tools.calibration.host FILE``.

FILE has the harness that times a function against a chain of dependent additions
(``validation/harness.S``). Prints the figures as JSON: cycles by what they are of.
"""

from __future__ import annotations

import ctypes
import json
import mmap
import random
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import keystone

from ringscope.tools.calibration.snippets import (
    BRANCH,
    CALL,
    CHASE,
    COPIES,
    CROSSING,
    FORWARD,
    LATENCIES,
    SCALED,
    STORES,
    SWEEP,
    TAKEN,
    THROUGHPUTS,
    VECTOR,
    Snippet,
)
from ringscope.tools.validation.host import CHAIN_CYCLES, cycles
from ringscope.tools.validation.suite import Image

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

RUNS = 60
TRIES = 20  # times RUNS, until one of them was not disturbed
ROUNDS = 400
LINE, PAGE, KIB, MIB = 64, 4096, 1 << 10, 1 << 20
BRANCHES = 8192
#: Bytes of the rings that find the levels' latencies: well inside each of them.
LADDER = {"l1": 16 * KIB, "l2": 192 * KIB, "llc": 1 * MIB}
FAR = range(0, 128 * MIB, 128)  # lines of memory proper
PAGES = (16, 32, 48, 64, 80, 96, 128, 256, 512)
STEPS = 16384

u64 = ctypes.c_uint64


class Host:
    """Memory and code of this process, and the harness."""

    def __init__(self, harness: Path) -> None:
        """Load the harness."""
        image = Image.read(harness)
        rights = mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
        self._code = mmap.mmap(-1, len(image.data) + MIB, prot=rights)
        self._code.write(image.data)
        self._base = ctypes.addressof(ctypes.c_char.from_buffer(self._code))
        self._free = self._base + (len(image.data) // 4096 + 2) * 4096  # of a page: code is aligned by itself
        entry = self._base - image.base + image.functions["host_time"]
        self._time = ctypes.CFUNCTYPE(u64, u64, u64, u64, ctypes.POINTER(u64))(entry)
        self._assembler = keystone.Ks(keystone.KS_ARCH_X86, keystone.KS_MODE_64)

    def fastest(
        self,
        source: str,
        memory: int | Sequence[int],
        count: int,
        before: Callable[[], object] = lambda: None,
    ) -> float:
        """Return the fewest cycles that a function took; those of an empty one are taken off.

        ``memory`` is its argument, or one for each run in turn. ``before`` is called before each run.
        """
        places = [memory] if isinstance(memory, int) else memory
        return self._fastest(source, places, count, before) - self._fastest("ret", places, count, before)

    def _place(self, source: str) -> None:
        code, _ = self._assembler.asm(source, self._free, as_bytes=True)
        ctypes.memmove(self._free, code, len(code))

    def _fastest(self, source: str, places: Sequence[int], count: int, before: Callable[[], object]) -> float:
        self._place(source)
        out, runs = (u64 * 3)(), list[tuple[int, int, int]]()
        for run in range(RUNS * TRIES):
            before()
            self._time(self._free, places[run % len(places)], count, out)
            runs.append((out[0], out[1], out[2]))
            if len(runs) % RUNS:
                continue
            found = [taken for taken in cycles(runs) if taken is not None]
            if found:
                return min(found)
        raise SystemExit("the clock changed in every run; try again when the host has less to do")

    def ticks(self) -> float:
        """Return the core's cycles in a second, from the time-stamp counter's ticks in one."""
        out = (u64 * 3)()
        ratios = []
        self._place("ret")
        for _ in range(RUNS):
            self._time(self._free, 0, 1, out)
            ratios.append(CHAIN_CYCLES / min(out[0], out[2]))
        self._place("rdtsc; shl rdx, 32; or rax, rdx; ret")
        read = ctypes.CFUNCTYPE(u64)(self._free)
        begin, first = time.perf_counter(), read()
        time.sleep(0.2)
        end, last = time.perf_counter(), read()
        return float(max(ratios) * (last - first) / (end - begin))


def of_one(host: Host, snippet: Snippet, memory: int) -> float:
    """Return the cycles of one operation of a snippet."""
    numbered = snippet.source
    if "{n}" in snippet.body:
        bodies = ";".join(snippet.body.replace("{n}", str(number)) for number in range(COPIES))
        numbered = f"again: {bodies}; dec rsi; jnz again; ret"
    whole = host.fastest(numbered, memory, ROUNDS)
    return (whole / (ROUNDS * COPIES) - snippet.beside) / snippet.operations


def chase(host: Host, memory: mmap.mmap, place: int, offsets: Sequence[int]) -> float:
    """Return the cycles of a load that waits for the one before, round a ring of places in random order.

    A ring longer than STEPS is gone round in pieces, a different one each time.
    """
    order = list(offsets)
    random.Random(7).shuffle(order)  # noqa: S311 (not a secret)
    for at, following in zip(order, [*order[1:], order[0]], strict=True):
        memory[at : at + 8] = (place + following).to_bytes(8, "little")
    starts = [place + at for at in order[::STEPS]]
    return host.fastest(CHASE, starts, STEPS) / STEPS


def measure(harness: Path, say: Callable[[str], None]) -> dict[str, object]:
    """Measure all there is; ``say`` is told what comes next."""
    host = Host(harness)
    memory = mmap.mmap(-1, FAR.stop + 2 * MIB)
    memory.madvise(mmap.MADV_HUGEPAGE)
    place = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    say("operations")
    figures: dict[str, object] = {
        "frequency": host.ticks(),
        "latency": {snippet.path: of_one(host, snippet, place) for snippet in LATENCIES},
        "throughput": {snippet.path: of_one(host, snippet, place) for snippet in THROUGHPUTS},
        "stores": {snippet.path: of_one(host, snippet, place) for snippet in STORES},
        "loads": {snippet.path: of_one(host, snippet, place) for snippet in (SCALED, VECTOR)},
        "forward": of_one(host, FORWARD, place),
        "taken_interval": of_one(host, TAKEN, place),
        "call_interval": of_one(host, CALL, place),
        "crossing": of_one(host, CROSSING, place),
    }
    say("branches")
    memory[: BRANCHES + 1] = bytes(BRANCHES + 1)
    foreseen = host.fastest(BRANCH, place, BRANCHES)
    noise = random.Random(11)  # noqa: S311 (not a secret)

    def new_bytes() -> None:  # what was learnt is of no use
        memory[: BRANCHES + 1] = noise.randbytes(BRANCHES + 1)

    unforeseen = host.fastest(BRANCH, place, BRANCHES, new_bytes)
    figures["branches"] = {"foreseen": foreseen / BRANCHES, "unforeseen": unforeseen / BRANCHES}
    say("caches")
    figures["ladder"] = {
        **{name: chase(host, memory, place, range(0, size, LINE)) for name, size in LADDER.items()},
        "memory": chase(host, memory, place, FAR),
    }
    figures["sweep"] = {
        name: host.fastest(SWEEP, place, LADDER[name] // LINE) * LINE / LADDER[name] for name in ("l2", "llc")
    }
    say("translations")
    small = mmap.mmap(-1, max(PAGES) * PAGE)
    small.madvise(mmap.MADV_NOHUGEPAGE)
    at = ctypes.addressof(ctypes.c_char.from_buffer(small))
    figures["pages"] = {
        count: chase(host, small, at, [page * PAGE + page % 60 * LINE for page in range(count)])
        for count in PAGES
    }
    return figures


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]), lambda step: print(step, file=sys.stderr))))
