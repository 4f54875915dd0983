# SPDX-License-Identifier: GPL-2.0-or-later
"""Model-specific registers: which the machine keeps, which the engine keeps, and #GP for the rest.

Indices: Intel SDM volume 4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ringscope.emulator.cpu.handlers import GeneralProtection
from ringscope.emulator.devices.state import Stateful

if TYPE_CHECKING:
    from ringscope.emulator.cpu.x86_64.engine import X86Engine
    from ringscope.emulator.devices.local_apic import LocalApic

TIME_STAMP_COUNTER = 0x10
APIC_BASE = 0x1B
TSC_DEADLINE = 0x6E0
TSC_AUX = 0xC0000103

#: Registers that the engine implements and that act as the architecture says.
KEPT_BY_ENGINE = frozenset(
    (
        0x174, 0x175, 0x176,  # SYSENTER_CS, _ESP, _EIP
        0x179, 0x17A, 0x17B,  # MCG_CAP, MCG_STATUS, MCG_CTL
        0x1A0,  # MISC_ENABLE
        0x277,  # PAT
        0x8B,  # microcode revision
        0xFE, 0x2FF, *range(0x200, 0x210), 0x250, 0x258, 0x259, *range(0x268, 0x270),  # memory type ranges
        0xC0000080,  # EFER
        0xC0000081, 0xC0000082, 0xC0000083, 0xC0000084,  # STAR, LSTAR, CSTAR, FMASK
        0xC0000100, 0xC0000101, 0xC0000102,  # FS_BASE, GS_BASE, KERNEL_GS_BASE
        *range(0x400, 0x440),  # machine-check banks
    )
)  # fmt: skip


class Deadline(Protocol):
    """The local APIC's timer, as far as MSRs go."""

    def write_tsc_deadline(self, value: int) -> None:
        """Arm it."""
        ...


class ModelSpecificRegisters(Stateful):
    """RDMSR and WRMSR of a machine with this engine and local APIC."""

    STATE = ("_tsc_aux",)

    def __init__(self, engine: X86Engine, local_apic: LocalApic) -> None:
        """Nothing is read or written yet."""
        self._engine = engine
        self._local_apic = local_apic
        self._tsc_aux = 0

    def read(self, index: int) -> int | None:
        """Return the value, None if the engine has it. Raises GeneralProtection if nobody has."""
        match index:
            case _ if index in KEPT_BY_ENGINE:
                return None
            case 0x10:
                return self._engine.time_stamp
            case 0x1B:
                return self._local_apic.apic_base
            case 0x6E0:
                return self._local_apic.timer.deadline
            case 0xC0000103:
                return self._tsc_aux
            case _:
                raise GeneralProtection

    def write(self, index: int, value: int) -> bool:
        """Return whether the write is done; False leaves it to the engine. Raises GeneralProtection."""
        match index:
            case _ if index in KEPT_BY_ENGINE:
                return False
            case 0x10:
                self._engine.set_time_stamp(value)
            case 0x1B:
                if not self._local_apic.write_apic_base(value):
                    raise GeneralProtection
            case 0x6E0:
                self._local_apic.write_tsc_deadline(value)
            case 0xC0000103:
                self._tsc_aux = value
                self._engine.set_tsc_aux(value)
            case _:
                raise GeneralProtection
        return True
