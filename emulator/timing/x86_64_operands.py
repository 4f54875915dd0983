# SPDX-License-Identifier: GPL-2.0-or-later
"""Which registers an x86 instruction reads and writes, as far as the issue model asks.

Registers 0 to 15 are the general ones in the order of their encoding, then the flags, XMM0 to 15, and the
x87 stack as one. The stack pointer's steps by PUSH, POP, CALL and RET are made by the front end: they are no
dependence. A write of 8 or 16 bits keeps the rest of its register, so it reads it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import capstone
from capstone import CS_AC_READ, x86_const

from ringscope.emulator.timing.micro_ops import Operands
from ringscope.emulator.timing.x86_64_stores import Place, Step, Trace

if TYPE_CHECKING:
    from collections.abc import Iterable

GENERAL = "ax cx dx bx sp bp si di".split()
STACK_POINTER, FLAGS, XMM, X87 = 4, 16, 17, 33
STACK_STEPS = frozenset("push pushf pushfd pushfq pop popf popfd popfq call ret".split())
MOVES = (
    "mov",
    "movabs",
    "movzx",
    "movsx",
    "movsxd",
    "push",
    "pop",
    "movap",
    "movup",
    "movdq",
    "movq",
    "movd",
    "movs",
    "lddqu",
)
SAME_REGISTER_IS_ZERO = frozenset("xor sub pxor xorps xorpd psubb psubw psubd psubq".split())
CONDITIONAL_BRANCHES = frozenset({"loop", "loope", "loopne"})
VECTOR_BYTES = 16
WORD_BYTES = 2
STACK_BYTES = 8
STEPS_BY_ONE = {"inc": 1, "dec": -1}


def _numbers() -> dict[str, int]:
    names = {"eflags": FLAGS, "rflags": FLAGS, "flags": FLAGS}
    for number, name in enumerate(GENERAL):
        low = f"{name[0]}l" if name.endswith("x") else f"{name}l"
        names |= dict.fromkeys(
            (name, f"e{name}", f"r{name}", low, f"{name[0]}h" if name.endswith("x") else low), number
        )
    for number in range(8, 16):
        names |= {f"r{number}{width}": number for width in ("", "d", "w", "b")}
    names |= {f"xmm{number}": XMM + number for number in range(16)}
    return names | dict.fromkeys((f"st({number})" for number in range(8)), X87) | {"fpsw": X87}


NUMBERS = _numbers()


class X86Operands:
    """Finds the operands of instructions; answers are remembered by the instruction's bytes."""

    def __init__(self) -> None:
        """Open a disassembler for each width of code."""
        self._engines = [
            capstone.Cs(capstone.CS_ARCH_X86, mode)
            for mode in (capstone.CS_MODE_16, capstone.CS_MODE_32, capstone.CS_MODE_64)
        ]
        for engine in self._engines:
            engine.detail = True
        self._known: dict[tuple[int, bytes], tuple[Operands, Trace]] = {}

    def of(self, code: bytes, mode: int) -> Operands:
        """Return the operands of the instruction that ``code`` is, in 16-, 32- or 64-bit code (0, 1, 2)."""
        return self._both(code, mode)[0]

    def trace(self, code: bytes, mode: int) -> Trace:
        """Return what the instruction means for the places of stores."""
        return self._both(code, mode)[1]

    def _both(self, code: bytes, mode: int) -> tuple[Operands, Trace]:
        known = self._known.get((mode, code))
        if known is None:
            found = next(self._engines[mode].disasm(code, 0, 1), None)
            operands = _operands(found) if found is not None else Operands()
            trace = _trace(found, operands) if found is not None else Trace()
            known = self._known[mode, code] = operands, trace
        return known


def _registers(names: Iterable[str]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(NUMBERS[name] for name in names if name in NUMBERS))


