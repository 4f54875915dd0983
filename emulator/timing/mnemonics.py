# SPDX-License-Identifier: GPL-2.0-or-later
"""Which instruction belongs to which class of cost: the tables of ``classes_ARCH.toml``."""

from __future__ import annotations

import fnmatch
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ringscope.emulator.timing.parameters import ProfileError


class InstructionCost(NamedTuple):
    """What one instruction costs.

    ``needs`` are the classes whose ports it occupies: its own, and ``load`` and ``store`` for its accesses.
    ``element`` is what each element of a repeated string instruction adds, in ISSUE_UNITS_PER_CYCLE.
    ``event`` is the name of its fixed price in native/costs.def, None if it has none.
    """

    needs: tuple[str, ...]
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
            memory={name: tuple(patterns) for name, patterns in document.get("memory", {}).items()},
        )

    def matches(self, use: str, mnemonic: str) -> bool:
        """Whether a mnemonic is listed under that use of memory."""
        return any(fnmatch.fnmatchcase(mnemonic, pattern) for pattern in self.memory[use])

    def event_of(self, mnemonic: str) -> str | None:
        """Return the event of a mnemonic, None if it is none."""
        return _first_match(self.event, mnemonic)

    def class_of(self, mnemonic: str) -> str:
        """Return the class of a mnemonic, "other" where none is given."""
        return _first_match(self.classes, mnemonic) or "other"


def _first_match(table: dict[str, str], mnemonic: str) -> str | None:
    exact = table.get(mnemonic)
    if exact is not None:
        return exact
    return next((name for pattern, name in table.items() if fnmatch.fnmatchcase(mnemonic, pattern)), None)
