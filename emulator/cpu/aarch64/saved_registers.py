# SPDX-License-Identifier: GPL-2.0-or-later
"""All registers of an AArch64 processor by name: what a snapshot has of it.

General registers and the exclusive monitor are written where the engine keeps them; PSTATE, floating point
and the system registers that EL1 and EL0 can write go through its public interface. Not here: the generic
timer, which is a chip of the machine's, and what firmware set once before EL1 was entered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringscope.emulator.cpu.fields import Field, Fields

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringscope.emulator.cpu.aarch64.engine import ArmEngine, Encoding

PLACES = {
    **{f"x{number}": Field("regs", 8 * number) for number in range(31)},
    "sp": Field("regs", 8 * 31),  # the one in use
    "pc": Field("pc"),
    "exclusive_address": Field("exclusive_address"),
    "exclusive_low": Field("exclusive_low"),
    "exclusive_high": Field("exclusive_high"),
}
PUBLIC = ["fpcr", "fpsr", *(f"v{number}" for number in range(32))]
DEBUG_BREAKPOINTS, DEBUG_WATCHPOINTS = 6, 4
#: By (op0, op1, CRn, CRm, op2), as MRS and MSR name them.
SYSTEM: dict[str, Encoding] = {
    "sctlr_el1": (3, 0, 1, 0, 0),
    "actlr_el1": (3, 0, 1, 0, 1),
    "cpacr_el1": (3, 0, 1, 0, 2),
    "ttbr0_el1": (3, 0, 2, 0, 0),
    "ttbr1_el1": (3, 0, 2, 0, 1),
    "tcr_el1": (3, 0, 2, 0, 2),
    "spsr_el1": (3, 0, 4, 0, 0),
    "elr_el1": (3, 0, 4, 0, 1),
    "sp_el0": (3, 0, 4, 1, 0),
    "sp_el1": (3, 4, 4, 1, 0),
    "afsr0_el1": (3, 0, 5, 1, 0),
    "afsr1_el1": (3, 0, 5, 1, 1),
    "esr_el1": (3, 0, 5, 2, 0),
    "far_el1": (3, 0, 6, 0, 0),
    "par_el1": (3, 0, 7, 4, 0),
    "mair_el1": (3, 0, 10, 2, 0),
    "amair_el1": (3, 0, 10, 3, 0),
    "vbar_el1": (3, 0, 12, 0, 0),
    "contextidr_el1": (3, 0, 13, 0, 1),
    "tpidr_el1": (3, 0, 13, 0, 4),
    "tpidr_el0": (3, 3, 13, 0, 2),
    "tpidrro_el0": (3, 3, 13, 0, 3),
    "cntkctl_el1": (3, 0, 14, 1, 0),
    "csselr_el1": (3, 2, 0, 0, 0),
    "mdscr_el1": (2, 0, 0, 2, 2),
    "oslsr_el1": (2, 0, 1, 1, 4),  # which MSR of OSLAR_EL1 changes
    "osdlr_el1": (2, 0, 1, 3, 4),
    **{f"dbgbvr{n}_el1": (2, 0, 0, n, 4) for n in range(DEBUG_BREAKPOINTS)},
    **{f"dbgbcr{n}_el1": (2, 0, 0, n, 5) for n in range(DEBUG_BREAKPOINTS)},
    **{f"dbgwvr{n}_el1": (2, 0, 0, n, 6) for n in range(DEBUG_WATCHPOINTS)},
    **{f"dbgwcr{n}_el1": (2, 0, 0, n, 7) for n in range(DEBUG_WATCHPOINTS)},
}


class SavedRegisters:
    """The registers of one processor."""

    def __init__(self, engine: ArmEngine) -> None:
        """Nothing is read or written yet."""
        self._engine = engine
        self._fields = Fields(engine, PLACES)

    def read(self) -> dict[str, int]:
        """Return every register's value."""
        engine = self._engine
        values = dict(self._fields.read())
        values |= {name: engine.register(name) for name in ("pstate", *PUBLIC)}
        values |= {name: engine.system_register(encoding) for name, encoding in SYSTEM.items()}
        return values

    def write(self, values: Mapping[str, int]) -> None:
        """Write every register. Raises KeyError for one that is missing."""
        engine = self._engine
        engine.prepare()
        for name, encoding in SYSTEM.items():
            engine.set_system_register(encoding, values[name])
        for name in ("pstate", *PUBLIC):
            engine.set_register(name, values[name])
        self._fields.write(values)
