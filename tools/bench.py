# SPDX-License-Identifier: GPL-2.0-or-later
"""``make bench``: how fast the machine runs, on two guests, as medians of alternating runs.

- *throughput*: ordinary code under 4 KiB paging, 0.21 memory accesses per instruction, blocks of six
  instructions, a working set of 2 MiB (tests/guest/bench/throughput.c);
- *crossings*: a bare SYSCALL/SYSRETQ loop in ring 3 (crossings.c).

Each run is a process of its own, so that one leaves nothing behind for the next; runs of the configurations
take turns, so that a drift of the host's speed meets all of them.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from ringscope.bootimage import BootRequest, MemoryLayout, MemoryRegion, load
from ringscope.emulator.machine import Machine, MachineConfig

GUESTS = Path(__file__).resolve().parents[1] / "build" / "tests" / "guest"
CROSSINGS = 1_000_000
CONFIGURATIONS = (
    ("throughput, timing", "throughput", "timing"),
    ("throughput, functional", "throughput", "functional"),
    ("crossings, timing", "crossings", "timing"),
)


def run_once(guest: str, fidelity: str, millions: int) -> dict[str, float]:
    """Boot a guest once and return seconds to the first instruction, seconds of running and instructions."""
    start = time.perf_counter()
    machine = Machine(MachineConfig(fidelity=fidelity), lambda _: None)
    ram = machine.config.ram_bytes
    layout = MemoryLayout(ram, tuple(MemoryRegion(*part) for part in machine.board.memory_map(ram)))
    request = BootRequest(GUESTS / f"{guest}.img", command_line=f"millions={millions}")
    machine.load(load(request, layout))
    ready = time.perf_counter()
    result = machine.run()
    done = time.perf_counter()
    if result.reason != "guest" or result.status != 0:
        raise SystemExit(f"bench: {guest} ended with {result.reason}, status {result.status}")
    return {
        "start": ready - start,
        "seconds": done - ready,
        "instructions": machine.books().total("instructions"),
    }


def _measure(guest: str, fidelity: str, millions: int) -> dict[str, float]:
    command = [
        sys.executable,
        "-m",
        "ringscope.tools.bench",
        "--once",
        guest,
        fidelity,
        "--millions",
        str(millions),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"bench: {done.stderr.strip()}")
    answer: dict[str, float] = json.loads(done.stdout)
    return answer


def _rate(run: dict[str, float], guest: str) -> float:
    """Return millions of instructions, or of round trips, per second."""
    work = CROSSINGS if guest == "crossings" else run["instructions"]
    return work / run["seconds"] / 1e6


def _row(name: str, guest: str, runs: list[dict[str, float]]) -> tuple[str, ...]:
    rates = sorted(_rate(run, guest) for run in runs)
    unit = "M round trips/s" if guest == "crossings" else "M instructions/s"
    median = f"{statistics.median(rates):.2f}"
    return (
        name,
        median,
        f"{rates[0]:.2f} to {rates[-1]:.2f}",
        unit,
        f"{statistics.median(r['start'] for r in runs):.3f}",
    )


def main(argv: list[str] | None = None) -> int:
    """Run the benchmarks and print a table."""
    parser = argparse.ArgumentParser(
        prog="ringscope-bench", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    parser.add_argument("--runs", type=int, default=5, help="counted runs of each configuration (default 5)")
    parser.add_argument(
        "--millions", type=int, default=200, help="length of throughput, in 10^6 instructions"
    )
    parser.add_argument("--json", type=Path, help="write the runs to a file")
    parser.add_argument("--once", nargs=2, metavar=("GUEST", "FIDELITY"), help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.once:
        guest, fidelity = options.once
        print(json.dumps(run_once(guest, fidelity, options.millions)))
        return 0
    missing = [guest for _, guest, _ in CONFIGURATIONS if not (GUESTS / f"{guest}.img").exists()]
    if missing:
        print(f"bench: {GUESTS / missing[0]}.img is not built; run `make bench`", file=sys.stderr)
        return 2
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name, _, _ in CONFIGURATIONS}
    for turn in range(options.runs + 1):
        for name, guest, fidelity in CONFIGURATIONS:
            run = _measure(guest, fidelity, options.millions)
            if turn:  # the first turn warms the host's caches
                runs[name].append(run)
    table = Table("guest and fidelity", "median", "range", "unit", "seconds to the first instruction")
    for name, guest, _ in CONFIGURATIONS:
        table.add_row(*_row(name, guest, runs[name]))
    Console().print(table)
    if options.json:
        options.json.write_text(json.dumps(runs, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
