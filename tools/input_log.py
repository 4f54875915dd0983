# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the log of what was typed is kept, so that the run can be repeated with ``--replay``."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self, TextIO

from ringscope.emulator.devices.host_input import InputLog
from ringscope.tools.options import UsageError

if TYPE_CHECKING:
    from types import TracebackType


def default_path() -> Path:
    """Return a new file's name in the user's state folder (XDG base directory specification)."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "ringscope" / time.strftime(f"input-%Y%m%d-%H%M%S-{os.getpid()}.log")


class KeptLog(InputLog):
    """A log in the file asked for, or in one of its own, which is kept only if something was typed."""

    def __init__(self, asked: Path | None, hz: int) -> None:
        """Open the file; ``hz`` is the rate of the log's cycles. Raises UsageError where it cannot."""
        self._path = asked or default_path()
        self._is_wanted = asked is not None
        self._is_used = False
        try:
            if asked is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
            self._stream: TextIO = self._path.open("w", encoding="ascii")
        except OSError as error:
            raise UsageError(
                f"input log {self._path} cannot be written: {error.strerror}; name another with --log-input"
            ) from error
        super().__init__(self._stream, hz)

    def byte(self, cycle: int, byte: int) -> None:
        """Note that the guest got a byte."""
        self._is_used = True
        super().byte(cycle, byte)

    def __enter__(self) -> Self:
        """Nothing more to do: the file is open."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the log, and say where it is or forget it."""
        self._stream.close()
        if self._is_used:
            print(f"ringscope: what was typed is in {self._path}; --replay types it again", file=sys.stderr)
        elif not self._is_wanted:
            self._path.unlink(missing_ok=True)
