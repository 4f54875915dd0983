# SPDX-License-Identifier: GPL-2.0-or-later
"""A document that ``ringscope compare --json`` wrote earlier, and what moved since."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ringscope.bootimage.files import content
from ringscope.tools.options import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Move:
    """One figure per operation on one machine, before and now; None where a run does not have it."""

    machine: str
    figure: str
    before: float | None
    now: float | None


class Baseline:
    """The document, found to be one. Raises UsageError for what ``compare`` did not write."""

    def __init__(self, path: Path) -> None:
        """Read the file."""
        self._path = path
        try:
            text = content(path)
        except OSError as error:
            raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
        try:
            document = json.loads(text)
            self._machines = {machine_name(machine): _figures(machine) for machine in document["machines"]}
        except (ValueError, TypeError, KeyError, AttributeError, ZeroDivisionError, RecursionError) as error:
            raise UsageError(
                f"{path}: not a baseline; write one with 'ringscope compare --json FILE'"
            ) from error

    def check(self, machine: str, operation: str) -> None:
        """Raise UsageError where there is nothing to compare an operation of a machine with."""
        for wanted, there in ((machine, self._machines), (operation, self._machines.get(machine, {}))):
            if wanted not in there:
                names = ", ".join(there) or "nothing"
                raise UsageError(f"{self._path}: has no {wanted}, only {names}; write a new baseline")

    def moves(self, document: Mapping[str, Any], operation: str, tolerance: float) -> Iterator[Move]:
        """Yield the figures of a run's document that differ by more than ``tolerance`` % of before."""
        machine = machine_name(document)
        self.check(machine, operation)
        then, now = self._machines[machine][operation], _figures(document)[operation]
        for figure in then | now:
            before, after = then.get(figure), now.get(figure)
            if before is None or after is None or abs(after - before) > before * tolerance / 100:
                yield Move(machine, figure, before, after)


def machine_name(document: Mapping[str, Any]) -> str:
    """Return what the machine of a run's document is called: arch and processor."""
    return f"{document['arch']} {document['cpu']}"


def _figures(document: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Return by operation: how often it was carried out, and each counter and cause of cycles per one."""
    return {
        str(entry["name"]): {
            "carried out": int(entry["count"]),
            **{str(name): float(value) for name, value in entry["per_op"].items()},
            **{
                f"{cause} cycles": cycles / int(entry["count"])
                for cause, cycles in entry["cycles_by_cause"].items()
            },
        }
        for entry in document["ledger"]
    }
