# SPDX-License-Identifier: GPL-2.0-or-later
"""The host's own counter of core cycles, by Linux's perf_event_open(2), where the processor lends it.

Virtual machines mostly have none: NoCounter is raised, and the time-stamp counter has to do.
"""

from __future__ import annotations

import ctypes
import os
import struct

SYSCALL_NUMBER = 298  # of perf_event_open on x86-64
#: struct perf_event_attr in its first version: type, size, config, period, sample_type, read_format, flags,
#: wakeup_events, bp_type, config1.
ATTRIBUTES = struct.Struct("<IIQQQQQIIQ")
HARDWARE, CPU_CYCLES = 0, 0  # PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES
SOFTWARE, TASK_CLOCK = 1, 1  # PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK: nanoseconds, on every Linux
PINNED, USER_ALONE = 1 << 2, 1 << 5 | 1 << 6  # always on the counter; exclude_kernel, exclude_hv
THIS_PROCESS, ANY_PROCESSOR, NO_GROUP, CLOSE_ON_EXEC = 0, -1, -1, 8


class NoCounter(Exception):
    """There is no such counter here; the message says why."""


class Counter:
    """One event of this process, counted from now on in user mode alone."""

    def __init__(self, kind: int = HARDWARE, event: int = CPU_CYCLES) -> None:
        """Begin to count. Raises NoCounter."""
        flags = PINNED | USER_ALONE if kind == HARDWARE else 0
        attributes = ATTRIBUTES.pack(kind, ATTRIBUTES.size, event, 0, 0, 0, flags, 0, 0, 0)
        libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = libc.syscall(
            SYSCALL_NUMBER, attributes, THIS_PROCESS, ANY_PROCESSOR, NO_GROUP, CLOSE_ON_EXEC
        )
        if self._descriptor < 0:
            raise NoCounter(os.strerror(ctypes.get_errno()))

    def read(self) -> int:
        """Return the count. Raises NoCounter if another user of the processor has taken the counter away."""
        data = os.read(self._descriptor, 8)
        if len(data) < 8:
            raise NoCounter("somebody else has the counter")
        return int.from_bytes(data, "little")

    def close(self) -> None:
        """Count no more."""
        os.close(self._descriptor)
