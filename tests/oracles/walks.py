# SPDX-License-Identifier: GPL-2.0-or-later
"""One walk by the native reader of translation tables and by the slow one, in comparable words."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from oracles.arm_walk import ArmRegisters
    from oracles.walk import Registers

WORDS_BEFORE_ENTRIES, LEVELS_MOST = 9, 4  # models_probe.c


def walk_both(
    library: ctypes.CDLL, ram: bytearray, registers: Registers | ArmRegisters, vaddr: int
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Return what the native walk and the oracle's find.

    That is whether there is a mapping, and the entries read; where there is one, its physical address, its
    size, whether it may be written, is the user's, may not be executed and is global, and how many entries
    cost nothing.
    """
    buffer = (ctypes.c_char * len(ram)).from_buffer(ram)
    out = (ctypes.c_uint64 * (WORDS_BEFORE_ENTRIES + 2 * LEVELS_MOST))()
    state = (ctypes.c_uint64 * 4)(*registers.words())
    library.probe_walk(ctypes.addressof(buffer), len(ram), state, vaddr, out)
    words, levels = out[:WORDS_BEFORE_ENTRIES], out[7]
    entries = [(out[9 + 2 * level], out[10 + 2 * level]) for level in range(levels)]
    e = registers.walk(ram, vaddr)
    found: tuple[Any, ...] = (bool(words[0]), entries)
    expected: tuple[Any, ...] = (e.present, e.entries)
    if words[0]:
        found += (words[1], words[2], *map(bool, words[3:7]), words[8])
    if e.present:
        expected += (e.paddr, e.page_shift, e.writable, e.user, e.nx, e.is_global, e.uncharged)
    return found, expected
