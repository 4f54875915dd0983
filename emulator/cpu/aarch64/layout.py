# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the engine keeps its AArch64 state, and how it is opened and prepared for a kernel at EL1."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import unicorn
from unicorn import arm64_const as arm
from unicorn import unicorn_const

from ringscope.emulator.cpu.markers import Finder, UnknownEngine

if TYPE_CHECKING:
    from unicorn import Uc

PAGE = 4096
GENERAL = (*range(arm.UC_ARM64_REG_X0, arm.UC_ARM64_REG_X0 + 29), arm.UC_ARM64_REG_X29, arm.UC_ARM64_REG_X30)
#: The fields of ``struct env_layout`` (native/aarch64/engine.h), in its order.
FIELDS = "regs pc pstate daif esr far vbar".split()
#: ldxp x3, x4, [x5]; then all three registers are cleared; wfi.
LOAD_EXCLUSIVE = bytes.fromhex("a3107fc8 030080d2 040080d2 050080d2 7f2003d5")
CLEAR_EXCLUSIVE = bytes.fromhex("5f3f03d5 7f2003d5")  # clrex; wfi
MONITORED = (0x5A17_0000_5555_0001, 0x5A17_0000_6666_0001)
BEYOND_VECTORS = 0x4000  # bytes of the state, in which each vector register takes 256
EL1H_MASKED = 0x3C5  # PSTATE: EL1 with its own stack pointer, D, A, I and F masked
EL1T_MASKED = 0x3C4
DAIF, EL1H = 0x3C0, 0x5  # what of it the engine keeps apart
#: System registers as (crn, crm, op0, op1, op2): what firmware sets before it goes down to EL1.
SCR_EL3, SCR_VALUE = (1, 1, 3, 6, 0), 0x531  # EL2 and EL1 are 64-bit, non-secure, HVC enabled
HCR_EL2, HCR_VALUE = (1, 1, 3, 4, 0), 1 << 31  # EL1 is 64-bit


def open_engine() -> Uc:
    """Return a new engine, at EL1 as firmware leaves it."""
    uc = unicorn.Uc(unicorn_const.UC_ARCH_ARM64, unicorn_const.UC_MODE_ARM)
    uc.ctl_set_cpu_model(arm.UC_CPU_ARM64_A57)
    uc.ctl_set_page_size(PAGE)
    return uc


def prepare(uc: Uc) -> None:
    """Set the registers of the higher levels and go to EL1."""
    uc.reg_write(arm.UC_ARM64_REG_CP_REG, (*SCR_EL3, SCR_VALUE))
    uc.reg_write(arm.UC_ARM64_REG_CP_REG, (*HCR_EL2, HCR_VALUE))
    uc.reg_write(arm.UC_ARM64_REG_PSTATE, EL1H_MASKED)


def register_number(name: str) -> int:
    """Return the API's number of a register: x0 ... x30, sp, pc, pstate, elr_el1, far_el1 ..."""
    return int(getattr(arm, f"UC_ARM64_REG_{name.upper()}"))


def find_layout(uc: Uc, env: int) -> dict[str, int]:
    """Return the offset of each field of ``struct env_layout`` in the state at ``env``."""
    find = Finder(uc, env)

    def write_mask(on: bool) -> None:
        uc.reg_write(arm.UC_ARM64_REG_PSTATE, EL1H_MASKED if on else EL1H_MASKED & ~0x80)

    def write_stack(on: bool) -> None:
        uc.reg_write(arm.UC_ARM64_REG_PSTATE, EL1H_MASKED if on else EL1T_MASKED)

    def word(name: str, offsets: list[int], value: int) -> int:
        """Return the one of some offsets at which a word has a value, with PSTATE as at entry."""
        uc.reg_write(arm.UC_ARM64_REG_PSTATE, EL1H_MASKED)
        state = find.state()
        found = [at for at in offsets if int.from_bytes(state[at : at + 4], "little") == value]
        if len(found) != 1:
            raise UnknownEngine(f"the engine keeps {name} in {len(found)} places, not one")
        return found[0]

    layout = {
        "regs": find.registers_in_order(GENERAL, 0x5A17_0000_1111_0000),
        "pc": find.register("PC", arm.UC_ARM64_REG_PC, 0x5A17_0000_2222_1230),
        "daif": word("DAIF", find.toggled("DAIF.I", write_mask, 7), EL1H_MASKED & DAIF),
        "esr": find.register("ESR_EL1", arm.UC_ARM64_REG_ESR_EL1, 0x5A17_4440),
        "far": find.register("FAR_EL1", arm.UC_ARM64_REG_FAR_EL1, 0x5A17_0000_4444_5550),
        "vbar": find.register("VBAR_EL1", arm.UC_ARM64_REG_VBAR_EL1, 0x5A17_0000_4466_6800),
        "pstate": word("PSTATE", find.toggled("PSTATE.SP", write_stack, 0), EL1H),
    }
    layout |= _exclusive_monitor(uc, Finder(uc, env, BEYOND_VECTORS))
    if layout["pc"] != layout["regs"] + 8 * 32:
        raise UnknownEngine("the engine does not keep the stack pointer between x30 and the program counter")
    return layout


def _exclusive_monitor(uc: Uc, find: Finder) -> dict[str, int]:
    """Return where the address and the two words of an exclusive load are kept, by doing one."""
    ram = next(begin for begin, _, rights in uc.mem_regions() if rights & unicorn_const.UC_PROT_EXEC)
    code, data = ram + PAGE, ram + 2 * PAGE
    saved = uc.mem_read(code, 2 * PAGE)
    uc.mem_write(code, LOAD_EXCLUSIVE)
    uc.mem_write(data, b"".join(word.to_bytes(8, "little") for word in MONITORED))
    uc.reg_write(arm.UC_ARM64_REG_X5, data)
    uc.emu_start(code, code + len(LOAD_EXCLUSIVE))
    low = find.value("the exclusive monitor's first word", MONITORED[0])
    if find.state()[low - 8 : low + 16] != struct.pack("<3Q", data, *MONITORED):
        raise UnknownEngine("the engine does not keep the exclusive monitor's address and words side by side")
    uc.mem_write(code, CLEAR_EXCLUSIVE)
    uc.emu_start(code, code + len(CLEAR_EXCLUSIVE))
    uc.mem_write(code, bytes(saved))
    return {"exclusive_address": low - 8, "exclusive_low": low, "exclusive_high": low + 8}
