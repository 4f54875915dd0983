# SPDX-License-Identifier: GPL-2.0-or-later
"""What the host does while the guest sleeps.

With no terminal attached, idle time is skipped: the next event is due at once. With one, the guest waits for
a person: the host sleeps until the terminal has something or until real time has caught up with the next
event, so that simulated time does not outrun real time.
"""

from __future__ import annotations

import select
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ringscope.emulator.devices.host_input import HostInput

LONGEST_SLEEP = 0.05  # seconds: how soon a signal is noticed


def sleep_until(source: HostInput, now: int, due: int, hz: int) -> int:
    """Return the cycle to which idle time may be skipped: ``due``, or less if a terminal woke us before it.

    ``now`` and ``due`` are in cycles of ``hz`` per second.
    """
    descriptor = source.fileno()
    if descriptor is None:
        woken = source.repeats_at()
        return due if woken is None else max(now, min(due, woken))
    seconds = (due - now) / hz
    started = time.monotonic()
    readable, _, _ = select.select([descriptor], [], [], min(seconds, LONGEST_SLEEP))
    if not readable and seconds <= LONGEST_SLEEP:
        return due
    slept = int((time.monotonic() - started) * hz)
    return min(due, now + max(slept, 1))
