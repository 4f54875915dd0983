# SPDX-License-Identifier: GPL-2.0-or-later
"""The terminal in the mode in which a guest wants it, and given back in every case.

Keys arrive at once, are not echoed (the guest does that) and are not translated: Enter is a carriage return,
as on a serial line. The keys that send signals keep doing so: Ctrl-C ends the run, Ctrl-Z stops the program;
the guest cannot receive them.
"""

from __future__ import annotations

import contextlib
import os
import termios
from typing import Self

INPUT_FLAGS = (
    termios.IGNBRK
    | termios.BRKINT
    | termios.PARMRK
    | termios.ISTRIP
    | termios.INLCR
    | termios.IGNCR
    | termios.ICRNL
    | termios.IXON
)
LOCAL_FLAGS = termios.ECHO | termios.ECHONL | termios.ICANON | termios.IEXTEN
IFLAG, LFLAG, CC = 0, 3, 6  # places in the list of tcgetattr


class Terminal:
    """A terminal's descriptor, in the guest's mode within a ``with`` block."""

    def __init__(self, descriptor: int) -> None:
        """Nothing changes yet."""
        self._descriptor = descriptor
        self._before = termios.tcgetattr(descriptor)

    def enter(self) -> None:
        """Take the guest's mode, unless the program is in the background, where it may not."""
        if not self.in_foreground():
            return
        mode = termios.tcgetattr(self._descriptor)
        mode[IFLAG] &= ~INPUT_FLAGS
        mode[LFLAG] &= ~LOCAL_FLAGS
        mode[CC] = list(mode[CC])
        mode[CC][termios.VMIN], mode[CC][termios.VTIME] = 1, 0
        self._set(mode)

    def leave(self) -> None:
        """Give the terminal back as it was found."""
        if self.in_foreground():
            self._set(self._before)

    def in_foreground(self) -> bool:
        """Return whether the terminal is ours to change."""
        try:
            return os.tcgetpgrp(self._descriptor) == os.getpgrp()
        except OSError:
            return True  # not our controlling terminal, so that nobody else's job control rules it

    def _set(self, mode: list[int | list[bytes | int]]) -> None:
        with contextlib.suppress(termios.error):  # it has hung up: there is nothing left to set
            termios.tcsetattr(self._descriptor, termios.TCSANOW, mode)

    def __enter__(self) -> Self:
        """Take the guest's mode."""
        self.enter()
        return self

    def __exit__(self, *_: object) -> None:
        """Give the terminal back."""
        self.leave()
