# SPDX-License-Identifier: GPL-2.0-or-later
"""Cycles by stack as flame-graph tools read them: frames from the outermost on, a blank, a number.

The first frame is the program that the stack began in; functions of the kernel end with ``_[k]``, which such
tools colour.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringscope.emulator.attribution.summary import CYCLES

if TYPE_CHECKING:
    from ringscope.emulator.attribution.names import Function
    from ringscope.emulator.attribution.summary import Summary


def text(summary: Summary) -> str:
    """Return a line for each stack that cycles were spent in; their sum is all that were."""
    lines = [
        f"{';'.join((_word(stack[0].program), *map(_frame, stack)))} {cost[CYCLES]}\n"
        for stack, cost in summary.stacks().items()
        if cost[CYCLES]
    ]
    return "".join(sorted(lines))


def _frame(function: Function) -> str:
    return _word(function.name) + ("" if function.user else "_[k]")


def _word(name: str) -> str:
    """Return a name without what separates frames and the number."""
    return name.replace(";", ":").replace(" ", "_")
