# SPDX-License-Identifier: GPL-2.0-or-later
"""A log of what was typed as the host's input: the same bytes arrive at the same cycles."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ringscope.bootimage.files import content
from ringscope.emulator.devices.host_input import HEADER, InputLogError, Position

if TYPE_CHECKING:
    from pathlib import Path

    from ringscope.emulator.devices.interfaces import Receiver


class ReplayInput:
    """The events of a log; see the head of this file."""

    __slots__ = ("_given", "_receiver", "events", "name")

    def __init__(self, log: Path, receiver: Receiver, hz: int) -> None:
        """Read the whole log. Raise InputLogError when it is not one or was made at another clock rate."""
        self._receiver = receiver
        self.name = str(log)
        self.events = _read_log(log, hz)
        self._given = 0  # of them

    @property
    def exhausted(self) -> bool:
        """Whether the log is at its end."""
        return self._given == len(self.events)

    def next_due(self) -> int | None:
        """Return the cycle of the next byte."""
        return None if self.exhausted else self.events[self._given][1]

    def poll(self, cycle: int) -> None:
        """Deliver what is due. Raise InputLogError when the guest does not listen: it is another image."""
        while not self.exhausted and self.events[self._given][1] <= cycle:
            number, due, byte = self.events[self._given]
            self._given += 1
            if not self._receiver.ready:
                raise InputLogError(
                    f"{self.name}, line {number}: the guest does not listen at cycle {due}; "
                    "replay with the image and the options that the log was made with"
                )
            self._receiver.receive(byte)

    def fileno(self) -> int | None:
        """Return None: nothing to wait for."""
        return None

    def repeats_at(self) -> int | None:
        """Return None: each byte is due by itself."""
        return None

    def position(self) -> Position:
        """Return where it stands."""
        return Position(self._given, b"", self.exhausted, 1, self.next_due() or 0)

    def rewind(self, to: Position) -> None:
        """Go back to where it stood."""
        self._given = to.given

    def take_over(self, other: Position, cycle: int) -> None:
        """Go on at `cycle`: what the log has before it was given before."""
        del other
        self._given = sum(due < cycle for _, due, _ in self.events)


def _read_log(log: Path, hz: int) -> list[tuple[int, int, int]]:
    """Return (line number, cycle, byte) of each byte."""
    try:
        lines = content(log).decode("ascii").splitlines()
    except OSError as error:
        raise InputLogError(f"input log {log} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputLogError(f"input log {log} is not a log: it is not text") from error
    if not lines or not re.fullmatch(rf"{HEADER} hz=\d{{1,12}}", lines[0]):
        raise InputLogError(f"input log {log}, line 1: not the header of a log ({HEADER} hz=...)")
    logged_hz = int(lines[0].rpartition("=")[2])
    if logged_hz != hz:
        raise InputLogError(f"input log {log} was made at {logged_hz} Hz; this machine runs at {hz} Hz")
    events: list[tuple[int, int, int]] = []
    last = 0
    for number, line in enumerate(lines[1:], start=2):
        match = re.fullmatch(r"(\d{1,18}) (end|[0-9a-f]{2})", line)
        if match is None or int(match[1]) < last:
            raise InputLogError(
                f"input log {log}, line {number}: expected a later CYCLE and HEX or 'end': {line!r}"
            )
        last = int(match[1])
        if match[2] != "end":
            events.append((number, last, int(match[2], 16)))
    return events
