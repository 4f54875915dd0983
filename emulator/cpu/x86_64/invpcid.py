# SPDX-License-Identifier: GPL-2.0-or-later
"""INVPCID, which the engine does not have: recognised where it raised #UD, and carried out.

Source: Intel SDM volume 2, INVPCID. The operand is a register with the type and 16 bytes in memory: the PCID
and a linear address.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import capstone
from capstone import x86_const

from ringscope.emulator.cpu.x86_64.stack_fault import is_canonical

if TYPE_CHECKING:
    from collections.abc import Callable

OPCODE = b"\x0f\x38\x82"
LENGTH_LIMIT = 15
OPERAND_BYTES = 16
PCID_BITS = 12
LAST_KIND = 3


@dataclass(frozen=True)
class Invpcid:
    """One INVPCID: its length in bytes, type 0..3 and operands.

    ``missing`` is the address of the first byte of the operand in memory that is not mapped, if there is one.
    """

    length: int
    kind: int
    pcid: int
    vaddr: int
    missing: int | None = None

    @property
    def is_valid(self) -> bool:
        """Whether it is no protection fault: type 0..3, no reserved bit in the PCID, canonical addresses."""
        if self.missing is not None:
            return is_canonical(self.missing)
        return (
            self.kind <= LAST_KIND
            and not self.pcid >> PCID_BITS
            and (self.kind != 0 or is_canonical(self.vaddr))
        )


def recognise(
    code: bytes, bits: int, register: Callable[[str], int], read: Callable[[int, int], bytes]
) -> Invpcid | None:
    """Return the INVPCID that ``code`` begins with, or None if it is something else.

    ``register`` reads a register by name, ``read`` bytes of virtual memory: as many as are mapped.
    """
    if OPCODE not in code[:8]:
        return None
    engine = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64 if bits == 64 else capstone.CS_MODE_32)
    engine.detail = True
    instruction: Any = next(engine.disasm(code[:LENGTH_LIMIT], register("rip"), 1), None)
    if instruction is None or instruction.id != x86_const.X86_INS_INVPCID:
        return None
    kind_operand, memory = instruction.operands[0].reg, instruction.operands[1].mem

    def value(number: int) -> int:
        if not number:
            return 0
        name = instruction.reg_name(number)
        if name == "rip":
            return int(instruction.address + instruction.size)
        return register(name)

    base = {x86_const.X86_REG_FS: "fs_base", x86_const.X86_REG_GS: "gs_base"}.get(memory.segment)
    address = value(memory.base) + value(memory.index) * memory.scale + memory.disp
    address += register(base) if base else 0
    address %= 1 << bits
    operand = read(address, OPERAND_BYTES)
    missing = None if len(operand) == OPERAND_BYTES else address + len(operand)
    pcid, vaddr = struct.unpack("<QQ", operand.ljust(OPERAND_BYTES, b"\0"))
    return Invpcid(instruction.size, value(kind_operand), pcid, vaddr, missing)
