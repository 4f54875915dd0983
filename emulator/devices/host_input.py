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
- `ReplayInput` (replay_input.py): such a log. The same bytes arrive at the same cycles.

Each knows what it has given the guest: `position` says where it stands, `rewind` goes back there and gives
the same again at the same cycles, and `take_over` goes on where another machine's input stood.

A log is text: a header line, then one line per event, `CYCLE HEX` for a byte and `CYCLE end` for the end.
"""

from __future__ import annotations

import os
import select
from collections import deque
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, Protocol, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringscope.emulator.devices.interfaces import Receiver

HEADER = "ringscope-input 1"
BITS_PER_BYTE, BAUD = 10, 115_200
MOST_PATIENCE = 16  # intervals
END = -1  # instead of a byte
WAIT_SECONDS = 0.05  # of the host: how often a wait looks whether it was interrupted


def byte_interval(hz: int) -> int:
    """Return the cycles between offer instants: one frame on a serial line of 115,200 baud."""
    return hz * BITS_PER_BYTE // BAUD


class InputLogError(Exception):
    """A log cannot be replayed; the message names the line and what is wrong."""


class Position(NamedTuple):
    """Where an input stands: how much was given, what was read ahead, and its offer instants."""

    given: int
    unread: bytes
    exhausted: bool
    patience: int
    next: int


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

    def repeats_at(self) -> int | None:
        """Return the cycle at which a sleeping guest is to be woken as it was before a `rewind`."""
        ...

    def position(self) -> Position:
        """Return where it stands."""
        ...

    def rewind(self, to: Position) -> None:
        """Go back to where it stood."""
        ...

    def take_over(self, other: Position, cycle: int) -> None:
        """Go on at `cycle` where another input stood."""
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

    def position(self, given: int, unread: bytes, *, exhausted: bool) -> Position:
        """Return the position of an input that offers at these instants."""
        return Position(given, unread, exhausted, self._patience, self.next)

    def go_to(self, position: Position) -> None:
        """Offer next when a position says."""
        self._patience, self.next = position.patience, position.next


class PipedInput:
    """Bytes of a file or pipe; see the head of this file."""

    __slots__ = ("_descriptor", "_given", "_interrupted", "_read", "_receiver", "exhausted", "instants")

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
        self._read = bytearray()
        self._given = 0  # bytes of it
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
        if self._given < len(self._read) or self._wait():
            self._given += 1
            self._receiver.receive(self._read[self._given - 1])

    def _wait(self) -> bool:
        """Wait until there is a byte; False at the end of the input and when interrupted."""
        while not select.select([self._descriptor], [], [], WAIT_SECONDS)[0]:
            if self._interrupted():
                return False
        read = os.read(self._descriptor, 4096)
        self._read += read
        self.exhausted = not read
        return not self.exhausted

    def fileno(self) -> int | None:
        """Return None: a pipe is waited for without simulated time passing."""
        return None

    def repeats_at(self) -> int | None:
        """Return None: no byte comes but at an offer instant."""
        return None

    def position(self) -> Position:
        """Return where it stands."""
        return self.instants.position(self._given, bytes(self._read[self._given :]), exhausted=self.exhausted)

    def rewind(self, to: Position) -> None:
        """Go back to where it stood: what was read stays read."""
        self._given, self.exhausted = to.given, to.exhausted
        self.instants.go_to(to)

    def take_over(self, other: Position, cycle: int) -> None:
        """Go on where another input stood; this one is at its end only if both are."""
        del cycle
        self._read, self._given = bytearray(other.unread), 0
        self.instants.go_to(other)
        self.exhausted = False
        if other.exhausted and select.select([self._descriptor], [], [], 0)[0]:
            self._wait()


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

    __slots__ = (
        "_descriptor",
        "_given",
        "_log",
        "_receiver",
        "_repeated",
        "_typed",
        "exhausted",
        "instants",
    )

    def __init__(
        self, descriptor: int, receiver: Receiver, interval: int, log: InputLog | None = None
    ) -> None:
        """`interval` is the cycles between looks while the guest runs."""
        self._descriptor = descriptor
        self._receiver = receiver
        self.instants = OfferInstants(interval)
        self._log = log
        self._typed: deque[int] = deque()
        self._given: list[tuple[int, int]] = []  # (cycle, byte), END for the end
        self._repeated = 0  # of them; fewer than all after a rewind
        self.exhausted = False

    def next_due(self) -> int | None:
        """Return the next cycle to look at the terminal, None after its end."""
        return None if self.exhausted else self.instants.next

    def poll(self, cycle: int) -> None:
        """Take what was typed since, without waiting, and give the guest a byte if it is ready for one."""
        if self.exhausted:
            return
        if self._repeated < len(self._given):
            self._repeat(cycle)
            return
        ended = self._look()
        if self._typed and self._receiver.ready:
            byte = self._typed.popleft()
            if self._log is not None:
                self._log.byte(cycle, byte)
            self._note(cycle, byte)
            self._give(cycle, byte)
            return
        if cycle >= self.instants.next:
            self.instants.missed(cycle)
        if ended and not self._typed:
            self.exhausted = True
            self._note(cycle, END)
            if self._log is not None:
                self._log.end(cycle)

    def _note(self, cycle: int, byte: int) -> None:
        self._given.append((cycle, byte))
        self._repeated += 1

    def _give(self, cycle: int, byte: int) -> None:
        self.instants.offered(cycle)
        self._receiver.receive(byte)

    def _repeat(self, cycle: int) -> None:
        """Do again what was done at this cycle before the rewind."""
        due, byte = self._given[self._repeated]
        if cycle >= due and byte != END and self._receiver.ready:
            self._repeated += 1
            self._give(cycle, byte)
            return
        if cycle >= self.instants.next:
            self.instants.missed(cycle)
        if cycle >= due and byte == END:
            self._repeated += 1
            self.exhausted = True

    def _look(self) -> bool:
        """Move what is waiting into our own queue; return whether the terminal has ended."""
        readable, _, _ = select.select([self._descriptor], [], [], 0)
        if not readable:
            return False
        typed = os.read(self._descriptor, 4096)
        self._typed.extend(typed)
        return not typed

    def fileno(self) -> int | None:
        """Return the terminal's descriptor, None after its end and while what it gave is repeated."""
        return None if self.exhausted or self.repeats_at() is not None else self._descriptor

    def repeats_at(self) -> int | None:
        """Return the cycle of the next byte that is given again."""
        return self._given[self._repeated][0] if self._repeated < len(self._given) else None

    def position(self) -> Position:
        """Return where it stands."""
        return self.instants.position(self._repeated, bytes(self._typed), exhausted=self.exhausted)

    def rewind(self, to: Position) -> None:
        """Go back to where it stood; what was typed meanwhile and not given yet is kept."""
        self._repeated, self.exhausted = to.given, to.exhausted
        self.instants.go_to(to)

    def take_over(self, other: Position, cycle: int) -> None:
        """Go on where another input stood."""
        del cycle
        self._typed.extendleft(reversed(other.unread))
        self.instants.go_to(other)
