# SPDX-License-Identifier: GPL-2.0-or-later
"""An AArch64 processor: entry as the arm64 boot protocol has it."""

from __future__ import annotations

from ringscope.emulator.cpu.aarch64 import layout, proof
from ringscope.emulator.cpu.aarch64.saved_registers import SYSTEM
from ringscope.emulator.cpu.engine import Engine

Encoding = tuple[int, int, int, int, int]  # op0, op1, CRn, CRm, op2


class ArmEngine(Engine):
    """One AArch64 processor, at EL1 and EL0, and its RAM."""

    arch = "aarch64"
    layout = layout
    physical_bits = 44
    proof = proof
    program_counter = "pc"

    def enter_arm64(self, entry: int, x0: int, x1: int) -> None:
        """Put the processor into the state in which the arm64 boot protocol enters a kernel."""
        self.prepare()
        self._native.core_enter_arm64(self._core, entry, x0, x1)

    def register(self, name: str) -> int:
        """Return a register by its name: x0 ... x30, sp, pc, pstate, q0 ..., elr_el1, sctlr_el1 ..."""
        if name in SYSTEM:
            return self.system_register(SYSTEM[name])
        return super().register(name)

    def prepare(self) -> None:
        """Set what firmware sets before it goes down to EL1."""
        layout.prepare(self._uc)

    def system_register(self, encoding: Encoding) -> int:
        """Return a system register, named as MRS encodes it."""
        return int(self._uc.cpr_read(*encoding))

    def set_system_register(self, encoding: Encoding, value: int) -> None:
        """Write one, whatever the exception level."""
        self._uc.cpr_write(*encoding, value)

    @property
    def interrupt_wakes(self) -> bool:
        """Always: WFI ends when an interrupt is pending, also one that PSTATE masks (Arm ARM, D1.6.2)."""
        return True
