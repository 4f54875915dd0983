# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs code on the engine as it comes: no native core, no hook but one that counts instructions.

A program of its own: reads one case as JSON per line, writes one result per line. A case has ``arch``,
``memory`` ({address: hex}), ``registers``, where to ``begin`` and to ``end``, and what to ``read``
({address: bytes}).
"""

from __future__ import annotations

import json
import sys
from typing import Any

import unicorn
from unicorn import arm64_const, x86_const
from unicorn import unicorn_const as constants

RAM_BYTES = 8 << 20
MOST_INSTRUCTIONS = 100_000
REPEATS = (0xF2, 0xF3)
PREFIXES = frozenset((*REPEATS, 0x66, 0x67, *range(0x40, 0x50)))
STRINGS = frozenset(range(0xA4, 0xB0)) - {0xA8, 0xA9}


#: By architecture: of its constants where they are, and what their names begin with; the base of RAM; the PC.
ARCHITECTURES = {
    "x86_64": (x86_const, "UC_X86_REG_", 0, "rip"),
    "aarch64": (arm64_const, "UC_ARM64_REG_", 0x4000_0000, "pc"),
}
CPACR_EL1, NO_TRAP = (1, 0, 3, 0, 2), 3 << 20


def open_engine(arch: str) -> Any:
    """Return a new engine in which all of user mode's instructions run."""
    if arch == "x86_64":
        uc = unicorn.Uc(constants.UC_ARCH_X86, constants.UC_MODE_64)
        uc.ctl_set_cpu_model(x86_const.UC_CPU_X86_SKYLAKE_CLIENT)
    else:
        uc = unicorn.Uc(constants.UC_ARCH_ARM64, constants.UC_MODE_ARM)
        uc.ctl_set_cpu_model(arm64_const.UC_CPU_ARM64_A57)
        uc.reg_write(arm64_const.UC_ARM64_REG_CP_REG, (*CPACR_EL1, NO_TRAP))
    return uc


class Counter:
    """Counts instructions; a repeated one of x86 counts once, however often the engine comes back to it."""

    def __init__(self, *, repeats: bool) -> None:
        self._may_repeat = repeats
        self.instructions = 0
        self._repeating: int | None = None

    def __call__(self, uc: Any, address: int, size: int, _: object) -> None:
        """See one instruction, or one element of a repeated one."""
        if not self._may_repeat:
            self.instructions += 1
            return
        code = bytes(uc.mem_read(address, min(size, 15)))
        prefixes = code[: next(i for i, byte in enumerate(code) if byte not in PREFIXES)]
        repeats = any(byte in REPEATS for byte in prefixes) and code[len(prefixes)] in STRINGS
        if not (repeats and self._repeating == address):
            self.instructions += 1
        self._repeating = address if repeats else None


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Run one case in a new engine."""
    names, prefix, base, pc = ARCHITECTURES[case["arch"]]

    def number_of(name: str) -> int:
        return int(getattr(names, prefix + name.upper()))

    uc = open_engine(case["arch"])
    uc.mem_map(base, RAM_BYTES)
    for address, data in case["memory"].items():
        uc.mem_write(int(address), bytes.fromhex(data))
    for name, value in case["registers"].items():
        uc.reg_write(number_of(name), value)
    counter = Counter(repeats=case["arch"] == "x86_64")
    uc.hook_add(constants.UC_HOOK_CODE, counter)
    uc.emu_start(case["begin"], case["end"], 0, MOST_INSTRUCTIONS)
    return {
        "registers": {name: uc.reg_read(number_of(name)) for name in case["registers"]},
        "pc": uc.reg_read(number_of(pc)),
        "memory": {at: bytes(uc.mem_read(int(at), size)).hex() for at, size in case["read"].items()},
        "instructions": counter.instructions,
    }


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)
