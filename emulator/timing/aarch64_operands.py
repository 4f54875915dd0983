# SPDX-License-Identifier: GPL-2.0-or-later
"""Which registers an AArch64 instruction reads and writes, from its text as capstone spells it.

Registers 0 to 30 are the general ones, 31 the stack pointer, 32 the flags, then the 32 vector registers. The
zero register is none. The text is regular: the first operand is the result unless the instruction stores,
compares or branches.
"""

from __future__ import annotations

import re

from ringscope.emulator.timing.micro_ops import Operands

STACK_POINTER, FLAGS, VECTORS, LINK = 31, 32, 33, 30
REGISTER = re.compile(r"\b(?:([xw])(\d+|sp)|(sp)|([vqdshb])(\d+))\b")
MEMORY = re.compile(r"\[(.*?)\](!?)(?:, (#\S+|x\d+))?$")
COMPARES = ("cmp", "cmn", "tst", "ccmp", "ccmn", "fcmp", "fccmp")
SETS_FLAGS = frozenset("adds subs ands bics negs adcs sbcs ngcs".split())
READS_FLAGS = (
    "b.", "csel", "cset", "csinc", "csinv", "csneg", "cinc", "cinv", "cneg", "ccmp", "ccmn", "adc", "sbc",
    "ngc", "fcsel", "fccmp",
)  # fmt: skip
KEEPS_RESULT = frozenset("movk bfi bfxil bfm bfc ins mla mls fmla fmls bsl bit bif tbx sli sri".split())
NO_RESULT = (
    "st",
    "b",
    "cb",
    "tb",
    "ret",
    "msr",
    "prfm",
    "prfum",
    "nop",
    "hint",
    "dsb",
    "dmb",
    "isb",
    "svc",
    "eret",
    "ic ",
)
RESULTS = ("bfi", "bfxil", "bfm", "bfc", "bic", "bsl", "bit", "bif")
EXCLUSIVE = ("ldx", "ldax", "stx", "stlx", "ldar", "stlr", "cas", "swp", "ldadd", "ldclr", "ldset", "ldapr")
CONDITIONAL = ("b.", "cb", "tb")
LITERALS = frozenset({"ldr", "ldrsw"})  # where no register is in the address, the program counter is
MOVES = frozenset({"mov"})
CONSTANTS = frozenset({"movz", "movn", "movi", "mvni", "adr", "adrp"})


def _registers(text: str) -> tuple[int, ...]:
    numbers = []
    for general, number, sp, _, vector in REGISTER.findall(text):
        if sp or number == "sp":
            numbers.append(STACK_POINTER)
        elif general:
            numbers.append(int(number))
        else:
            numbers.append(VECTORS + int(vector))
    return tuple(numbers)


def operands(mnemonic: str, text: str) -> Operands:
    """Return the operands of an instruction."""
    memory = MEMORY.search(text)
    plain = text[: memory.start()] if memory else text
    parts = [part for part in re.split(r", (?![^{]*\})", plain) if part]
    address = _registers(memory[1]) if memory else ()
    updates = address[:1] if memory and (memory[2] or memory[3]) else ()
    results = _result_count(mnemonic)
    reads = [number for part in parts[results:] for number in _registers(part)]
    writes = [number for part in parts[:results] for number in _registers(part)]
    if mnemonic in KEEPS_RESULT or (writes and "[" in parts[0]):
        reads += writes
    if mnemonic.startswith(READS_FLAGS):
        reads.append(FLAGS)
    if mnemonic in SETS_FLAGS or mnemonic.startswith(COMPARES):
        writes.append(FLAGS)
    if mnemonic in ("bl", "blr"):
        writes.append(LINK)
    if mnemonic == "ret" and not reads:
        reads.append(LINK)
    accesses = _accesses(mnemonic, plain) if memory or mnemonic in LITERALS else 0
    return Operands(
        address=address,
        reads=tuple(dict.fromkeys(reads)),
        writes=tuple(dict.fromkeys(writes)),
        updates=updates,
        loads=accesses,
        stores=accesses,
        own=accesses if mnemonic.startswith(EXCLUSIVE) else 0,
        copies=mnemonic in MOVES and not memory,
        constant=mnemonic in CONSTANTS or (mnemonic == "mov" and not reads),
        resolves=mnemonic.startswith(CONDITIONAL) or mnemonic in ("br", "blr", "ret"),
    )


def _result_count(mnemonic: str) -> int:
    if mnemonic.startswith(("stxr", "stlxr", "stxp", "stlxp")):
        return 1
    if mnemonic.startswith(COMPARES) or (mnemonic.startswith(NO_RESULT) and not mnemonic.startswith(RESULTS)):
        return 0
    return 2 if mnemonic in ("ldp", "ldpsw", "ldnp", "ldxp", "ldaxp") else 1


def _accesses(mnemonic: str, registers: str) -> int:
    """Return how many the engine makes of it: one for each register of up to 64 bits, two for one of 128."""
    wide = 2 if re.match(r"q\d|\{?v", registers.lstrip("{ ")) else 1
    pair = mnemonic in ("ldp", "ldpsw", "ldnp", "stp", "stnp", "ldxp", "ldaxp")
    return wide * (2 if pair else max(registers.count("v"), 1) if wide == 2 and "v" in registers else 1)
