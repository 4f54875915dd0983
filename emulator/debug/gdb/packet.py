# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets of the GDB remote protocol, as bytes on a line.

``$payload#checksum``, answered by ``+`` until both sides agree to go without. In binary data ``}`` makes the
next byte stand for itself with bit 5 flipped. A byte 3 between packets asks a running machine to stop.
Source: Debugging with GDB, appendix E.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

START, END, ESCAPE, REPEAT, INTERRUPT = b"$#}*\x03"
ACKNOWLEDGED, REFUSED = b"+", b"-"
FLIPPED = 0x20
MOST = 0x4000  # bytes of a payload, told to gdb
CHECKSUM_DIGITS = 2


class Interrupt:
    """The byte 3: stop the machine."""


class Damaged:
    """A packet whose checksum is wrong: to be sent again."""


def checksum(payload: bytes) -> bytes:
    """Return the two digits behind a payload."""
    return b"%02x" % (sum(payload) & 0xFF)


def frame(payload: bytes) -> bytes:
    """Return a packet with a payload that is escaped already."""
    return b"$" + payload + b"#" + checksum(payload)


def escape(data: bytes) -> bytes:
    """Return binary data as it lies in a payload."""
    special = {START, END, ESCAPE, REPEAT}
    return b"".join(bytes((ESCAPE, byte ^ FLIPPED)) if byte in special else bytes((byte,)) for byte in data)


def unescape(payload: bytes) -> bytes:
    """Return the binary data of a payload; an escape at its very end stands for nothing."""
    head, *rest = payload.split(bytes((ESCAPE,)))
    return head + b"".join(bytes((part[0] ^ FLIPPED,)) + part[1:] for part in rest if part)


class Reader:
    """Takes bytes as they come, and yields payloads, Interrupt and Damaged."""

    def __init__(self) -> None:
        """Nothing has come yet."""
        self._pending = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes | Interrupt | Damaged]:
        """Yield what is complete; acknowledgements and noise between packets are passed over."""
        self._pending += data
        while self._pending:
            first = self._pending[0]
            if first != START:
                del self._pending[0]
                if first == INTERRUPT:
                    yield Interrupt()
                continue
            end = self._pending.find(END)
            if end < 0 or len(self._pending) <= end + CHECKSUM_DIGITS:
                if len(self._pending) > 4 * MOST:
                    self._pending.clear()  # nobody who speaks the protocol sends this
                return
            payload = bytes(self._pending[1:end])
            given = bytes(self._pending[end + 1 : end + 1 + CHECKSUM_DIGITS])
            del self._pending[: end + 1 + CHECKSUM_DIGITS]
            yield payload if given.lower() == checksum(payload) else Damaged()
