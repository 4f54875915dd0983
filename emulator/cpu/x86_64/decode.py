# SPDX-License-Identifier: GPL-2.0-or-later
"""The first decoding of a basic block: where it ends, what it costs, what kind of branch ends it.

The native core calls this once per block and content (native/block.h) and keeps the answer. Where a block
ends depends on the guest's bytes alone:

- after a branch, a far transfer, an instruction that raises or returns from an exception;
- after an instruction whose effect must be seen before the next one begins: it changes paging, the interrupt
  flag or the clock, talks to a device, halts;
- after a string instruction with a repeat prefix, which may be interrupted between elements;
- before a mark, so that a mark is always the first instruction of its block;
- before an instruction whose fault would cost the guest its arithmetic flags: the engine works them out late,
  and by then has overwritten what they follow from;
- before an instruction that crosses the page end (alone in a block, it may cross);
- after BLOCK_INSNS_MAX instructions.
"""

from __future__ import annotations

import ctypes
import functools
from array import array
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

import capstone

from ringscope.emulator.cpu.instructions import disassemble
from ringscope.emulator.native import library as native
from ringscope.emulator.timing.micro_ops import MicroOps
from ringscope.emulator.timing.native_config import layout
from ringscope.emulator.timing.pipeline import Reach
from ringscope.emulator.timing.x86_64_operands import X86Operands
from ringscope.emulator.timing.x86_64_stores import reaches

if TYPE_CHECKING:
    from ringscope.emulator.timing.cost_table import CostTable, InstructionCost
    from ringscope.emulator.timing.x86_64_stores import Trace

MODE_MASK = 3
MODE_SINGLE = 4
NO_BRANCH = 0xFF
NO_COST = 0xFF
CONDITIONAL, DIRECT, INDIRECT, CALL, INDIRECT_CALL, RETURN = range(6)  # enum branch_kind of predictor.h
REPEATS, SETTLES_FLAGS = 1, 2
HEADER_WORDS = 5
OPERATIONS_AT = 4 * (HEADER_WORDS + native.BLOCK_INSNS_MAX)  # in struct decoded
LENGTH_LIMIT = 15
STORE_CLASS = "store"
REPNE = 0xF2

MARK_BYTES = 8

#: Instructions after which a block ends, besides near branches and repeated strings.
ENDS = frozenset(
    [
        "int",
        "int1",
        "int3",
        "into",
        "iret",
        "iretd",
        "iretq",
        "syscall",
        "sysret",
        "sysretq",
        "sysenter",
        "sysexit",
        "sysexitq",
        "ljmp",
        "lcall",
        "retf",
        "retfq",
        "hlt",
        "sti",
        "cli",
        "popf",
        "popfd",
        "popfq",
        "cpuid",
        "rdtsc",
        "rdtscp",
        "rdmsr",
        "wrmsr",
        "in",
        "out",
        "insb",
        "insw",
        "insd",
        "outsb",
        "outsw",
        "outsd",
        "invlpg",
        "invpcid",
        "lgdt",
        "lidt",
        "lldt",
        "ltr",
        "lmsw",
        "clts",
        "wbinvd",
        "invd",
        "swapgs",
        "stac",
        "clac",
        "wrfsbase",
        "wrgsbase",
        "xsetbv",
        "mwait",
        "monitor",
        "ud0",
        "ud1",
        "ud2",
        "rsm",
        "pause",
        "bound",
    ]
)
#: Events that the core charges when they happen (crossing.c, control.c), not with the block.
CHARGED_WHEN_THEY_HAPPEN = frozenset(
    [
        "syscall",
        "sysret",
        "sysenter",
        "sysexit",
        "int_gate",
        "exception",
        "hardware_interrupt",
        "iret",
        "mov_cr",
        "mov_cr3",
        "mov_cr3_pcid",
        "invpcid",
    ]
)
FAR = frozenset({"ljmp", "lcall", "retf", "retfq"})
FLAG_LOSERS = ("set", "rcl", "rcr", "bts", "btr", "btc", "lock bts", "lock btr", "lock btc", "cmpxchg8b",
               "cmpxchg16b", "lock cmpxchg8b", "lock cmpxchg16b")  # fmt: skip
COMPARISONS = frozenset({"cmp", "test"})
FUSING_BRANCHES = frozenset(
    ["je", "jne", "ja", "jae", "jb", "jbe", "jg", "jge", "jl", "jle", "jo", "jno", "js", "jns", "jp", "jnp"]
)
LOOPS = frozenset({"loop", "loope", "loopne", "jcxz", "jecxz", "jrcxz"})


def branch_kind(mnemonic: str, operands: str) -> int:
    """Return the kind of near branch (``enum branch_kind``), or NO_BRANCH."""
    if mnemonic[0] == "j":
        if mnemonic == "jmp":
            return DIRECT if operands.startswith("0x") else INDIRECT
        return CONDITIONAL
    if mnemonic == "call":
        return CALL if operands.startswith("0x") else INDIRECT_CALL
    if mnemonic == "ret":
        return RETURN
    return CONDITIONAL if mnemonic in LOOPS else NO_BRANCH


def ends_block(mnemonic: str, operands: str) -> bool:
    """Whether a block ends after this instruction, which is no near branch."""
    if mnemonic in ENDS:
        return True
    if mnemonic in ("mov", "pop"):
        return operands[:2] in ("ss", "cr", "dr")
    return mnemonic == "lss"


def settles_flags(mnemonic: str, operands: str) -> bool:
    """Whether the engine must have worked out the flags before this instruction, in case it faults."""
    return "[" in operands and mnemonic.startswith(FLAG_LOSERS)


