# SPDX-License-Identifier: GPL-2.0-or-later
"""Files and text at the border: what the host refuses becomes one sentence."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from ringscope.bootimage.types import ImageError


def read(path: Path) -> bytes:
    """Return the content of ``path``. Raises ImageError for what cannot be read."""
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise ImageError(f"{path}: cannot be read: {_reason(error)}") from error


def write_whole(path: Path, data: bytes) -> None:
    """Make ``path`` hold ``data``, or leave it as it was: a new file takes its place only when complete.

    Raises ImageError, for a full disk too.
    """
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        mask = os.umask(0)
        os.umask(mask)
        Path(temporary).chmod(0o666 & ~mask)
        Path(temporary).replace(path)
    except (OSError, ValueError) as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
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
