# SPDX-License-Identifier: GPL-2.0-or-later
"""The host's input, which enters the machine only as bytes with a cycle.

A source offers one byte at a time to a `Receiver`, at an *offer instant*: whenever simulated time reaches a
multiple of the byte interval. It offers only when the receiver is ready (the guest listens and has read
everything before); otherwise it waits for the next instant, and after each further miss twice as long, up to
16 intervals, so that a guest that does not listen is not slowed down. The machine calls `poll` at `next_due`
and, for a terminal, may also call it when the host wakes up.

- `PipedInput`: a file or pipe. At an offer instant at which the receiver is ready, the next byte is read, and
  waited for if need be: no simulated time passes meanwhile, so every run is the same however slow the writer
  was. At the end of the input nothing more ever arrives; the guest sees no character for it.
- `TerminalInput`: a person. It never waits; each byte is stamped with the cycle at which the guest got it and
  logged.
- `ReplayInput`: such a log. The same bytes arrive at the same cycles.

A log is text: a header line, then one line per event, `CYCLE HEX` for a byte and `CYCLE end` for the end.
"""

from __future__ import annotations

import os
import re
import select
from collections import deque
from typing import TYPE_CHECKING, BinaryIO, Protocol, TextIO

from ringscope.bootimage.files import content

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ringscope.emulator.devices.interfaces import Receiver

HEADER = "ringscope-input 1"
BITS_PER_BYTE, BAUD = 10, 115_200
MOST_PATIENCE = 16  # intervals
WAIT_SECONDS = 0.05  # of the host: how often a wait looks whether it was interrupted


def byte_interval(hz: int) -> int:
    """Return the cycles between offer instants: one frame on a serial line of 115,200 baud."""
    return hz * BITS_PER_BYTE // BAUD


class InputLogError(Exception):
    """A log cannot be replayed; the message names the line and what is wrong."""


class HostInput(Protocol):
    """Where bytes come from."""

    @property
    def exhausted(self) -> bool:
        """Whether nothing more will ever arrive."""
        ...

    def next_due(self) -> int | None:
        """Return the cycle at which `poll` must be called next, None when never."""
        ...

    def poll(self, cycle: int) -> None:
        """Offer what is due at `cycle`, which never goes backwards."""
        ...

    def fileno(self) -> int | None:
        """Return the descriptor that the host may sleep on while the guest idles, None for none."""
        ...


