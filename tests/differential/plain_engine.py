# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs code on the engine as it comes: no native core, no hook but one that counts instructions.

A program of its own: reads one case as JSON per line, writes one result per line. A case has ``memory``
({address: hex}), ``registers``, where to ``begin`` and to ``end``, and what to ``read`` ({address: bytes}).
"""

from __future__ import annotations

import json
import sys
from typing import Any

import unicorn
from unicorn import unicorn_const as constants
from unicorn import x86_const

RAM_BYTES = 8 << 20
MOST_INSTRUCTIONS = 100_000
REPEATS = (0xF2, 0xF3)
PREFIXES = frozenset((*REPEATS, 0x66, 0x67, *range(0x40, 0x50)))
STRINGS = frozenset(range(0xA4, 0xB0)) - {0xA8, 0xA9}


def number_of(name: str) -> int:
    """Return the engine's number of a register."""
    return int(getattr(x86_const, f"UC_X86_REG_{name.upper()}"))


class Counter:
    """Counts instructions; a repeated one counts once, however often the engine comes back to it."""

    def __init__(self) -> None:
        self.instructions = 0
        self._repeating: int | None = None

    def __call__(self, uc: Any, address: int, size: int, _: object) -> None:
        """See one instruction, or one element of a repeated one."""
        code = bytes(uc.mem_read(address, min(size, 15)))
        prefixes = code[: next(i for i, byte in enumerate(code) if byte not in PREFIXES)]
        repeats = any(byte in REPEATS for byte in prefixes) and code[len(prefixes)] in STRINGS
        if not (repeats and self._repeating == address):
            self.instructions += 1
        self._repeating = address if repeats else None


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Run one case in a new engine."""
    uc = unicorn.Uc(constants.UC_ARCH_X86, constants.UC_MODE_64)
    uc.ctl_set_cpu_model(x86_const.UC_CPU_X86_SKYLAKE_CLIENT)
    uc.mem_map(0, RAM_BYTES)
    for address, data in case["memory"].items():
        uc.mem_write(int(address), bytes.fromhex(data))
    for name, value in case["registers"].items():
        uc.reg_write(number_of(name), value)
    counter = Counter()
    uc.hook_add(constants.UC_HOOK_CODE, counter)
    uc.emu_start(case["begin"], case["end"], 0, MOST_INSTRUCTIONS)
    return {
        "registers": {name: uc.reg_read(number_of(name)) for name in (*case["registers"], "rip")},
        "memory": {at: bytes(uc.mem_read(int(at), size)).hex() for at, size in case["read"].items()},
        "instructions": counter.instructions,
    }


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)
