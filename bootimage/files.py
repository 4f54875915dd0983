# SPDX-License-Identifier: GPL-2.0-or-later
"""Files and text at the border: what the host refuses becomes one sentence."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ringscope.bootimage.types import ImageError
from ringscope.bootimage.whole_file import WholeFile

if TYPE_CHECKING:
    from pathlib import Path


def read(path: Path) -> bytes:
    """Return the content of ``path``. Raises ImageError for what cannot be read."""
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise ImageError(f"{path}: cannot be read: {_reason(error)}") from error


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
