# SPDX-License-Identifier: GPL-2.0-or-later
"""The programs of the image as files that gdb may read, so that it finds symbols by itself.

gdb asks which file a process executes (qXfer:exec-file) and reads it through the connection (vFile). Nothing
of the host's file system can be reached. Source: Debugging with GDB, appendix E, "Host I/O Packets".
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ringscope.emulator.debug.gdb.packet import MOST, escape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

NO_ENTRY, BAD_NUMBER, NOT_SUPPORTED = 2, 9, 88  # errno as this protocol numbers them
REGULAR_FILE = 0o100444
#: st_dev, st_ino, st_mode, st_nlink, st_uid, st_gid, st_rdev, st_size, st_blksize, st_blocks, three times.
STATUS = struct.Struct(">7I3Q3I")
BLOCK = 512
FIRST = 3  # of the numbers of open files


class Files:
    """Files by path, read only."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        """None is open."""
        self.files = files
        self._open: dict[int, bytes] = {}
        self._verbs: dict[bytes, Callable[..., bytes]] = {
            b"setfs": lambda _: b"F0",
            b"open": self._open_file,
            b"close": self._close,
            b"pread": self._read,
            b"fstat": self._status,
            b"readlink": lambda _: _failed(NO_ENTRY),
        }

    def answer(self, operation: bytes) -> bytes:
        """Answer what follows ``vFile:``; nothing where gdb asks for something that there is not."""
        verb, _, rest = operation.partition(b":")
        carry_out = self._verbs.get(verb)
        if carry_out is None:
            return b""
        try:
            return carry_out(*rest.split(b","))
        except KeyError:
            return _failed(BAD_NUMBER)
        except (ValueError, TypeError):
            return _failed(NOT_SUPPORTED)

    def _open_file(self, path: bytes, *_: bytes) -> bytes:
        name = bytes.fromhex(path.decode()).decode()
        if name not in self.files:
            return _failed(NO_ENTRY)
        number = next(n for n in range(FIRST, FIRST + 1 + len(self._open)) if n not in self._open)
        self._open[number] = self.files[name]
        return b"F%x" % number

    def _close(self, number: bytes) -> bytes:
        del self._open[int(number, 16)]
        return b"F0"

    def _read(self, number: bytes, size: bytes, offset: bytes) -> bytes:
        at = int(offset, 16)
        return _with_data(self._open[int(number, 16)][at : at + min(int(size, 16), MOST // 2)])

    def _status(self, number: bytes) -> bytes:
        size = len(self._open[int(number, 16)])
        blocks = -(-size // BLOCK)
        return _with_data(STATUS.pack(0, 0, REGULAR_FILE, 1, 0, 0, 0, size, BLOCK, blocks, 0, 0, 0))


def _failed(number: int) -> bytes:
    return b"F-1,%x" % number


def _with_data(data: bytes) -> bytes:
    return b"F%x;" % len(data) + escape(data)
