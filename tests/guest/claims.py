# SPDX-License-Identifier: GPL-2.0-or-later
"""Read what a guest program claimed, and judge it against the written exceptions."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tests.guest.machines import Outcome

EXCEPTIONS: Final = Path(__file__).with_name("exceptions.toml")
COUNT: Final = re.compile(r"^(\d+) passed, (\d+) failed, (\d+) skipped$")


@dataclass
class Claims:
    """The claims of one run by verdict, in order; ``count`` is the guest's own last line, if any."""

    ok: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    count: tuple[int, ...] | None = None


def read(lines: list[str]) -> Claims:
    """Sort a run's lines into claims; lines that are none are passed over."""
    claims = Claims()
    for line in lines:
        verdict, _, rest = line.partition(" ")
        if verdict == "ok":
            claims.ok.append(rest)
        elif verdict == "FAIL":
            claims.failed.append(rest.rpartition(": ")[0] or rest)
        elif verdict == "skip":
            claims.skipped.append(rest.rpartition(": ")[0] or rest)
        elif found := COUNT.match(line):
            claims.count = tuple(map(int, found.groups()))
    return claims


def listed() -> list[dict[str, Any]]:
    """Return the entries of exceptions.toml."""
    entries: list[dict[str, Any]] = tomllib.loads(EXCEPTIONS.read_text(encoding="utf-8"))["exception"]
    return entries


def exceptions(machine: str, program: str) -> dict[str, str]:
    """Return the claims of ``program`` that ``machine`` is known not to keep, each with the reason.

    A machine's variants, named after a hyphen, keep what it keeps.
    """
    machine = machine.partition("-")[0]
    return {
        claim: entry["reason"]
        for entry in listed()
        if entry["machine"] == machine and entry["program"] == program
        for claim in entry["claims"]
    }


def complaints(
    machine: str, program: str, ending: str, outcome: Outcome, *, has_status: bool = True
) -> list[str]:
    """Return one sentence for each thing wrong with the run; none if all is as it should be.

    Where the board's way out takes no status (``has_status`` is false) the machine's is always 0.
    """
    claims, excused = read(outcome.lines), exceptions(machine, program)
    found = [f"claim failed: {name}" for name in claims.failed if name not in excused]
    found += [f"listed as an exception, but kept: {name}" for name in excused if name in claims.ok]
    if outcome.ended != ending:
        found.append(f"ended by {outcome.ended}, not by {ending}")
    if not claims.ok:
        found.append("no claim was made")
    if ending == "exit":
        if outcome.status != (1 if claims.failed and has_status else 0):
            found.append(f"exit status {outcome.status}")
        if claims.count != (len(claims.ok), len(claims.failed), len(claims.skipped)):
            found.append(f"the guest counted {claims.count}")
    return found
