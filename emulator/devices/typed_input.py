# SPDX-License-Identifier: GPL-2.0-or-later
"""Input that a program types: bytes in a queue, offered at the instants of ``host_input``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringscope.emulator.devices.host_input import OfferInstants

if TYPE_CHECKING:
    from ringscope.emulator.devices.host_input import Position
    from ringscope.emulator.devices.interfaces import Receiver


class TypedInput:
    """All that was typed, each byte with its cycle; while none of it waits, nothing is due."""

    __slots__ = ("_given", "_receiver", "_typed", "instants")

    def __init__(self, receiver: Receiver, interval: int) -> None:
        """``interval`` is the cycles between offer instants."""
        self._receiver = receiver
        self._typed: list[tuple[int, int]] = []
        self._given = 0  # of them
        self.instants = OfferInstants(interval)

    def type(self, data: bytes, cycle: int) -> None:
        """Put bytes behind what waits; ``cycle`` is the present one.

        Where that was gone back to, what was typed later is not typed again: there is something else now.
        """
        self._typed = [before for before in self._typed if before[0] <= cycle]
        self._typed += [(cycle, byte) for byte in data]

    @property
    def exhausted(self) -> bool:
        """Whether nothing waits; more may be typed all the same."""
        return self._given == len(self._typed)

    def next_due(self) -> int | None:
        """Return the next offer instant after the next byte was typed, None while nothing waits."""
        if self.exhausted:
            return None
        cycle, _ = self._typed[self._given]
        if self.instants.next <= cycle:
            self.instants.missed(cycle)
        return self.instants.next

    def poll(self, cycle: int) -> None:
        """Offer a byte if an offer instant has come."""
        due = self.next_due()
        if due is None or cycle < due:
            return
        if not self._receiver.ready:
            self.instants.missed(cycle)
            return
        self.instants.offered(cycle)
        self._given += 1
        self._receiver.receive(self._typed[self._given - 1][1])

    def fileno(self) -> int | None:
        """Return None: the host has nothing to wait for."""
        return None

    def repeats_at(self) -> int | None:
        """Return None: no byte comes but at an offer instant."""
        return None

    def position(self) -> Position:
        """Return where it stands."""
        unread = bytes(byte for _, byte in self._typed[self._given :])
        return self.instants.position(self._given, unread, exhausted=self.exhausted)

    def rewind(self, to: Position) -> None:
        """Go back to where it stood: what was typed stays typed."""
        self._given = to.given
        self.instants.go_to(to)

    def take_over(self, other: Position, cycle: int) -> None:
        """Go on at ``cycle`` where another input stood."""
        self._typed, self._given = [(cycle, byte) for byte in other.unread], 0
        self.instants.go_to(other)
