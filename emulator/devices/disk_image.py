# SPDX-License-Identifier: GPL-2.0-or-later
"""A disk's contents: a file on the host, opened copy-on-write unless told otherwise.

Copy-on-write keeps every sector that the guest wrote in memory and never touches the file, so that the same
image gives the same run again. A last sector that the file does not fill reads as zeros beyond its end.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
from typing import TYPE_CHECKING

from ringscope.emulator.devices.state import Stateful

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECTOR = 512  # bytes


class DiskImageError(Exception):
    """The file cannot serve as a disk; the message says why."""


class DiskImage(Stateful):
    """Sectors of 512 bytes, numbered from 0."""

    __slots__ = ("_file", "overlay", "path", "sectors", "writable", "written")
    STATE = ("overlay",)

    def __init__(self, path: Path, *, writable: bool = False) -> None:
        """Open the file. Raise DiskImageError when it cannot be read or written, is empty or in use."""
        self.path = path
        self.writable = writable
        try:
            if path.is_fifo() or path.is_char_device() or path.is_socket():
                raise DiskImageError(f"disk image {path} is neither a file nor a disk")
            self._file = path.open("r+b" if writable else "rb")
            size = self._file.seek(0, 2)
        except OSError as error:
            purpose = "written" if writable else "read"
            raise DiskImageError(f"disk image {path} cannot be {purpose}: {error.strerror}") from error
        self._lock()
        if size == 0:
            raise DiskImageError(f"disk image {path} is empty; give it at least one sector of {SECTOR} bytes")
        self.sectors = -(-size // SECTOR)
        self.overlay: dict[int, bytes] = {}
        self.written = 0  # sectors stored in the file itself

    def digest(self) -> str:
        """Return what the file holds now, as its SHA-256. Raise DiskImageError where it cannot be read."""
        with self._said():
            self._file.flush()
            self._file.seek(0)
            found = hashlib.sha256()
            while chunk := self._file.read(1 << 20):
                found.update(chunk)
            return found.hexdigest()

    def _lock(self) -> None:
        """Let nobody write to the file while another machine has it; machines that only read may share it."""
        try:
            fcntl.flock(self._file, (fcntl.LOCK_EX if self.writable else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DiskImageError(
                f"disk image {self.path} is in use by another machine, and one of the two writes to it; "
                "wait for its end, or give this one a copy"
            ) from error
        except OSError:
            return  # a file system without locks

    def read(self, sector: int) -> bytes:
        """Return the 512 bytes of a sector below `sectors`."""
        if sector in self.overlay:
            return self.overlay[sector]
        self._file.seek(sector * SECTOR)
        return self._file.read(SECTOR).ljust(SECTOR, b"\0")

    def write(self, sector: int, contents: bytes) -> None:
        """Store 512 bytes in a sector below `sectors`. Raise DiskImageError where the host has no room."""
        if self.writable:
            with self._said():
                self._file.seek(sector * SECTOR)
                self._file.write(contents)
            self.written += 1
        else:
            self.overlay[sector] = contents

    def flush(self) -> None:
        """Have what was written reach the file. Raise DiskImageError as `write` does."""
        if self.writable:
            with self._said():
                self._file.flush()

    def close(self) -> None:
        """Close the file, with what was written in it. Raise DiskImageError as `write` does."""
        with self._said():
            self._file.close()

    @contextlib.contextmanager
    def _said(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise DiskImageError(f"disk image {self.path} cannot be written: {error.strerror}") from error
