# SPDX-License-Identifier: GPL-2.0-or-later
"""A file that is whole or untouched.

A regular file, or the one that a symbolic link names, is written beside its place and put there when it is
complete. What is no regular file, such as a pipe or a device, is never replaced: it is written as it is, and
so is the file that is open already as standard output or standard error.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from typing import BinaryIO

STDOUT, STDERR = 1, 2


class WholeFile:
    """The file for the length of a ``with`` block; its methods raise OSError as ``open`` and ``write`` do."""

    def __init__(self, path: Path) -> None:
        """Open the file beside the one that it will replace, so that what cannot be written is known."""
        self._target: Path | None = None
        self._temporary: Path | None = None
        self._file = self._open(path)

    def _open(self, path: Path) -> BinaryIO:
        for descriptor in (STDOUT, STDERR):
            if is_open_as(path, descriptor):
                return os.fdopen(os.dup(descriptor), "wb")
        if path.exists() and not path.is_file():
            return path.open("wb")
        self._target = Path(os.path.realpath(path))  # what a symbolic link names, not the link
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=self._target.parent)
        self._temporary = Path(name)
        return os.fdopen(handle, "wb")

    def write(self, data: bytes) -> None:
        """Write the whole content and put the file in its place. Called once."""
        self.append(data)
        self.finish()

    def append(self, data: bytes) -> None:
        """Write a part of the content."""
        self._file.write(data)

    def finish(self) -> None:
        """Put the file in its place. Called once."""
        self._file.close()
        if self._temporary is not None and self._target is not None:
            self._temporary.chmod(_mode(self._target))
            self._temporary.replace(self._target)
            self._temporary = None

    def __enter__(self) -> Self:
        """Nothing more to do: the file is open."""
        return self

    def __exit__(self, *_: object) -> None:
        """Take away what was not finished."""
        with contextlib.suppress(OSError):  # what could not be written is not worth a second complaint
            self._file.close()
        if self._temporary is not None:
            self._temporary.unlink(missing_ok=True)


def is_open_as(path: Path, descriptor: int) -> bool:
    """Return whether a path names what a descriptor is open on, as /dev/stdout does."""
    return path.exists() and os.path.samestat(path.stat(), os.fstat(descriptor))


def _mode(target: Path) -> int:
    """Return the permissions of the file to be replaced, or those of a new one."""
    if target.exists():
        return target.stat().st_mode & 0o7777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
