# SPDX-License-Identifier: GPL-2.0-or-later
"""What exception an AArch64 processor took last, from its syndrome register.

Source: Arm Architecture Reference Manual for A-profile, ESR_EL1: the exception class in bits 31 to 26, for
aborts the fault status code in bits 5 to 0.
"""

from __future__ import annotations

CLASSES = {
    0x00: "undefined instruction",
    0x07: "access to floating point",
    0x0E: "illegal execution state",
    0x15: "SVC",
    0x16: "HVC",
    0x17: "SMC",
    0x18: "trapped system instruction",
    0x20: "instruction abort",
    0x21: "instruction abort",
    0x22: "PC alignment fault",
    0x24: "data abort",
    0x25: "data abort",
    0x26: "SP alignment fault",
    0x2C: "floating-point exception",
    0x2F: "SError interrupt",
    0x3C: "BRK",
}
WITH_ADDRESS = frozenset({0x20, 0x21, 0x22, 0x24, 0x25})  # those for which FAR_EL1 is written
ABORTS = frozenset({0x20, 0x21, 0x24, 0x25})
#: The fault status code's upper four bits; the lower two are then the level of the walk.
FAULTS_WITH_LEVEL = {0: "address size", 1: "translation", 2: "access flag", 3: "permission"}
FAULTS = {0x10: "external abort", 0x21: "alignment"}
DATA_ABORTS = frozenset({0x24, 0x25})
WRITE, ADDRESS_NOT_VALID = 1 << 6, 1 << 10  # WnR, of data aborts; FnV


def describe(esr: int, far: int) -> str:
    """Return the exception in words: ``data abort (translation fault, level 1, write) for 0xdead0000``."""
    kind = esr >> 26 & 0x3F
    words = CLASSES.get(kind, f"exception class {kind:#x}")
    if kind in ABORTS:
        write = ", write" if kind in DATA_ABORTS and esr & WRITE else ""
        words += f" ({_fault(esr & 0x3F)}{write})"
        if esr & ADDRESS_NOT_VALID:
            return words
    return f"{words} for {far:#x}" if kind in WITH_ADDRESS else words


def _fault(status: int) -> str:
    if status in FAULTS:
        return FAULTS[status]
    if status >> 2 in FAULTS_WITH_LEVEL:
        return f"{FAULTS_WITH_LEVEL[status >> 2]} fault, level {status & 3}"
    return f"status {status:#x}"
