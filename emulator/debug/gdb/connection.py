# SPDX-License-Identifier: GPL-2.0-or-later
"""A gdb at the other end of a socket: what it sends, as it comes, and what it is sent."""

from __future__ import annotations

import contextlib
import select
import socket
from collections import deque

from ringscope.emulator.debug.gdb.packet import ACKNOWLEDGED, REFUSED, Damaged, Interrupt, Reader, frame

CHUNK = 0x10000
SEND_SECONDS = 10  # a client that takes nothing for so long is gone


class Connection:
    """One client.

    ``open`` is False once it is gone, ``interrupts`` True once it wants to stop what it asked for last.
    """

    def __init__(self, client: socket.socket) -> None:
        """Talk."""
        client.settimeout(SEND_SECONDS)
        with contextlib.suppress(OSError):  # of a socket in the file system
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = client
        self._reader = Reader()
        self._payloads: deque[bytes] = deque()
        self.acknowledges = True
        self.open = True
        self.interrupts = False

    def poll(self, seconds: float) -> None:
        """Take what comes within some time."""
        if not self.open or not select.select([self._socket], [], [], seconds)[0]:
            return
        try:
            data = self._socket.recv(CHUNK)
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        for item in self._reader.feed(data):
            if isinstance(item, Interrupt):
                self.interrupts = True
            elif isinstance(item, Damaged):
                self._send(REFUSED)
            else:
                if self.acknowledges:
                    self._send(ACKNOWLEDGED)
                self._payloads.append(item)
                self.interrupts = False  # what came before was about what went before

    def next_payload(self) -> bytes | None:
        """Return the oldest payload that was not answered, None if there is none."""
        return self._payloads.popleft() if self._payloads else None

    def send(self, payload: bytes) -> None:
        """Send a packet."""
        self._send(frame(payload))

    def _send(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except OSError:
            self.close()

    def close(self) -> None:
        """Be done with it."""
        self.open = False
        self._socket.close()
