# SPDX-License-Identifier: GPL-2.0-or-later
"""Nanoseconds per access of the native models, by what the access meets: `python tests/oracles/speed.py`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from oracles.native import Probe, load_library
from oracles.walk import LMA, PAE, PG
from ringscope.emulator.timing.native_config import fields
from ringscope.emulator.timing.profile import load

BASE = 1 << 20
#: What is met, and how: bytes from access to access, accesses after which they repeat, how many are timed.
PATTERNS = (
    ("line and page used last", 0, 1, 20_000_000),
    ("sequential 8 bytes over 16 KiB", 8, 2048, 20_000_000),
    ("L1 hit in the fourth way", 64, 256, 20_000_000),
    ("L1 hit in the last way", 64, 512, 20_000_000),
    ("L2 hit", 64, 2048, 5_000_000),
    ("LLC hit", 64, 16384, 5_000_000),
    ("second-level TLB and L2 hit", 4096 + 64, 1000, 5_000_000),
    ("page walk from L2", 4096 + 64, 2000, 2_000_000),
)


def identity_tables(size: int) -> bytearray:
    """Return RAM with tables at 0x1000 that map the first ``size`` bytes onto themselves by 4 KiB."""
    ram = bytearray(BASE)
    tables = {0x1000: 0x2001, 0x2000: 0x3001}
    for number in range(size >> 21):
        table = 0x10000 + 4096 * number
        tables[0x3000 + 8 * number] = table | 1
        tables |= {table + 8 * n: (512 * number + n) << 12 | 1 for n in range(512)}
    for address, entry in tables.items():
        ram[address : address + 8] = entry.to_bytes(8, "little")
    return ram


def main() -> None:
    """Print one line per pattern: the best of three."""
    library, config = load_library(), fields(load("skylake"))
    ram = identity_tables(16 << 20)
    for name, stride, ring, count in PATTERNS:
        probe = Probe(library, config)
        probe.use_ram(ram)
        probe.state(PG, 0x1000, PAE, LMA)
        probe.time_accesses(BASE, stride, ring, 3 * ring)
        best = min(probe.time_accesses(BASE, stride, ring, count) for _ in range(3)) / count
        print(f"{name:32} {best:6.1f} ns")


if __name__ == "__main__":
    main()
