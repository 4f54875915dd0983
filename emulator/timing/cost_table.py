# SPDX-License-Identifier: GPL-2.0-or-later
"""The static cost of an instruction, from its mnemonic and operands as capstone spells them.

An instruction has a class (``classes_ARCH.toml``), whose cost is a number of the profile in 1/64 cycle. One
that accesses memory also needs the class ``load``, ``store`` or both, in parallel: it costs what the
dearest does, its reciprocal throughput when run alone. An instruction of fixed price (``syscall``, ``mov
cr3``) has no class: it is an *event* that the native core charges when it happens.
"""

from __future__ import annotations

import fnmatch
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ringscope.emulator.timing.parameters import ProfileError
from ringscope.emulator.timing.profile import ISSUE_UNITS_PER_CYCLE, Profile

REPEATS = frozenset({"rep", "repe", "repne", "repz", "repnz"})
PREFIXES = REPEATS | {"lock", "bnd", "notrack", "xacquire", "xrelease", "data16", "addr32"}
SEGMENTS = frozenset({"ds", "es", "ss", "fs", "gs"})
CONTROL_REGISTERS = {"cr0": "mov_cr", "cr3": "mov_cr3", "cr4": "mov_cr", "cr8": "mov_cr"}
#: String instructions and SSE instructions of the same name; the operands tell them apart.
AMBIGUOUS = frozenset({"movsd", "cmpsd"})
WIDE_REGISTER = re.compile(r"r(?:[a-ds][a-z]|\d+)$")


class InstructionCost(NamedTuple):
    """What one instruction costs.

    ``issue`` and ``element`` are in 1/64 cycle; ``element`` is what each element of a repeated string
    instruction adds. ``event`` is the name of its fixed price in native/costs.def, None if it has none.
    """

    issue: int
    event: str | None
    element: int


@dataclass(frozen=True)
class Mnemonics:
    """The mnemonic tables of one architecture: name by pattern, in the order of the file."""

    event: dict[str, str]
    classes: dict[str, str]
    memory: dict[str, tuple[str, ...]]

    @staticmethod
    def load(arch: str) -> Mnemonics:
        """Return the tables of ``classes_ARCH.toml``; ProfileError if there is no such file."""
        path = Path(__file__).parent / f"classes_{arch}.toml"
        if not path.exists():
            raise ProfileError(
                f"{arch}: there is no table of instruction classes for this architecture ({path})"
            )
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        return Mnemonics(
            event={pattern: name for name, patterns in document["event"].items() for pattern in patterns},
            classes={pattern: name for name, patterns in document["class"].items() for pattern in patterns},
            memory={name: tuple(patterns) for name, patterns in document["memory"].items()},
        )

    def matches(self, use: str, mnemonic: str) -> bool:
        """Whether a mnemonic is listed under that use of memory."""
        return any(fnmatch.fnmatchcase(mnemonic, pattern) for pattern in self.memory[use])


def _first_match(table: dict[str, str], mnemonic: str) -> str | None:
    exact = table.get(mnemonic)
    if exact is not None:
        return exact
    return next((name for pattern, name in table.items() if fnmatch.fnmatchcase(mnemonic, pattern)), None)


def _shape(op_str: str) -> tuple[int, bool, str]:
    """Return what of the operands matters for the cost.

    Where memory stands (2: first, 1: later), whether the first operand has 64 bits, and the special register.
    """
    first, _, rest = op_str.partition(",")
    special = first if first in SEGMENTS or first[:2] in ("cr", "dr") else "xmm" if "xmm" in op_str else ""
    wide = "qword" in op_str or WIDE_REGISTER.match(first) is not None
    return 2 * ("[" in first) + ("[" in rest), wide, special


@dataclass
class CostTable:
    """Costs of x86 instructions on one profile; answers are remembered by mnemonic and operand shape."""

    profile: Profile
    mnemonics: Mnemonics = field(init=False)
    _known: dict[tuple[str, int, bool, str], InstructionCost] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Read the architecture's table and check that the profile prices everything in it."""
        self.mnemonics = Mnemonics.load(self.profile.arch)
        prices = set(self.mnemonics.classes.values()) - {"div"}
        prices |= {"load", "store", "div32", "div64", "rep_string", "rep_element", "other"}
        missing = sorted(prices - self.profile.issue.keys())
        missing += [
            f"cost.{name}" for name in sorted(set(self.mnemonics.event.values()) - self.profile.cost.keys())
        ]
        if missing:
            raise ProfileError(f"profile {self.profile.name}: no price for {', '.join(missing)}")

    def cost(self, mnemonic: str, op_str: str) -> InstructionCost:
        """Return the cost of an instruction given as capstone's ``mnemonic`` and ``op_str``."""
        shape = (mnemonic, *_shape(op_str))
        known = self._known.get(shape)
        if known is None:
            known = self._known[shape] = self._decide(*shape)
        return known

    def classify(self, mnemonic: str, op_str: str) -> str:
        """Return the name of an instruction's event or class, without what its memory operands add."""
        _, wide, special = _shape(op_str)
        *prefixes, bare = mnemonic.split()
        return self._event(bare, special, prefixes) or self._class(bare, vector=special == "xmm", wide=wide)

    def _event(self, bare: str, first: str, prefixes: list[str]) -> str | None:
        if bare in ("mov", "pop"):
            if first[:2] == "dr":
                return "mov_dr"
            return "segment_load" if first in SEGMENTS else CONTROL_REGISTERS.get(first)
        if bare == "nop" and prefixes:
            return None
        return _first_match(self.mnemonics.event, bare)

    def _class(self, bare: str, *, vector: bool, wide: bool) -> str:
        if bare in AMBIGUOUS and vector:
            return "sse_int" if bare == "movsd" else "sse_fp"
        name = _first_match(self.mnemonics.classes, bare) or "other"
        if name == "div":
            return "div64" if wide else "div32"
        return name

    def _decide(self, mnemonic: str, memory: int, wide: bool, special: str) -> InstructionCost:
        prices = self.profile.issue
        words = mnemonic.split()
        bare = words[-1]
        prefixes = [word for word in words[:-1] if word in PREFIXES]
        repeats = any(word in REPEATS for word in prefixes)
        event = self._event(bare, special, prefixes)
        if event is not None:
            element = self.profile.cost[event] * ISSUE_UNITS_PER_CYCLE if repeats else 0
            return InstructionCost(0, event, element)
        name = self._class(bare, vector=special == "xmm", wide=wide)
        if name == "string":
            return (
                InstructionCost(prices["rep_string"], None, prices["rep_element"])
                if repeats
                else InstructionCost(prices["string"], None, 0)
            )
        if "lock" in prefixes or (bare == "xchg" and memory):
            return InstructionCost(prices["locked"], None, 0)
        needs = [name, *self._accesses(bare, memory)]
        return InstructionCost(max(prices[need] for need in needs), None, 0)

    def _accesses(self, bare: str, memory: int) -> list[str]:
        """Return "load" and "store" as they apply.

        ``memory`` & 2: the first operand is in memory; & 1: a later one.
        """
        use = self.mnemonics
        accesses = ["store"] * use.matches("pushes", bare) + ["load"] * use.matches("pops", bare)
        if not memory or use.matches("none", bare):
            return accesses
        if memory & 1 or use.matches("read", bare):
            return [*accesses, "load"]
        if use.matches("written", bare):
            return [*accesses, "store"]
        return ["load", "store"]
