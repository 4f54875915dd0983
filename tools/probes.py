# SPDX-License-Identifier: GPL-2.0-or-later
"""``--probe``: operations for the ledger in code that carries no marks."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ringscope.emulator.debug.probes import Probe, Words
from ringscope.tools.options import UsageError

if TYPE_CHECKING:
    import argparse
    import contextlib
    from collections.abc import Callable, Iterable

    from ringscope.emulator.machine import Machine
    from ringscope.tools.session import Image


def add_probe_option(group: argparse._ArgumentGroup) -> None:
    """Declare what is probed; the option may be given many times."""
    group.add_argument(
        "--probe",
        metavar="SYMBOL",
        action="append",
        default=[],
        help="book a function too, from its entry to its return: a symbol of the kernel, PROGRAM:SYMBOL of a "
        "module, FROM..UNTIL; again for more",
    )


class Probes:
    """The probes of one run: what ``session.run`` is to have watched."""

    def __init__(self, texts: Iterable[str]) -> None:
        """Read what they are called. Raises PlaceError, UsageError."""
        self._words = [Words.read(text) for text in texts]
        given = [words.text for words in self._words]
        again = next((text for text in given if given.count(text) > 1), None)
        if again is not None:
            raise UsageError(f"--probe {again} is given twice; give it once")
        self._probes: list[Probe] = []

    def __call__(self, machine: Machine, image: Image, stack: contextlib.ExitStack) -> Callable[[], None]:
        """Set them, with the machine loaded."""
        del stack
        try:
            self._probes = [Probe(machine, image, words) for words in self._words]
        except ValueError as error:
            raise UsageError(str(error)) from error
        return _nothing

    def explain(self, counts: dict[str, int]) -> None:
        """Say on stderr of which nothing is in the ledger, and why."""
        for probe in self._probes:
            if probe.name not in counts:
                entered = probe.entries
                times = "once" if entered == 1 else f"{entered:,} times"
                why = f"was entered {times} and never ended" if entered else "was never reached"
                print(f"ringscope: {probe.name} {why}", file=sys.stderr)


def _nothing() -> None:
    """There is nothing to do between two slices."""
