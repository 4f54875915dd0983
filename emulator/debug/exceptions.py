# SPDX-License-Identifier: GPL-2.0-or-later
"""What an exception is called, from what the processor says of it: as the manuals write it, in one line."""

from __future__ import annotations

from ringscope.emulator.debug.raised import EXCEPTION, Raised

#: ESR_EL1.EC by value (Arm ARM, D17.2.37).
CLASSES = {
    0x00: "undefined instruction",
    0x01: "trapped WFI or WFE",
    0x07: "trapped floating point",
    0x0E: "illegal execution state",
    0x15: "SVC",
    0x18: "trapped system register",
    0x20: "instruction abort",
    0x21: "instruction abort",
    0x22: "misaligned program counter",
    0x24: "data abort",
    0x25: "data abort",
    0x26: "misaligned stack pointer",
    0x2C: "trapped floating-point exception",
    0x30: "breakpoint",
    0x31: "breakpoint",
    0x32: "software step",
    0x33: "software step",
    0x34: "watchpoint",
    0x35: "watchpoint",
    0x3C: "BRK",
}
INSTRUCTION_ABORTS, DATA_ABORTS = frozenset((0x20, 0x21)), frozenset((0x24, 0x25))
#: Fault status without its level (Arm ARM, D17.2.37: IFSC, DFSC), in the upper four of six bits.
STATUSES = {0: "address size", 1: "translation", 2: "access flag", 3: "permission"}
ALIGNMENT = 0x21
WRITE = 0x40  # WnR
COMMENT = 0xFFFF


def describe(arch: str, number: int, syndrome: int, address: int) -> str:
    """Return it by vector and error code on x86, by ESR_EL1's class and itself on AArch64.

    ``address`` is the one that a fault of translation was about: CR2, FAR_EL1.
    """
    if arch == "x86_64":
        return str(Raised(EXCEPTION, number, syndrome, address))
    name = CLASSES.get(number, f"exception of class {number:#x}")
    if number in DATA_ABORTS | INSTRUCTION_ABORTS:
        status = syndrome & 0x3F
        kind = STATUSES.get(status >> 2)
        what = (
            "alignment" if status == ALIGNMENT else f"{kind}, level {status & 3}" if kind else f"{status:#x}"
        )
        write = ", write" if number in DATA_ABORTS and syndrome & WRITE else ""
        return f"{name} for {address:#x} ({what}{write})"
    return f"{name} #{syndrome & COMMENT}" if name == "BRK" else name
