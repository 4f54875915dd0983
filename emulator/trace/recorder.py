# SPDX-License-Identifier: GPL-2.0-or-later
"""Taking a machine's events as they come, as bytes; most are never looked at one by one.

The native core gathers events in a buffer and calls ``full`` before it would overflow; ``drain`` takes what
there is at any other moment. Each chunk goes to every taker in order.
"""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING, Self

from ringscope.emulator.trace.event import LAYOUT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ringscope.emulator.cpu.engine import Engine

CAPACITY = 1 << 16  # events in the native buffer


class Recorder:
    """Records the events of an engine from its making to ``close``.

    ``probe`` is the virtual address of a word that tells the thread, 0 for none; ``call_register`` the
    register that has a system call's number, by its encoding. Raises MemoryError.
    """

    def __init__(
        self, engine: Engine, takers: tuple[Callable[[bytes], None], ...], probe: int, call_register: int
    ) -> None:
        """Begin."""
        self._engine = engine
        self._takers = takers
        engine.start_trace(CAPACITY, probe, call_register, self.drain)

    def drain(self) -> None:
        """Hand over the events that there are."""
        chunk = self._engine.take_trace()
        if chunk:
            for take in self._takers:
                take(chunk)

    def close(self) -> None:
        """Hand over the last events and record no more."""
        self.drain()
        self._engine.stop_trace()

    def __enter__(self) -> Self:
        """Record within a ``with`` block."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self.close()


class LastEvents:
    """A taker that keeps the newest events, ``most`` at the most and at least as many if there were."""

    def __init__(self, most: int) -> None:
        """Keep nothing yet."""
        self._most = most
        self._kept: collections.deque[bytes] = collections.deque()
        self._count = 0
        self.dropped = 0

    def take(self, chunk: bytes) -> None:
        """Keep a chunk, and let go of the oldest while enough are left without them."""
        self._kept.append(chunk)
        self._count += len(chunk) // LAYOUT.size
        while (oldest := len(self._kept[0]) // LAYOUT.size) <= self._count - self._most:
            self._kept.popleft()
            self._count -= oldest
            self.dropped += oldest

    def chunks(self) -> Iterator[bytes]:
        """Yield what was kept, the oldest first, exactly ``most`` events where there were more."""
        surplus = max(0, self._count - self._most)
        self.dropped += surplus
        self._count -= surplus
        if surplus:
            self._kept[0] = self._kept[0][surplus * LAYOUT.size :]
        yield from self._kept
