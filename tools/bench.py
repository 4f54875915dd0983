# SPDX-License-Identifier: GPL-2.0-or-later
"""``make bench``: how fast either machine runs, on two guests, as medians of alternating runs.

- *throughput*: ordinary code under 4 KiB paging, more than 0.2 memory accesses per instruction, blocks of
  five to six instructions, a working set larger than the modelled L2 (tests/guest/bench, throughput.c);
- *crossings*: a bare loop of system calls in user mode (crossings.c).

Each run is a process of its own, so that one leaves nothing behind for the next; runs of the configurations
take turns, so that a drift of the host's speed meets all of them.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from ringscope.bootimage import BootRequest
from ringscope.emulator.machine import Machine, MachineConfig
from ringscope.tools import bench_qemu, bench_scale
from ringscope.tools.options import ARCHITECTURES

GUESTS = Path(__file__).resolve().parents[1] / "build" / "tests" / "guest"
CROSSINGS = 1_000_000
KINDS = (("throughput", "timing"), ("throughput", "functional"), ("crossings", "timing"))


class Configuration(NamedTuple):
    """What is run, and how."""

    arch: str
    guest: str
    fidelity: str

    @property
    def name(self) -> str:
        """What the table calls it."""
        return f"{self.arch} {self.guest} {self.fidelity}"

    @property
    def image(self) -> Path:
        """The guest's boot image, which the Makefile has built."""
        folder = GUESTS if self.arch == "x86_64" else GUESTS / self.arch
        return folder / f"{self.guest}.img"


def run_once(configuration: Configuration, millions: int) -> dict[str, float]:
    """Boot a guest once; return seconds to the first instruction, seconds of running, instructions, memory.

    ``beside_ram`` is the most memory that the process had in use at a time without the guest's pages, in MiB.
    """
    start = time.perf_counter()
    config = MachineConfig(arch=configuration.arch, fidelity=configuration.fidelity)
    machine = Machine(config, lambda _: None)
    request = BootRequest(configuration.image, command_line=f"millions={millions}")
    machine.load(machine.system.read_image(request))
    ready = time.perf_counter()
    result = machine.run()
    done = time.perf_counter()
    if result.reason != "guest" or result.status != 0:
        raise SystemExit(f"bench: {configuration.name} ended with {result.reason}, status {result.status}")
    return {
        "start": ready - start,
        "seconds": done - ready,
        "instructions": machine.books().total("instructions"),
        "beside_ram": bench_scale.beside(machine.engine.ram),
    }


def _measure(configuration: Configuration, millions: int) -> dict[str, float]:
    command = [
        sys.executable,
        "-m",
        "ringscope.tools.bench",
        "--once",
        *configuration,
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


def _row(configuration: Configuration, runs: list[dict[str, float]]) -> tuple[str, ...]:
    rates = sorted(_rate(run, configuration.guest) for run in runs)
    unit = "M trips/s" if configuration.guest == "crossings" else "M instr/s"
    median = f"{statistics.median(rates):.2f}"
    return (
        configuration.name,
        median,
        f"{rates[0]:.2f}..{rates[-1]:.2f}",
        unit,
        f"{statistics.median(r['start'] for r in runs):.3f}",
        f"{max(r['beside_ram'] for r in runs):.0f}",
    )


def _once(options: argparse.Namespace) -> int:
    if options.one_processor:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print(json.dumps(run_once(Configuration(*options.once), options.millions)))
    return 0


def main(argv: list[str] | None = None) -> int:
    """Run the benchmarks and print a table; a start lasts until the first instruction."""
    parser = argparse.ArgumentParser(
        prog="ringscope-bench", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    parser.add_argument("--runs", type=int, default=5, help="counted runs of each configuration (default 5)")
    parser.add_argument(
        "--millions", type=int, default=200, help="length of throughput, in 10^6 instructions"
    )
    parser.add_argument("--json", type=Path, help="write the runs to a file")
    parser.add_argument("--arch", choices=ARCHITECTURES, help="measure one machine only")
    parser.add_argument(
        "--qemu", action="store_true", help="compare with QEMU, plain and with its cache plugin"
    )
    parser.add_argument(
        "--scale",
        type=int,
        nargs="?",
        const=bench_scale.LARGEST,
        choices=range(bench_scale.SMALLEST, bench_scale.LARGEST + 1),
        metavar="POWER",
        help="measure runs of 10^7 instructions to 10^POWER (default 10)",
    )
    parser.add_argument("--once", nargs=3, metavar=("ARCH", "GUEST", "FIDELITY"), help=argparse.SUPPRESS)
    parser.add_argument("--one-processor", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.once:
        return _once(options)
    architectures = [options.arch] if options.arch else ARCHITECTURES
    if options.qemu:
        return bench_qemu.compare(architectures, options.runs, options.millions)
    chosen = [Configuration(arch, *kind) for arch in architectures for kind in KINDS]
    missing = [configuration.image for configuration in chosen if not configuration.image.exists()]
    if missing:
        print(f"bench: {missing[0]} is not built; run `make bench`", file=sys.stderr)
        return 2
    if options.scale is not None:
        named = {each.name: each for each in chosen if each.guest == "throughput"}
        return bench_scale.scale(
            list(named), lambda name, millions: _measure(named[name], millions), options.scale
        )
    runs: dict[str, list[dict[str, Any]]] = {configuration.name: [] for configuration in chosen}
    for turn in range(options.runs + 1):
        for configuration in chosen:
            run = _measure(configuration, options.millions)
            if turn:  # the first turn warms the host's caches
                runs[configuration.name].append(run)
    table = Table("machine, guest, fidelity", "median", "range", "unit", "start, s", "MiB beside RAM")
    for configuration in chosen:
        table.add_row(*_row(configuration, runs[configuration.name]))
    Console().print(table)
    if options.json:
        options.json.write_text(json.dumps(runs, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
