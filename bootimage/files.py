# SPDX-License-Identifier: GPL-2.0-or-later
"""Files and text at the border: what the host refuses becomes one sentence."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, Final

from ringscope.bootimage.types import ImageError
from ringscope.bootimage.whole_file import WholeFile

if TYPE_CHECKING:
    from pathlib import Path


#: Bytes beyond which nothing is read: no machine here has more memory.
LARGEST: Final = 3 << 30


def read(path: Path) -> bytes:
    """Return the content of ``path``. Raises ImageError for what cannot be read."""
    try:
        return content(path)
    except (OSError, ValueError) as error:
        raise ImageError(f"{path}: cannot be read: {_reason(error)}") from error


def content(path: Path) -> bytes:
    """Return the content of a file or of a pipe up to its end. Raises OSError with the reason in words.

    A device is refused, and so is what is larger than ``LARGEST``.
    """
    refuse_devices(path)
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size <= LARGEST:
            data = file.read(LARGEST + 1)
            if len(data) <= LARGEST:
                return data
    raise OSError(errno.EFBIG, f"it is larger than {LARGEST >> 30} GiB, the most memory there is")


def refuse_devices(path: Path) -> None:
    """Raise OSError with the reason in words where a path is a device, which may have no end."""
    mode = path.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode) or stat.S_ISDIR(mode)):
        raise OSError(errno.EINVAL, "it is neither a file nor a pipe")


def write_whole(path: Path, data: bytes) -> None:
    """Make ``path`` hold ``data``, or leave it as it was; see ``whole_file``.

    Raises ImageError, for a full disk too, and BrokenPipeError where nobody reads a pipe any more.
    """
    try:
        with WholeFile(path) as file:
            file.write(data)
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        raise ImageError(f"{path}: cannot be written: {_reason(error)}") from error


def zero_terminated(text: str, where: str) -> bytes:
    """Encode a command line as a guest reads it. Raises ImageError naming ``where`` if it cannot be."""
    try:
        encoded = os.fsencode(text)
    except UnicodeEncodeError as error:
        raise ImageError(f"{where}: the command line holds a character that has no encoding") from error
    if b"\0" in encoded:
        raise ImageError(f"{where}: the command line holds a zero byte, which would end it early")
    return encoded + b"\0"


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
