# SPDX-License-Identifier: GPL-2.0-or-later
"""What the host's signals mean while a guest runs.

Ctrl-C and the requests to end (SIGTERM, SIGHUP, SIGQUIT) end the run cleanly the first time, so that counters
are still printed and the terminal is given back; a second Ctrl-C leaves at once. Ctrl-Z gives the terminal
back while the program is stopped.
"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
STATUS_BASE = 128  # a shell's status for "ended by signal n" is 128 + n


class Suspended(Protocol):
    """Something to undo while the program is stopped."""

    def leave(self) -> None:
        """Undo it."""

    def enter(self) -> None:
        """Do it again."""


class HostSignals:
    """The handlers, in place within a ``with`` block; ``received`` is the signal that ended the run."""

    def __init__(self, end_run: Callable[[], None]) -> None:
        """``end_run`` is called from the handler of the first ending signal."""
        self._end_run = end_run
        self._before: dict[signal.Signals, signal._HANDLER] = {}
        self.received: signal.Signals | None = None
        self.suspend: Suspended | None = None

    def pending(self) -> bool:
        """Return whether the run is to end: what waits for the host should give up."""
        return self.received is not None

    @property
    def status(self) -> int | None:
        """The exit status that the signal stands for, 130 for Ctrl-C."""
        return None if self.received is None else STATUS_BASE + self.received

    def __enter__(self) -> Self:
        """Install the handlers; a signal that the parent had ignored stays so (nohup)."""
        for number in ENDING:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._end)
        for number, handler in ((signal.SIGTSTP, self._stop), (signal.SIGCONT, self._continue)):
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, handler)
        return self

    def __exit__(self, *_: object) -> None:
        """Put back what was there."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def end(self, number: signal.Signals) -> None:
        """End the run as if the signal had come."""
        if self.received is None:
            self.received = number
            self._end_run()

    def _end(self, number: int, _: FrameType | None) -> None:
        if self.received is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.end(signal.Signals(number))

    def _stop(self, number: int, _: FrameType | None) -> None:
        if self.suspend is not None:
            self.suspend.leave()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)  # the program is stopped here, until SIGCONT
        signal.signal(number, self._stop)
        if self.suspend is not None:
            self.suspend.enter()  # here, because a program that nobody can continue does not stop

    def _continue(self, _number: int, _: FrameType | None) -> None:
        if self.suspend is not None:
            self.suspend.enter()
