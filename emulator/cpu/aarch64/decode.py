# SPDX-License-Identifier: GPL-2.0-or-later
"""The first decoding of a basic block: where it ends, what it costs, what kind of branch ends it.

The native core calls this once per block and content (native/block.h) and keeps the answer. Where a block
ends depends on the guest's bytes alone:

- after a branch, or an instruction that raises or returns from an exception;
- after an instruction whose effect must be seen before the next one begins: it changes translation, the
  interrupt masks or the timer, reads a clock, drops translations or cached lines, waits;
- before a mark, so that a mark is always the first instruction of its block;
- at the page end, which no instruction crosses;
- after BLOCK_INSNS_MAX instructions.

Writes of registers that only keep a value (thread pointers, the saved state of an exception) end no block,
and neither do barriers of memory, DC ZVA, and loads and stores that are exclusive.
"""

from __future__ import annotations

import ctypes
from array import array
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import capstone

from ringscope.emulator.cpu.instructions import disassemble
from ringscope.emulator.native import library as native
from ringscope.emulator.timing.aarch64_operands import operands as operands_of
from ringscope.emulator.timing.micro_ops import MicroOps
from ringscope.emulator.timing.native_config import layout

if TYPE_CHECKING:
    from ringscope.emulator.timing.cost_table import CostTable, InstructionCost

MODE_SINGLE = 4
NO_BRANCH = 0xFF
NO_COST = 0xFF
CONDITIONAL, DIRECT, INDIRECT, CALL, INDIRECT_CALL, RETURN = range(6)  # enum branch_kind of predictor.h
NO_FLAGS = 0
NO_ELEMENT = 0
INSN_BYTES = 4
OPERATIONS_AT = 4 * (5 + native.BLOCK_INSNS_MAX)  # in struct decoded, behind its header and instructions

BRANCHES = {
    "b": DIRECT,
    "cbz": CONDITIONAL,
    "cbnz": CONDITIONAL,
    "tbz": CONDITIONAL,
    "tbnz": CONDITIONAL,
    "bl": CALL,
    "br": INDIRECT,
    "blr": INDIRECT_CALL,
    "ret": RETURN,
}
#: Instructions after which a block ends, besides branches and what their operands decide.
ENDS = frozenset("svc hvc smc brk hlt dcps1 dcps2 dcps3 udf eret drps isb wfi wfe tlbi ic sys sysl".split())
#: Registers whose writing changes nothing but what is read from them, or what ERET will do.
KEPT = frozenset(
    [
        "tpidr_el0",
        "tpidrro_el0",
        "tpidr_el1",
        "sp_el0",
        "elr_el1",
        "spsr_el1",
        "esr_el1",
        "far_el1",
        "par_el1",
        "afsr0_el1",
        "afsr1_el1",
        "fpcr",
        "fpsr",
        "nzcv",
    ]
)
#: Registers that read as something else as time goes by: the generic timer's and the performance counters'.
CLOCKS = ("cntp", "cntv", "cntk", "pm")
#: Events that the core charges when they happen (native/aarch64), not with the block.
CHARGED_WHEN_THEY_HAPPEN = frozenset({"svc", "firmware_call", "eret", "exception", "ttbr_write"})


def branch_kind(mnemonic: str) -> int:
    """Return the kind of branch (``enum branch_kind``), or NO_BRANCH."""
    if mnemonic.startswith("b."):
        return CONDITIONAL
    return BRANCHES.get(mnemonic, NO_BRANCH)


def ends_block(mnemonic: str, operands: str) -> bool:
    """Whether a block ends after this instruction, which is no branch."""
    if mnemonic == "msr":
        return operands.partition(",")[0] not in KEPT
    if mnemonic == "mrs":
        return operands.partition(", ")[2].startswith(CLOCKS)
    if mnemonic == "dc":
        return not operands.startswith("zva")
    return mnemonic in ENDS


#: Micro-operations of instructions by their cost table: all machines of one processor share them.
_KNOWN: WeakKeyDictionary[CostTable, dict[tuple[str, str], tuple[int, bytes]]] = WeakKeyDictionary()


class Decoder:
    """Fills ``struct decoded`` (native/block.h) for the block at an address."""

    def __init__(self, costs: CostTable, out: int) -> None:
        """``out`` is the address of the core's ``struct decoded``."""
        self._native = native.load()
        self._costs = costs
        self._out = out
        self._micro_ops = MicroOps(costs.profile)
        self._known_ops = _KNOWN.setdefault(costs, {})
        self._engine = capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM)
        names = [name for name in layout(self._native) if name.startswith("cost.")]
        self._cost_id = {name.removeprefix("cost."): i for i, name in enumerate(names)}

    def decode(self, pc: int, address: int, length: int, page: int, mode: int) -> None:
        """Decode at most ``length`` bytes at the host address ``address``; see ``decode_callback``."""
        limit = 1 if mode & MODE_SINGLE else native.BLOCK_INSNS_MAX
        code = ctypes.string_at(address, min(length, page, limit * INSN_BYTES))
        words: list[int] = []
        operations = bytearray()
        branch, first_mark = NO_BRANCH, 0
        for _, size, mnemonic, operands in disassemble(self._engine, code, pc, limit):
            mark = self._mark_at(code, len(words) * INSN_BYTES) if operands.startswith("xzr, ") else 0
            if words and mark:
                break
            first_mark = first_mark or mark
            cost = self._costs.cost(mnemonic, operands)
            count, ops = self._operations(mnemonic, operands, cost)
            operations += ops
            words.append(size | self._fixed_price(cost.event) << 8 | count << 16)
            branch = branch_kind(mnemonic)
            if branch != NO_BRANCH or ends_block(mnemonic, operands):
                break
        header = (len(words), branch, NO_FLAGS, first_mark, NO_ELEMENT)
        answer = array("I", (*header, *words)).tobytes()
        ctypes.memmove(self._out, answer, len(answer))
        ctypes.memmove(self._out + OPERATIONS_AT, bytes(operations), len(operations))

    def _operations(self, mnemonic: str, operands: str, cost: InstructionCost) -> tuple[int, bytes]:
        """Return how many micro-operations an instruction has, and ``struct micro_op`` for each."""
        key = (mnemonic, operands)
        known = self._known_ops.get(key)
        if known is None:
            ops = self._micro_ops.of(cost.needs, operands_of(mnemonic, operands))
            known = self._known_ops[key] = len(ops), b"".join(op.packed() for op in ops)
        return known

    def _mark_at(self, code: bytes, at: int) -> int:
        architecture = native.MarkArchitecture.AARCH64
        return int(self._native.mark_at(code[at : at + INSN_BYTES], INSN_BYTES, architecture))

    def _fixed_price(self, event: str | None) -> int:
        if event is None or event in CHARGED_WHEN_THEY_HAPPEN:
            return NO_COST
        return self._cost_id[event]