#: Micro-operations of instructions by their cost table: all machines of one processor share them.
_KNOWN: WeakKeyDictionary[CostTable, dict[tuple[int, str, bytes, bool, Reach], tuple[int, bytes]]] = (
    WeakKeyDictionary()
)


@functools.cache
def known_operands() -> X86Operands:
    """Return what finds operands: they depend on an instruction's bytes alone, so all machines share it."""
    return X86Operands()


class _Instruction(NamedTuple):
    """``fused``: it is delivered with the one before."""

    mnemonic: str
    code: bytes
    cost: InstructionCost
    fused: bool


class Decoder:
    """Fills ``struct decoded`` (native/block.h) for the block at an address."""

    def __init__(self, costs: CostTable, out: int) -> None:
        """``out`` is the address of the core's ``struct decoded``."""
        self._native = native.load()
        self._costs = costs
        self._out = out
        self._micro_ops = MicroOps(costs.profile)
        self._operands = known_operands()
        self._known_ops = _KNOWN.setdefault(costs, {})
        self._fuses = costs.profile.pipeline.fuses
        self._engines = [
            capstone.Cs(capstone.CS_ARCH_X86, mode)
            for mode in (capstone.CS_MODE_16, capstone.CS_MODE_32, capstone.CS_MODE_64)
        ]
        names = [name for name in layout(self._native) if name.startswith("cost.")]
        self._cost_id = {name.removeprefix("cost."): i for i, name in enumerate(names)}

    def decode(self, pc: int, address: int, length: int, page: int, mode: int) -> None:
        """Decode at most ``length`` bytes at the host address ``address``; see ``decode_callback``."""
        code = ctypes.string_at(address, min(length, native.BLOCK_INSNS_MAX * LENGTH_LIMIT))
        limit = 1 if mode & MODE_SINGLE else native.BLOCK_INSNS_MAX
        words: list[int] = []
        needs: list[_Instruction] = []
        compared, target = False, ""
        branch, flags, element, used, first_mark = NO_BRANCH, 0, 0, 0, 0
        for _, size, spelt, operands in disassemble(self._engines[mode & MODE_MASK], code, pc, limit):
            mnemonic = spelt
            mark = self._mark_at(code, used) if mnemonic == "nop" and size == MARK_BYTES else 0
            settles = settles_flags(mnemonic, operands)
            if words and (used + size > page or mark or settles):
                break
            flags |= SETTLES_FLAGS * settles
            first_mark = first_mark or mark
            if mnemonic == "movsd" and REPNE in code[used : used + size - 1] and "xmm" not in operands:
                mnemonic = "repne movsd"  # the disassembler takes the prefix for that of the SSE instruction
            cost = self._costs.cost(mnemonic, operands)
            fused = compared and mnemonic in FUSING_BRANCHES
            compared = self._fuses and mnemonic in COMPARISONS
            needs.append(_Instruction(mnemonic, code[used : used + size], cost, fused))
            words.append(size | self._fixed_price(cost.event, mnemonic) << 8)
            used += size
            prefix, _, bare = mnemonic.rpartition(" ")
            branch, target = branch_kind(bare, operands), operands
            if prefix.startswith("rep") and branch == NO_BRANCH:
                flags, element = flags | REPEATS, cost.element
                break
            if branch != NO_BRANCH or ends_block(bare, operands) or used >= page:
                break
        counts, operations = self._operations(mode & MODE_MASK, needs, loops=target == hex(pc))
        words = [word | number << 16 for word, number in zip(words, counts, strict=True)]
        header = (len(words), branch, flags, first_mark, element)
        answer = array("I", (*header, *words)).tobytes()
        ctypes.memmove(self._out, answer, len(answer))
        ctypes.memmove(self._out + OPERATIONS_AT, bytes(operations), len(operations))

    def _operations(
        self, mode: int, instructions: list[_Instruction], *, loops: bool
    ) -> tuple[list[int], bytes]:
        """Return how many micro-operations each instruction has, and ``struct micro_op`` for all of them."""
        reach = [Reach.SAME_LINE] * len(instructions)
        if any(STORE_CLASS in insn.cost.needs for insn in instructions):
            traces = [self._trace(mode, insn) for insn in instructions]
            reach = reaches(traces, loops=loops)
        made = [self._of(mode, insn, to) for insn, to in zip(instructions, reach, strict=True)]
        return [number for number, _ in made], b"".join(ops for _, ops in made)

    def _trace(self, mode: int, insn: _Instruction) -> Trace:
        trace = self._operands.trace(insn.code, mode)
        return trace if STORE_CLASS in insn.cost.needs else replace(trace, place=None)

    def _of(self, mode: int, insn: _Instruction, reach: Reach) -> tuple[int, bytes]:
        key = (mode, insn.mnemonic, insn.code, insn.fused, reach)
        known = self._known_ops.get(key)
        if known is None:
            operands = self._operands.of(insn.code, mode)
            ops = self._micro_ops.of(insn.cost.needs, operands, fused=insn.fused, reach=reach)
            known = self._known_ops[key] = len(ops), b"".join(op.packed() for op in ops)
        return known

    def _mark_at(self, code: bytes, at: int) -> int:
        mark = self._native.mark_at(code[at : at + MARK_BYTES], MARK_BYTES, native.MarkArchitecture.X86)
        return int(mark)

    def _fixed_price(self, event: str | None, mnemonic: str) -> int:
        if event is None or event in CHARGED_WHEN_THEY_HAPPEN or mnemonic in FAR:
            return NO_COST
        return self._cost_id[event]
