# SPDX-License-Identifier: GPL-2.0-or-later
"""Classes of x86 instructions, by mnemonic and operands.

An instruction that accesses memory also needs the class ``load``, ``store`` or both.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ringscope.emulator.timing.mnemonics import InstructionCost
from ringscope.emulator.timing.parameters import ISSUE_UNITS_PER_CYCLE

if TYPE_CHECKING:
    from ringscope.emulator.timing.mnemonics import Mnemonics
    from ringscope.emulator.timing.profile import Profile

REPEATS = frozenset({"rep", "repe", "repne", "repz", "repnz"})
PREFIXES = REPEATS | {"lock", "bnd", "notrack", "xacquire", "xrelease", "data16", "addr32"}
SEGMENTS = frozenset({"ds", "es", "ss", "fs", "gs"})
CONTROL_REGISTERS = {"cr0": "mov_cr", "cr3": "mov_cr3", "cr4": "mov_cr", "cr8": "mov_cr"}
#: String instructions and SSE instructions of the same name; the operands tell them apart.
AMBIGUOUS = frozenset({"movsd", "cmpsd"})
WIDE_REGISTER = re.compile(r"r(?:[a-ds][a-z]|\d+)$")
MEMORY = re.compile(r"\[.*?\]")
REGISTER = re.compile(r"[a-z][a-z0-9]*")
VECTOR, CROSSING = "xmm", "crossing"
#: What a class is called where a value goes from the general registers to the vector ones, or back.
ACROSS = {"sse_int": "sse_move", "sse_fp": "sse_convert"}


def _special(op_str: str, first: str) -> str:
    """Return the special register that a first operand is, or VECTOR or CROSSING, or nothing."""
    if first in SEGMENTS or first[:2] in ("cr", "dr"):
        return first
    if "xmm" not in op_str:
        return ""
    names = [text.strip() for text in MEMORY.sub("", op_str).split(",")]
    registers = [name for name in names if REGISTER.fullmatch(name)]
    return VECTOR if all(name.startswith("xmm") for name in registers) else CROSSING


def _operands(op_str: str) -> tuple[int, bool, str]:
    """Return what of the operands matters for the cost.

    Where memory stands (2: first, 1: later), whether the first operand has 64 bits, and the special register.
    """
    first, _, rest = op_str.partition(",")
    special = _special(op_str, first)
    wide = "qword" in op_str or WIDE_REGISTER.match(first) is not None
    return 2 * ("[" in first) + ("[" in rest), wide, special


class X86Classes:
    """Costs of x86 instructions on one profile."""

    def __init__(self, profile: Profile, mnemonics: Mnemonics) -> None:
        """``mnemonics`` are the tables of classes_x86_64.toml."""
        self._prices = profile.issue
        self._fixed = profile.cost
        self._mnemonics = mnemonics
        own = {"load", "load_vector", "store", "div32", "div64", "rep_string", "rep_element", "other"}
        self.prices = frozenset(set(mnemonics.classes.values()) - {"div"} | own | set(ACROSS.values()))

    def shape(self, mnemonic: str, op_str: str) -> tuple[str, int, bool, str]:
        """Return what of an instruction decides its cost."""
        return (mnemonic, *_operands(op_str))

    def classify(self, mnemonic: str, op_str: str) -> str:
        """Return the name of an instruction's event or class, without what its memory operands add."""
        _, wide, special = _operands(op_str)
        *prefixes, bare = mnemonic.split()
        return self._event(bare, special, prefixes) or self._class(bare, special, wide=wide)

    def cost(self, shape: tuple[str, int, bool, str]) -> InstructionCost:
        """Return the cost of every instruction of that shape."""
        mnemonic, memory, wide, special = shape
        prices = self._prices
        words = mnemonic.split()
        bare = words[-1]
        prefixes = [word for word in words[:-1] if word in PREFIXES]
        repeats = any(word in REPEATS for word in prefixes)
        event = self._event(bare, special, prefixes)
        if event is not None:
            element = self._fixed[event] * ISSUE_UNITS_PER_CYCLE if repeats else 0
            return InstructionCost((), event, element)
        name = self._class(bare, special, wide=wide)
        if name == "string":
            return (
                InstructionCost(("rep_string",), None, prices["rep_element"])
                if repeats
                else InstructionCost(("string",), None, 0)
            )
        if "lock" in prefixes or (bare == "xchg" and memory):
            return InstructionCost(("locked",), None, 0)
        load = "load_vector" if special == VECTOR else "load"
        return InstructionCost((name, *self._accesses(bare, memory, load)), None, 0)

    def _event(self, bare: str, first: str, prefixes: list[str]) -> str | None:
        if bare in ("mov", "pop"):
            if first[:2] == "dr":
                return "mov_dr"
            return "segment_load" if first in SEGMENTS else CONTROL_REGISTERS.get(first)
        if bare == "nop" and prefixes:
            return None
        return self._mnemonics.event_of(bare)

    def _class(self, bare: str, special: str, *, wide: bool) -> str:
        if bare in AMBIGUOUS and special == VECTOR:
            return "sse_int" if bare == "movsd" else "sse_fp"
        name = self._mnemonics.class_of(bare)
        if special == CROSSING:
            return ACROSS.get(name, name)
        if name == "div":
            return "div64" if wide else "div32"
        return name

    def _accesses(self, bare: str, memory: int, load: str) -> list[str]:
        """Return ``load``, the class of its loads, and "store" as they apply.

        ``memory`` & 2: the first operand is in memory; & 1: a later one.
        """
        use = self._mnemonics
        accesses = ["store"] * use.matches("pushes", bare) + ["load"] * use.matches("pops", bare)
        if not memory or use.matches("none", bare):
            return accesses
        if memory & 1 or use.matches("read", bare):
            return [*accesses, load]
        if use.matches("written", bare):
            return [*accesses, "store"]
        return [load, "store"]
