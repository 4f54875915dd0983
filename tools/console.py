# SPDX-License-Identifier: GPL-2.0-or-later
"""The host's end of the guest's console: a descriptor to print on and one to read from.

Both give up when told that the run is to end, so that Ctrl-C is not held up by a reader that has paused or a
writer that has nothing to say. Output goes out at the end of each line, when the guest pauses, and before
waiting for input.
"""

from __future__ import annotations

import io
import os
import select
from typing import TYPE_CHECKING

from ringscope.tools.options import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

WAIT = 0.05  # seconds between looks at whether the run is to end
PIECE = 4096  # bytes a pipe takes whole once it is writable (PIPE_BUF)
NEWLINE = 0x0A


class ConsoleOutput:
    """What the guest prints, on a descriptor.

    ``before_print`` is called before anything appears, ``on_closed`` once when nobody reads any more; from
    then on output is dropped. ``at_line_start`` says whether the last byte printed ended a line.
    """

    def __init__(self, descriptor: int) -> None:
        """Nothing is printed yet; the hooks do nothing until they are set."""
        self._descriptor = descriptor
        self._waiting = bytearray()
        self._closed = False
        self.at_line_start = True
        self.before_print: Callable[[], None] = _nothing
        self.on_closed: Callable[[], None] = _nothing
        self.is_ending: Callable[[], bool] = _never

    @property
    def is_terminal(self) -> bool:
        """Whether a person sees the output."""
        return os.isatty(self._descriptor)

    def print(self, text: bytes) -> None:
        """Take bytes, and print up to the last line's end among them."""
        self._waiting += text
        if NEWLINE in text or len(self._waiting) >= PIECE:
            self.flush()

    def flush(self) -> None:
        """Print what is left. Raises UsageError where it cannot be written."""
        if not self._waiting:
            return
        text, self._waiting = bytes(self._waiting), bytearray()
        if self._closed:
            return
        self.before_print()
        self.at_line_start = text[-1] == NEWLINE
        while text and not self._closed:
            text = text[self._write(text[:PIECE]) :]

    def _write(self, text: bytes) -> int:
        try:
            if not select.select([], [self._descriptor], [], WAIT)[1]:
                self._closed = self.is_ending()  # a reader that has stopped does not hold up the end
                return 0
            return os.write(self._descriptor, text)
        except BlockingIOError:
            return 0
        except BrokenPipeError:
            self._closed = True
            self.on_closed()
            return 0
        except OSError as error:
            self._closed = True
            raise UsageError(f"the console's output cannot be written: {error.strerror}") from error


class ConsoleInput(io.RawIOBase):
    """A file or pipe to read from, which ends when the run does."""

    def __init__(
        self, descriptor: int, before_wait: Callable[[], None], is_ending: Callable[[], bool]
    ) -> None:
        """``before_wait`` is called before waiting for a writer that has written nothing."""
        self._descriptor = descriptor
        self._before_wait = before_wait
        self._is_ending = is_ending

    def readable(self) -> bool:
        """Say so to BufferedReader."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what BufferedReader passes
        """Read what there is into ``buffer``, waiting for the first byte; 0 at the end."""
        try:
            if not self._is_readable(0):
                self._before_wait()
            while not self._is_readable(WAIT):
                if self._is_ending():
                    return 0
            return os.readv(self._descriptor, [buffer])
        except OSError as error:
            raise UsageError(f"standard input cannot be read: {error.strerror}") from error

    def _is_readable(self, seconds: float) -> bool:
        return bool(select.select([self._descriptor], [], [], seconds)[0])


def _nothing() -> None:
    """Do nothing until a hook is set."""


def _never() -> bool:
    return False
