# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the log of what was typed is kept, so that the run can be repeated with ``--replay``."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Self, TextIO

from ringscope.emulator.devices.host_input import InputLog
from ringscope.tools.options import UsageError


def default_path() -> Path:
    """Return a new file's name in the user's state folder (XDG base directory specification)."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "ringscope" / time.strftime(f"input-%Y%m%d-%H%M%S-{os.getpid()}.log")


class KeptLog(InputLog):
    """A log in the file asked for, or in one of its own, which is kept only if something was typed.

    A file that was asked for must be writable; without one of its own the run goes on and says so.
    """

    def __init__(self, asked: Path | None, hz: int) -> None:
        """Open the file; ``hz`` is the rate of the log's cycles. Raises UsageError where it was asked for."""
        self._path = asked or default_path()
        self._is_asked_for = asked is not None
        self._is_used = False
        self._problem = ""
        self._stream: TextIO
        try:
            if asked is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
            self._stream = self._path.open("w", encoding="ascii")
        except OSError as error:
            self._problem = error.strerror or str(error)
            if asked is not None:
                raise UsageError(f"input log {asked} cannot be written: {self._problem}") from error
            self._stream = Path(os.devnull).open("w", encoding="ascii")  # noqa: SIM115  closed by __exit__
        super().__init__(self._stream, hz)

    def byte(self, cycle: int, byte: int) -> None:
        """Note that the guest got a byte."""
        self._is_used = True
        super().byte(cycle, byte)

    def __enter__(self) -> Self:
        """Nothing more to do: the file is open."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the log, and say where it is or forget it."""
        self._stream.close()
        if self._is_used and self._problem:
            _say(f"what was typed is lost: {self._path}: {self._problem}; name a log with --log-input")
        elif self._is_used:
            _say(f"what was typed is in {self._path}; --replay types it again")
        elif not self._is_asked_for and not self._problem:
            self._path.unlink(missing_ok=True)


def _say(sentence: str) -> None:
    print(f"ringscope: {sentence}", file=sys.stderr)
