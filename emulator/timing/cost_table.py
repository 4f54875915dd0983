# SPDX-License-Identifier: GPL-2.0-or-later
"""The static cost of an instruction, from its mnemonic and operands as capstone spells them.

An instruction has a class (``classes_ARCH.toml``), whose throughput and latency are numbers of the profile.
What besides the mnemonic decides the class is the architecture's own business: ``x86_64_classes.py``,
``aarch64_classes.py``. An instruction of fixed price (``syscall``, ``mov cr3``) has no class: it is an
*event* that the native core charges when it happens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from ringscope.emulator.timing.aarch64_classes import Aarch64Classes
from ringscope.emulator.timing.mnemonics import InstructionCost, Mnemonics
from ringscope.emulator.timing.parameters import ProfileError
from ringscope.emulator.timing.x86_64_classes import X86Classes

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringscope.emulator.timing.profile import Profile

__all__ = ["CostTable", "InstructionCost"]


#: Loads take the first level's latency, a store has no result, an element is a price of its own.
NO_LATENCY = frozenset(
    {
        "load",
        "load_pair",
        "load_vector",
        "store",
        "store_pair",
        "store_vector",
        "rep_string",
        "rep_element",
        "nop",
    }
)


class Classes(Protocol):
    """One architecture's rules. ``prices`` names the issue costs that a profile must have for them."""

    prices: frozenset[str]

    def shape(self, mnemonic: str, op_str: str) -> Any:  # noqa: ANN401 (hashable, and each architecture's own)
        """Return what of an instruction decides its cost."""

    def classify(self, mnemonic: str, op_str: str) -> str:
        """Return the name of an instruction's event or class."""

    def cost(self, shape: Any) -> InstructionCost:  # noqa: ANN401 (what its own ``shape`` returned)
        """Return the cost of every instruction of that shape."""


ARCHITECTURES: dict[str, Callable[[Profile, Mnemonics], Classes]] = {
    "x86_64": X86Classes,
    "aarch64": Aarch64Classes,
}


class CostTable:
    """Costs of instructions on one profile; answers are remembered by what decides them."""

    def __init__(self, profile: Profile) -> None:
        """Read the architecture's table; ProfileError unless the profile prices everything in it."""
        self.profile = profile
        self.mnemonics = Mnemonics.load(profile.arch)
        self._classes = ARCHITECTURES[profile.arch](profile, self.mnemonics)
        self._known: dict[object, InstructionCost] = {}
        missing = sorted(self._classes.prices - profile.issue.keys())
        if not profile.pipeline.fixed:
            missing += [
                f"pipeline.latency.{name}"
                for name in sorted(self._classes.prices - NO_LATENCY - profile.pipeline.latency.keys())
            ]
        missing += [
            f"cost.{name}" for name in sorted(set(self.mnemonics.event.values()) - profile.cost.keys())
        ]
        if missing:
            raise ProfileError(f"profile {profile.name}: no price for {', '.join(missing)}")

    def cost(self, mnemonic: str, op_str: str) -> InstructionCost:
        """Return the cost of an instruction given as capstone's ``mnemonic`` and ``op_str``."""
        shape = self._classes.shape(mnemonic, op_str)
        known = self._known.get(shape)
        if known is None:
            known = self._known[shape] = self._classes.cost(shape)
        return known

    def classify(self, mnemonic: str, op_str: str) -> str:
        """Return the name of an instruction's event or class, without what its memory operands add."""
        return self._classes.classify(mnemonic, op_str)
