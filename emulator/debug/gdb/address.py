# SPDX-License-Identifier: GPL-2.0-or-later
"""Where gdb may attach: a port of this host or of one of its addresses, or a socket in the file system.

What QEMU's ``-gdb`` takes works: ``:1234``, ``HOST:1234``, both with ``tcp:`` before them, ``unix:PATH``; and
a path alone. Without a host only programs of this host can attach.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path

LOCAL = "127.0.0.1"
PORT_MOST = 0xFFFF
DEFAULT = ":1234"  # QEMU's -s


class BadAddress(ValueError):
    """The address is none, or nobody can listen there; the message is one sentence."""


@dataclass(frozen=True)
class Address:
    """``host`` and ``port``, or ``path``."""

    host: str = LOCAL
    port: int = 0  # any that is free
    path: Path | None = None

    def __str__(self) -> str:
        """Return it as gdb's ``target remote`` takes it."""
        return f"{self.host}:{self.port}" if self.path is None else str(self.path)


def parse(text: str) -> Address:
    """Read an address. Raises BadAddress."""
    place = text.removeprefix("tcp:")
    if place.startswith("unix:") or "/" in place:
        path = place.removeprefix("unix:")
        if not path:
            raise BadAddress(f"{text!r} names no socket; write a path")
        return Address(path=Path(path))
    host, colon, port = place.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > PORT_MOST:
        raise BadAddress(f"{text!r} is no place for gdb; write :PORT, HOST:PORT or a path")
    return Address(host.strip("[]") or LOCAL, int(port))


class Listener:
    """A socket that listens; within a ``with`` block. Raises BadAddress when nobody can listen there."""

    def __init__(self, address: Address) -> None:
        """Listen."""
        self._path = address.path
        try:
            if address.path is not None:
                self.socket = socket.socket(socket.AF_UNIX)
                self.socket.bind(str(address.path))
                self.address = address
            else:
                found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
                family, kind, protocol, _, where = found[0]
                self.socket = socket.socket(family, kind, protocol)
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                self.socket.bind(where)
                self.address = Address(address.host, self.socket.getsockname()[1])
            self.socket.listen()
        except (OSError, OverflowError, UnicodeError) as error:
            self._path = None  # it is not ours
            reason = getattr(error, "strerror", None) or str(error)
            raise BadAddress(f"gdb cannot be waited for at {address}: {reason}") from error

    def close(self) -> None:
        """Listen no more."""
        self.socket.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)