def _operands(insn: Any) -> Operands:  # noqa: ANN401 (capstone has no types)
    *prefixes, mnemonic = insn.mnemonic.split()
    name = insn.reg_name
    memory = [op for op in insn.operands if op.type == x86_const.X86_OP_MEM]
    direct = [op for op in insn.operands if op.type == x86_const.X86_OP_REG]
    address = _registers(name(part) for op in memory for part in (op.mem.base, op.mem.index) if part)
    read, written = insn.regs_access()
    reads = set(_registers(name(part) for part in read))
    writes = set(_registers(name(part) for part in written))
    named = {NUMBERS[name(op.reg)] for op in direct if name(op.reg) in NUMBERS}
    if memory and mnemonic != "lea":
        implicit = {NUMBERS[name(part)] for part in insn.regs_read if name(part) in NUMBERS}
        asked = {NUMBERS[name(op.reg)] for op in direct if op.access & CS_AC_READ and name(op.reg) in NUMBERS}
        reads -= set(address) - asked - implicit
    if mnemonic in STACK_STEPS and STACK_POINTER not in named:
        reads.discard(STACK_POINTER)
        writes.discard(STACK_POINTER)
    if direct and insn.operands[0].type == x86_const.X86_OP_REG:
        first = insn.operands[0]
        number = NUMBERS.get(name(first.reg))
        if number in writes and (first.size <= WORD_BYTES or mnemonic.startswith("cmov")):
            reads.add(number)
    if mnemonic.startswith("f"):
        reads.add(X87)
        writes.add(X87)
    copies = mnemonic.startswith(MOVES) and not prefixes and insn.id not in STRING_MOVES
    partial = bool(reads & writes - {FLAGS})
    same = len(direct) == 2 and not memory and direct[0].reg == direct[1].reg
    wide = max((op.size for op in memory), default=0) >= VECTOR_BYTES
    conditional = mnemonic in CONDITIONAL_BRANCHES or (mnemonic[0] == "j" and mnemonic != "jmp")
    indirect = mnemonic in ("jmp", "call") and (bool(memory) or bool(direct))
    constant = same and mnemonic in SAME_REGISTER_IS_ZERO
    return Operands(
        address=address if mnemonic != "lea" else (),
        reads=() if constant else tuple(sorted(reads)),
        writes=tuple(sorted(writes)),
        loads=2 if wide else 1,
        stores=2 if wide else 1,
        wide=wide,
        own=_own_accesses(mnemonic, prefixes, memory=bool(memory)),
        copies=copies and not partial,
        constant=constant,
        resolves=conditional or indirect or mnemonic == "ret",
        scaled=any(op.mem.index and op.mem.scale > 1 for op in memory),
    )


def _place(insn: Any) -> Place | None:  # noqa: ANN401
    """Return where an instruction's operand in memory is; of two, as MOVS has them, the first."""
    memory = next((op for op in insn.operands if op.type == x86_const.X86_OP_MEM), None)
    if memory is None:
        return None
    base, index = (
        NUMBERS.get(insn.reg_name(part)) if part else None for part in (memory.mem.base, memory.mem.index)
    )
    return Place(base, index, memory.mem.scale, memory.mem.disp, memory.size)


def _step(mnemonic: str, insn: Any) -> Step | None:  # noqa: ANN401
    """Return the step of an instruction that makes a register another one plus a constant."""
    to = next(iter(insn.operands), None)
    if to is None or to.type != x86_const.X86_OP_REG or to.size <= WORD_BYTES:
        return None
    target, last = NUMBERS.get(insn.reg_name(to.reg)), insn.operands[-1]
    if target is None or target >= FLAGS:
        return None
    if mnemonic in STEPS_BY_ONE:
        return Step(target, target, STEPS_BY_ONE[mnemonic])
    if mnemonic in ("add", "sub") and last.type == x86_const.X86_OP_IMM:
        return Step(target, target, last.imm if mnemonic == "add" else -last.imm)
    if mnemonic == "mov" and last.type == x86_const.X86_OP_REG and insn.reg_name(last.reg) in NUMBERS:
        return Step(target, NUMBERS[insn.reg_name(last.reg)], 0)
    base = NUMBERS.get(insn.reg_name(last.mem.base)) if mnemonic == "lea" and last.mem.base else None
    return Step(target, base, last.mem.disp) if base is not None and not last.mem.index else None


def _trace(insn: Any, operands: Operands) -> Trace:  # noqa: ANN401
    mnemonic = insn.mnemonic.split()[-1]
    place = _place(insn) if mnemonic != "lea" else None
    if mnemonic in STACK_STEPS:
        width = max((op.size for op in insn.operands if mnemonic[0] == "p"), default=STACK_BYTES)
        pushes = mnemonic.startswith(("push", "call"))
        step = Step(STACK_POINTER, STACK_POINTER, -width if pushes else width)
        if pushes:
            return Trace(Place(STACK_POINTER, None, 1, 0, width), before=step, writes=operands.writes)
        return Trace(place, after=step, writes=operands.writes)
    known = _step(mnemonic, insn)
    return Trace(place, after=known, writes=() if known is not None else operands.writes)


def _own_accesses(mnemonic: str, prefixes: list[str], *, memory: bool) -> int:
    """Return the accesses of a string instruction without a prefix, and of one that holds the bus."""
    if any(prefix.startswith("rep") for prefix in prefixes):
        return 0
    if "lock" in prefixes or (mnemonic == "xchg" and memory):
        return 2
    if mnemonic[-1] in "bwdq" and mnemonic[:-1] in ("movs", "cmps"):
        return 2 * memory
    return int(mnemonic[-1] in "bwdq" and mnemonic[:-1] in ("stos", "lods", "scas"))


STRING_MOVES = frozenset(
    [x86_const.X86_INS_MOVSB, x86_const.X86_INS_MOVSW, x86_const.X86_INS_MOVSQ]
)  # MOVSD is the SSE instruction's name as well; the string one has two operands in memory
