# SPDX-License-Identifier: GPL-2.0-or-later
"""Classes of AArch64 instructions, by mnemonic and operands.

Instructions that name a system register or an operation on translations and caches are looked up together
with it: ``msr ttbr0_el1``, ``mrs esr_el1``, ``tlbi vmalle1``, ``dc zva``. Of the others the operands tell a
shifted or extended register, the width of a multiplication or division, and a vector register.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ringscope.emulator.timing.mnemonics import InstructionCost

if TYPE_CHECKING:
    from ringscope.emulator.timing.mnemonics import Mnemonics
    from ringscope.emulator.timing.profile import Profile

#: Looked up with the operand of this number.
NAMED_OPERAND = {"msr": 0, "mrs": 1, "tlbi": 0, "dc": 0, "ic": 0, "at": 0}
VECTOR = re.compile(r"\b[vqdshb]\d")
SHIFTED = re.compile(r", (?:lsl|lsr|asr|ror|uxt[bhwx]|sxt[bhwx])\b")
#: Classes that are split by the operands' width, and those of the same mnemonic on vector registers.
BY_WIDTH = {"mul": ("mul32", "mul64"), "div": ("div32", "div64")}
ON_VECTORS = {
    "alu": "simd",
    "mul32": "simd",
    "mul64": "simd",
    "load_pair": "load_vector",
    "store": "store_vector",
    "store_pair": "store_vector",
}
#: Scalars of up to 64 bits are loaded and stored as general registers are.
MOVES = frozenset({"store", "load_pair", "store_pair"})
NARROW = re.compile(r"[dshb]\d")


class Shape(NamedTuple):
    """What of an instruction decides its cost."""

    key: str
    wide: bool
    vector: bool
    narrow: bool
    shifted: bool


class Aarch64Classes:
    """Costs of AArch64 instructions on one profile."""

    def __init__(self, _: Profile, mnemonics: Mnemonics) -> None:
        """``mnemonics`` are the tables of classes_aarch64.toml."""
        self._mnemonics = mnemonics
        named = set(mnemonics.classes.values()) - BY_WIDTH.keys()
        split = {name for names in BY_WIDTH.values() for name in names}
        self.prices = frozenset(named | split | set(ON_VECTORS.values()) | {"alu_shifted", "other"})

    def shape(self, mnemonic: str, op_str: str) -> Shape:
        """Return what of an instruction decides its cost."""
        number = NAMED_OPERAND.get(mnemonic)
        if number is not None:
            operand = op_str.split(", ")[number : number + 1]
            return Shape(" ".join([mnemonic, *operand]), False, False, False, False)
        return Shape(
            mnemonic,
            op_str.startswith("x"),
            VECTOR.search(op_str) is not None,
            NARROW.match(op_str) is not None,
            "[" not in op_str and SHIFTED.search(op_str) is not None,
        )

    def classify(self, mnemonic: str, op_str: str) -> str:
        """Return the name of an instruction's event or class."""
        shape = self.shape(mnemonic, op_str)
        return self._mnemonics.event_of(shape.key) or self._class(shape)

    def cost(self, shape: Shape) -> InstructionCost:
        """Return the cost of every instruction of that shape."""
        event = self._mnemonics.event_of(shape.key)
        if event is not None:
            return InstructionCost((), event, 0)
        return InstructionCost((self._class(shape),), None, 0)

    def _class(self, shape: Shape) -> str:
        name = self._mnemonics.class_of(shape.key)
        if name in BY_WIDTH:
            name = BY_WIDTH[name][shape.wide]
        if shape.vector and not (shape.narrow and name in MOVES):
            return ON_VECTORS.get(name, name)
        return "alu_shifted" if name == "alu" and shape.shifted else name
