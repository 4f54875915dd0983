# SPDX-License-Identifier: GPL-2.0-or-later
"""``make bench ARGS=--qemu``: the same guest under QEMU, plain and with its `cache` plugin with L1 and L2.

What is compared is real time; each figure is the difference of a long and a short run, so that starting does
not count. Runs take turns, and the ratios are those of medians. With the models this machine uses a second
processor where there is one, and is measured on a single one, too.

The plugin is not in Debian's packages: it is built from Debian's own source of the QEMU installed here
(build/qemu_plugin.py).
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from ringscope.tools.build.compiler import ROOT
from ringscope.tools.build.qemu_plugin import PluginMissing, cache_plugin

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

GUESTS = ROOT / "build" / "tests" / "guest"
SCRATCH = ROOT / "build" / "bench"
GUEST = "throughput"
SHORT = 5  # the short run is this part of the long one
WITHOUT_MODELS = ("ringscope, functional", "QEMU")
LONGER = 5  # times the instructions for these


@dataclass(frozen=True)
class Pair:
    """The guest program of an architecture, which both machines boot, and how QEMU is told."""

    arch: str
    qemu: tuple[str, ...]

    @property
    def image(self) -> Path:
        """Where the program is built."""
        folder = GUESTS if self.arch == "x86_64" else GUESTS / self.arch
        return folder / f"{GUEST}.img"


COMMON = ("-display", "none", "-no-reboot", "-monitor", "none", "-m", "64")
PAIRS = (
    Pair(
        "x86_64",
        ("qemu-system-x86_64", "-cpu", "max", "-serial", "none", "-device", "isa-debug-exit,iobase=0xf4"),
    ),
    Pair(
        "aarch64",
        ("qemu-system-aarch64", "-machine", "virt", "-cpu", "cortex-a57", "-serial", "null"),
    ),
)


def _ours(pair: Pair, fidelity: str, millions: int, *more: str) -> float:
    """Return the seconds of a run of this machine, from its first instruction to its last."""
    once = ("-m", "ringscope.tools.bench", "--once", pair.arch, GUEST, fidelity, "--millions", str(millions))
    seconds: float = json.loads(_output([sys.executable, *once, *more]))["seconds"]
    return seconds


def _qemu(pair: Pair, plugin: Path | None, millions: int) -> float:
    """Return the seconds that QEMU takes for it, with its start."""
    command = [*pair.qemu, *COMMON, "-kernel", str(pair.image), "-append", f"millions={millions}"]
    if plugin is not None:
        command += ["-plugin", f"{plugin},l2=on", "-d", "plugin", "-D", os.devnull]
    start = time.perf_counter()
    _output(command)
    return time.perf_counter() - start


def _output(command: list[str]) -> bytes:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode not in (0, 1):  # QEMU's debug exit makes status 0 a 1
        complaint = done.stderr.decode(errors="replace")
        raise SystemExit(f"bench: {command[0]} ended with status {done.returncode}: {complaint}")
    return done.stdout


def _ways(pair: Pair, plugin: Path | None) -> dict[str, Callable[[int], float]]:
    ways: dict[str, Callable[[int], float]] = {
        "ringscope, timing": lambda millions: _ours(pair, "timing", millions),
        "the same on one processor": lambda millions: _ours(pair, "timing", millions, "--one-processor"),
        "QEMU, cache plugin": lambda millions: _qemu(pair, plugin, millions),
        "ringscope, functional": lambda millions: _ours(pair, "functional", millions * LONGER),
        "QEMU": lambda millions: _qemu(pair, None, millions * LONGER),
    }
    if plugin is None:
        del ways["QEMU, cache plugin"]
    return ways


def _rates(pair: Pair, plugin: Path | None, runs: int, millions: int) -> dict[str, list[float]]:
    """Return millions of guest instructions per second, by way, ``runs`` of each.

    A pair of which the long run took no longer than the short one was disturbed, and is done again.
    """
    ways = _ways(pair, plugin)
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(runs):
        for name, take in ways.items():
            seconds = 0.0
            while seconds <= 0:
                seconds = take(millions) - take(millions // SHORT)
            work = (millions - millions // SHORT) * (LONGER if name in WITHOUT_MODELS else 1)
            rates[name].append(work / seconds)
    return rates


def _say(sentence: str) -> None:
    print(f"bench: {sentence}", file=sys.stderr)


def compare(architectures: Sequence[str], runs: int, millions: int) -> int:
    """Print a table of the architectures asked for; say in a sentence what cannot be measured here."""
    plugin = None
    try:
        plugin = cache_plugin(SCRATCH)
    except PluginMissing as missing:
        _say(f"QEMU's cache plugin cannot be had here: {missing}")
    table = Table("guest", "machine", "median", "range", "ratio")
    for pair in (pair for pair in PAIRS if pair.arch in architectures):
        if not pair.image.exists():
            _say(f"there is no {GUEST} for {pair.arch}, so it is not compared")
            continue
        if shutil.which(pair.qemu[0]) is None:
            _say(f"{pair.qemu[0]} is not installed, so {pair.arch} is not compared")
            continue
        rates = _rates(pair, plugin, runs, millions)
        medians = {name: statistics.median(values) for name, values in rates.items()}
        against = {
            "ringscope, timing": "QEMU, cache plugin",
            "the same on one processor": "QEMU, cache plugin",
            "ringscope, functional": "QEMU",
        }
        for name, values in rates.items():
            other = medians.get(against.get(name, ""))
            ratio = "" if other is None else f"{medians[name] / other:.2f} of {against[name]}"
            spread = f"{min(values):.0f} to {max(values):.0f}"
            table.add_row(f"{pair.arch} {GUEST}", name, f"{medians[name]:.0f}", spread, ratio)
    Console().print(table)
    print("in millions of guest instructions per second")
    return 0
