# SPDX-License-Identifier: GPL-2.0-or-later
"""Input that a program types: bytes in a queue, offered at the instants of ``host_input``."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from ringscope.emulator.devices.host_input import OfferInstants

if TYPE_CHECKING:
    from ringscope.emulator.devices.interfaces import Receiver


class TypedInput:
    """What was typed and not yet received; while that is nothing, nothing is due."""

    __slots__ = ("_receiver", "_waiting", "instants")

    def __init__(self, receiver: Receiver, interval: int) -> None:
        """``interval`` is the cycles between offer instants."""
        self._receiver = receiver
        self._waiting: deque[int] = deque()
        self.instants = OfferInstants(interval)

    def type(self, data: bytes, cycle: int) -> None:
        """Put bytes behind what waits; ``cycle`` is the present one."""
        if not self._waiting and self.instants.next <= cycle:
            self.instants.missed(cycle)
        self._waiting.extend(data)

    @property
    def exhausted(self) -> bool:
        """Whether nothing waits; more may be typed all the same."""
        return not self._waiting

    def next_due(self) -> int | None:
        """Return the next offer instant, None while nothing waits."""
        return self.instants.next if self._waiting else None

    def poll(self, cycle: int) -> None:
        """Offer a byte if an offer instant has come."""
        if not self._waiting or cycle < self.instants.next:
            return
        if not self._receiver.ready:
            self.instants.missed(cycle)
            return
        self.instants.offered(cycle)
        self._receiver.receive(self._waiting.popleft())

    def fileno(self) -> int | None:
        """Return None: the host has nothing to wait for."""
        return None
