# SPDX-License-Identifier: GPL-2.0-or-later
"""``make bench ARGS=--scale``: whether a run's time grows as its instructions do, and its memory does not.

The throughput guest is run for 10^7 instructions and for every power of ten up to the largest asked for. Once
the parts of a run that come once (first decodings, filling the guest's table) are small beside the whole, an
instruction must take as long in a long run as in a short one, and memory must stay where it was.
"""

from __future__ import annotations

import ctypes
import mmap
import resource
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Run = dict[str, float]

MIB = 1 << 20
SMALLEST, LARGEST = 7, 10  # powers of ten
MOST_BEYOND_RAM = 200.0  # MiB of the host's memory that a run may take beside the guest's own


def beside(ram: mmap.mmap) -> float:
    """Return the most memory, in MiB, that this process had in use at a time without the guest's pages."""
    pages = (ctypes.c_ubyte * (len(ram) // mmap.PAGESIZE))()
    start = ctypes.byref(ctypes.c_char.from_buffer(ram))
    if ctypes.CDLL(None, use_errno=True).mincore(start, ctypes.c_size_t(len(ram)), pages):
        raise OSError(ctypes.get_errno(), "which pages of the guest are in use cannot be known")
    guest = sum(page & 1 for page in pages) * mmap.PAGESIZE
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - guest / MIB


def scale(names: Sequence[str], measure: Callable[[str, int], Run], largest: int) -> int:
    """Print a table; ``measure`` runs one of the configurations for so many millions of instructions.

    Returns 1 if a run took more memory than it may.
    """
    table = Table("machine, guest, fidelity", "instructions", "s", "ns per instruction", "MiB beside RAM")
    most = 0.0
    for name in names:
        for power in range(SMALLEST, largest + 1):
            run = measure(name, 10**power // 10**6)
            each = run["seconds"] / run["instructions"] * 1e9
            table.add_row(
                name, f"10^{power}", f"{run['seconds']:.2f}", f"{each:.2f}", f"{run['beside_ram']:.0f}"
            )
            most = max(most, run["beside_ram"])
    Console().print(table)
    if most > MOST_BEYOND_RAM:
        print(
            f"bench: {most:.0f} MiB beside the guest's RAM are more than the {MOST_BEYOND_RAM:.0f} promised"
        )
        return 1
    return 0
