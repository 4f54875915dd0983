# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the engine keeps its x86 state: found by writing markers through its public API and looking for them.

Nothing is assumed but the order of neighbours that the architecture itself suggests (general registers in
encoding order, control registers by number, segments in encoding order), and that is checked. A library in
which any marker is missing or ambiguous is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import unicorn
from unicorn import unicorn_const
from unicorn import x86_const as x86

from ringscope.emulator.cpu.markers import Finder, UnknownEngine

if TYPE_CHECKING:
    from unicorn import Uc

SEGMENT_BYTES = 24
MSRS = {
    "star": 0xC0000081,
    "lstar": 0xC0000082,
    "cstar": 0xC0000083,
    "fmask": 0xC0000084,
    "sysenter_cs": 0x174,
    "sysenter_esp": 0x175,
    "sysenter_eip": 0x176,
}
GENERAL = (
    x86.UC_X86_REG_RAX,
    x86.UC_X86_REG_RCX,
    x86.UC_X86_REG_RDX,
    x86.UC_X86_REG_RBX,
    x86.UC_X86_REG_RSP,
    x86.UC_X86_REG_RBP,
    x86.UC_X86_REG_RSI,
    x86.UC_X86_REG_RDI,
    *range(x86.UC_X86_REG_R8, x86.UC_X86_REG_R8 + 8),
)


#: The fields of ``struct env_layout`` (native/x86_64/engine.h), in its order.
FIELDS = """
    regs eip eflags hflags segs ldt tr gdt idt cr efer
    star lstar cstar fmask sysenter_cs sysenter_esp sysenter_eip
""".split()


def open_engine() -> Uc:
    """Return a new engine; its processor model is the first to have SMAP."""
    uc = unicorn.Uc(unicorn_const.UC_ARCH_X86, unicorn_const.UC_MODE_64)
    uc.ctl_set_cpu_model(x86.UC_CPU_X86_SKYLAKE_CLIENT)
    return uc


def register_number(name: str) -> int:
    """Return the API's number of a register: rax ... r15, rip, rflags, cs ... gs, cr0 ... cr4, mxcsr ..."""
    return int(getattr(x86, f"UC_X86_REG_{name.upper()}"))


def find_layout(uc: Uc, env: int) -> dict[str, int]:
    """Return the offset of each field of ``struct env_layout`` (engine_x86.h) in the state at ``env``.

    The engine must not have run guest code that matters: registers are overwritten and put back.
    """
    find = Finder(uc, env)
    layout: dict[str, int] = {}
    layout["regs"] = find.registers_in_order(GENERAL, 0x5A17_0000_1111_0000)
    layout["eip"] = find.register("RIP", x86.UC_X86_REG_RIP, 0x5A17_0000_2222_1230)
    cr3 = find.register("CR3", x86.UC_X86_REG_CR3, 0x3_5A17_2000)
    cr2 = find.register("CR2", x86.UC_X86_REG_CR2, 0x5A17_0000_2222_3330)
    if cr3 - cr2 != 8:
        raise UnknownEngine("the engine does not keep control registers by number")
    layout["cr"] = cr3 - 24

    def table(name: str, register: int) -> int:
        saved = uc.reg_read(register)
        uc.reg_write(register, (0x28, 0x5A17_3333_0000 + register, 0x1234, 0))
        offset = find.value(name, 0x5A17_3333_0000 + register)
        uc.reg_write(register, saved)
        return offset - 8  # selector, padding, base

    layout["gdt"] = table("GDTR", x86.UC_X86_REG_GDTR)
    layout["idt"] = table("IDTR", x86.UC_X86_REG_IDTR)
    layout["ldt"] = table("LDTR", x86.UC_X86_REG_LDTR)
    layout["tr"] = table("TR", x86.UC_X86_REG_TR)
    fs = find.register("FS base", x86.UC_X86_REG_FS_BASE, 0x5A17_4444_0000) - 8
    gs = find.register("GS base", x86.UC_X86_REG_GS_BASE, 0x5A17_5555_0000) - 8
    if gs - fs != SEGMENT_BYTES:
        raise UnknownEngine("the engine does not keep segments in encoding order")
    layout["segs"] = fs - 4 * SEGMENT_BYTES

    for name, index in MSRS.items():
        size = 4 if name in ("fmask", "sysenter_cs") else 8
        marker = (
            0x5A00 + index % 251 if size == 4 else 0x5A17_0000_7700 + index % 251
        )  # SYSENTER_CS has 16 bits
        saved = uc.msr_read(index)
        uc.msr_write(index, marker)
        layout[name] = find.value(f"MSR {index:#x}", marker, size)
        uc.msr_write(index, saved)

    def write_flag(on: bool) -> None:
        uc.reg_write(x86.UC_X86_REG_EFLAGS, 0x202 if on else 0x2)

    layout["eflags"] = find.toggled("EFLAGS.IF", write_flag, 9)[0]
    efer = uc.msr_read(0xC0000080)

    def write_efer(on: bool) -> None:
        uc.msr_write(0xC0000080, efer | 1 if on else efer & ~1)

    layout["efer"] = find.toggled("EFER.SCE", write_efer, 0)[0]
    uc.msr_write(0xC0000080, efer)
    cr4 = uc.reg_read(x86.UC_X86_REG_CR4)

    def write_cr4(on: bool) -> None:
        uc.reg_write(x86.UC_X86_REG_CR4, cr4 & ~(1 << 9) | (1 << 9 if on else 0))

    layout["hflags"] = find.toggled("the mode flags", write_cr4, 22)[0]  # HF_OSFXSR follows CR4.OSFXSR
    uc.reg_write(x86.UC_X86_REG_CR4, cr4)
    return layout
