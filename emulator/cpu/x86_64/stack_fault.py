# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a faulting instruction used a non-canonical address through the stack segment.

The engine answers every non-canonical address with #GP(0); where the stack segment is used it is #SS(0).
Source: Intel SDM volume 1, section 3.3.7.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import capstone
from capstone import x86_const

if TYPE_CHECKING:
    from collections.abc import Callable

STACK_BASES = (x86_const.X86_REG_RSP, x86_const.X86_REG_RBP)
PUSHES = frozenset({"push", "pushf", "pushfq", "call", "enter"})
POPS = frozenset({"pop", "popf", "popfq", "ret", "retf", "retfq", "iretq", "leave"})
LENGTH_LIMIT = 15
SIGN = 47


def is_canonical(address: int) -> bool:
    """Whether bits 63..47 of an address are equal."""
    top = address % (1 << 64) >> SIGN
    return top in (0, (1 << (64 - SIGN)) - 1)


def is_stack_fault(code: bytes, register: Callable[[str], int]) -> bool:
    """Return whether the 64-bit instruction at ``code`` meets a non-canonical address on the stack."""
    engine = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
    engine.detail = True
    instruction: Any = next(engine.disasm(code[:LENGTH_LIMIT], 0, 1), None)
    if instruction is None:
        return False
    for operand in instruction.operands:
        memory = operand.mem
        if operand.type != x86_const.X86_OP_MEM or memory.base not in STACK_BASES or memory.segment:
            continue
        index = register(instruction.reg_name(memory.index)) * memory.scale if memory.index else 0
        if not is_canonical(register(instruction.reg_name(memory.base)) + index + memory.disp):
            return True
    if instruction.mnemonic in PUSHES:
        return not is_canonical(register("rsp") - 8)
    return instruction.mnemonic in POPS and not is_canonical(
        register("rbp" if instruction.mnemonic == "leave" else "rsp")
    )
