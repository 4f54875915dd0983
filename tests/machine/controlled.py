# SPDX-License-Identifier: GPL-2.0-or-later
"""Guests run under a Control."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringscope.emulator.debug.control import Control, Halt, Why

if TYPE_CHECKING:
    from tests.machine import whole


class Stopped:
    """A way to run: with a Control that was told where to stop, step by step; it keeps the halts."""

    def __init__(self, prepare, go=Control.resume, most: int = 3000) -> None:
        self.prepare = prepare
        self.go = go
        self.most = most
        self.halts: list[Halt] = []

    def __call__(self, observed: whole.Observed):
        control = Control(observed.machine)
        self.prepare(control)
        while (halt := self.go(control)).why is not Why.END:
            self.halts.append(halt)
            if len(self.halts) == self.most:
                for place in (*control.breakpoints, *control.watchpoints):
                    control.remove(place)
                control.stop_on = ()
        return halt.detail
