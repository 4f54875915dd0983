# SPDX-License-Identifier: GPL-2.0-or-later
"""What a stub asks of whoever can take a machine back in time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ringscope.emulator.debug.halt import Halt


class Reverse(Protocol):
    """Motions backwards."""

    def step_back(self, n: int = 1) -> Halt:
        """Go back by instructions."""
        ...

    def resume_back(self) -> Halt:
        """Go back to the latest stop before this one, or to the beginning."""
        ...
