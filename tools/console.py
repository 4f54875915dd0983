# SPDX-License-Identifier: GPL-2.0-or-later
"""The host's end of the guest's console.

Output goes out at the end of each line, when the guest pauses, and while it waits for input. A reader that
has stopped reading holds up the guest, but not Ctrl-C.
"""

from __future__ import annotations

import errno
import io
import os
import re
import select
import sys
from typing import IO, TYPE_CHECKING, cast

from rich.console import Console

from ringscope.tools.options import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

WAIT = 0.05  # seconds between looks at whether the run is to end
PIECE = 4096  # bytes a pipe takes whole once it is writable (PIPE_BUF)
NEWLINE = 0x0A
STDERR = 2
NOBODY_READS = (errno.EPIPE, errno.EIO)  # a closed pipe, a terminal that has hung up
WIDE = 132  # columns, where no terminal says
NARROWEST = 60  # columns in which a table keeps its figures; a terminal with fewer breaks the lines itself
PADDING = re.compile(" +$", re.MULTILINE)


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

    def end_line(self) -> None:
        """Have what the command says itself begin a line of its own on a terminal."""
        self.flush()
        if not self.at_line_start and self.is_terminal and os.isatty(STDERR):
            os.write(STDERR, b"\n")
            self.at_line_start = True

    def _write(self, text: bytes) -> int:
        try:
            if not select.select([], [self._descriptor], [], WAIT)[1]:
                self._closed = self.is_ending()  # a reader that has stopped does not hold up the end
                return 0
            return os.write(self._descriptor, text)
        except BlockingIOError:
            return 0
        except OSError as error:
            self._closed = True
            if error.errno in NOBODY_READS:
                self.on_closed()
                return 0
            raise UsageError(f"the console's output cannot be written: {error.strerror}") from error


class Unpadded(io.TextIOBase):
    """Standard output without the spaces that fill a table's lines up."""

    def write(self, text: str) -> int:
        """Write whole lines."""
        return sys.stdout.write(PADDING.sub("", text))

    def flush(self) -> None:
        """Have the lines go out."""
        sys.stdout.flush()


class ResultConsole(Console):
    """Where a command prints its tables: stdout, wide and unpadded where it is no terminal."""

    def __init__(self) -> None:
        """Ask the terminal, or the COLUMNS of the environment, for the width."""
        asks = sys.stdout.isatty() or "COLUMNS" in os.environ
        file = None if sys.stdout.isatty() else cast("IO[str]", Unpadded())
        super().__init__(file=file, highlight=False, width=None if asks else WIDE)
        self.width = max(self.width, NARROWEST)

    def on_broken_pipe(self) -> None:
        """Leave it to the caller, as any other failure to print."""
        raise BrokenPipeError


def _nothing() -> None:
    """Do nothing until a hook is set."""


def _never() -> bool:
    return False