class OfferInstants:
    """When a source next offers; see the head of this file."""

    __slots__ = ("_interval", "_patience", "next")

    def __init__(self, interval: int) -> None:
        """`interval` is in cycles; the first instant is one interval after power-on."""
        self._interval = interval
        self._patience = 1
        self.next = interval

    def offered(self, cycle: int) -> None:
        """Go on to the next instant after a byte was given."""
        self._patience = 1
        self.next = (cycle // self._interval + 1) * self._interval

    def missed(self, cycle: int) -> None:
        """Go on to a later instant after nothing was given."""
        self.next = (cycle // self._interval + self._patience) * self._interval
        self._patience = min(2 * self._patience, MOST_PATIENCE)


class PipedInput:
    """Bytes of a file or pipe; see the head of this file."""

    __slots__ = ("_descriptor", "_interrupted", "_read", "_receiver", "exhausted", "instants")

    def __init__(
        self,
        source: int | BinaryIO,
        receiver: Receiver,
        interval: int,
        interrupted: Callable[[], bool] = lambda: False,
    ) -> None:
        """`source` is a descriptor or has one; `interval` is the cycles between offer instants.

        `interrupted` is asked while the pipe is waited for: True gives up the wait, and no byte is lost.
        """
        self._descriptor = source if isinstance(source, int) else source.fileno()
        self._interrupted = interrupted
        self._read: deque[int] = deque()
        self._receiver = receiver
        self.instants = OfferInstants(interval)
        self.exhausted = False

    def next_due(self) -> int | None:
        """Return the next offer instant, None after the end of the input."""
        return None if self.exhausted else self.instants.next

    def poll(self, cycle: int) -> None:
        """Offer a byte if an offer instant has come."""
        if self.exhausted or cycle < self.instants.next:
            return
        if not self._receiver.ready:
            self.instants.missed(cycle)
            return
        self.instants.offered(cycle)
        if self._read or self._wait():
            self._receiver.receive(self._read.popleft())

    def _wait(self) -> bool:
        """Wait until there is a byte; False at the end of the input and when interrupted."""
        while not select.select([self._descriptor], [], [], WAIT_SECONDS)[0]:
            if self._interrupted():
                return False
        self._read.extend(os.read(self._descriptor, 4096))
        self.exhausted = not self._read
        return not self.exhausted

    def fileno(self) -> int | None:
        """Return None: a pipe is waited for without simulated time passing."""
        return None


class InputLog:
    """Writes the events of a session, each at once: the log of a run that was killed is good too."""

    __slots__ = ("_file",)

    def __init__(self, file: TextIO, hz: int) -> None:
        """Write the header; `hz` is the rate of the cycles in the log."""
        self._file = file
        self._write(f"{HEADER} hz={hz}")

    def byte(self, cycle: int, byte: int) -> None:
        """Note that the guest got a byte."""
        self._write(f"{cycle} {byte:02x}")

    def end(self, cycle: int) -> None:
        """Note the end of the input."""
        self._write(f"{cycle} end")

    def _write(self, line: str) -> None:
        self._file.write(line + "\n")
        self._file.flush()


class TerminalInput:
    """What is typed at a descriptor, in the mode that the caller chose; see the head of this file."""

    __slots__ = ("_descriptor", "_log", "_receiver", "_typed", "exhausted", "instants")

    def __init__(
        self, descriptor: int, receiver: Receiver, interval: int, log: InputLog | None = None
    ) -> None:
        """`interval` is the cycles between looks while the guest runs."""
        self._descriptor = descriptor
        self._receiver = receiver
        self.instants = OfferInstants(interval)
        self._log = log
        self._typed: deque[int] = deque()
        self.exhausted = False

    def next_due(self) -> int | None:
        """Return the next cycle to look at the terminal, None after its end."""
        return None if self.exhausted else self.instants.next

    def poll(self, cycle: int) -> None:
        """Take what was typed since, without waiting, and give the guest a byte if it is ready for one."""
        if self.exhausted:
            return
        ended = self._look()
        if self._typed and self._receiver.ready:
            self.instants.offered(cycle)
            byte = self._typed.popleft()
            if self._log is not None:
                self._log.byte(cycle, byte)
            self._receiver.receive(byte)
            return
        if cycle >= self.instants.next:
            self.instants.missed(cycle)
        if ended and not self._typed:
            self.exhausted = True
            if self._log is not None:
                self._log.end(cycle)

    def _look(self) -> bool:
        """Move what is waiting into our own queue; return whether the terminal has ended."""
        readable, _, _ = select.select([self._descriptor], [], [], 0)
        if not readable:
            return False
        typed = os.read(self._descriptor, 4096)
        self._typed.extend(typed)
        return not typed

    def fileno(self) -> int | None:
        """Return the terminal's descriptor, None after its end."""
        return None if self.exhausted else self._descriptor


class ReplayInput:
    """The events of a log; see the head of this file."""

    __slots__ = ("_receiver", "events", "name")

    def __init__(self, log: Path, receiver: Receiver, hz: int) -> None:
        """Read the whole log. Raise InputLogError when it is not one or was made at another clock rate."""
        self._receiver = receiver
        self.name = str(log)
        self.events = deque(_read_log(log, hz))

    @property
    def exhausted(self) -> bool:
        """Whether the log is at its end."""
        return not self.events

    def next_due(self) -> int | None:
        """Return the cycle of the next byte."""
        return self.events[0][1] if self.events else None

    def poll(self, cycle: int) -> None:
        """Deliver what is due. Raise InputLogError when the guest does not listen: it is another image."""
        while self.events and self.events[0][1] <= cycle:
            number, due, byte = self.events.popleft()
            if not self._receiver.ready:
                raise InputLogError(
                    f"{self.name}, line {number}: the guest does not listen at cycle {due}; "
                    "replay with the image and the options that the log was made with"
                )
            self._receiver.receive(byte)

    def fileno(self) -> int | None:
        """Return None: nothing to wait for."""
        return None


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
