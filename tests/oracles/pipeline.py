# SPDX-License-Identifier: GPL-2.0-or-later
"""The issue model as a few lines of Python, and the native one driven by ctypes to be held against it."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ringscope.emulator.native import library as native
from ringscope.emulator.timing.micro_ops import LOAD, PORTS, STORE, TIMES
from ringscope.emulator.timing.parameters import ISSUE_UNITS_PER_CYCLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ringscope.emulator.timing.micro_ops import MicroOp

FRONT, RETIRED, FILL = 0, 1, 4
UNITS = ISSUE_UNITS_PER_CYCLE
GROUP = 8
FIELDS = (
    "in_order", "blocking", "window", "fill_buffers", "store_buffer", "forward", "taken_interval",
    "call_interval", "code_line", "line_interval",
)  # fmt: skip


@dataclass
class Oracle:
    """One core: ``time`` is the row of times, ``config`` the fields of ``struct pipeline_config``."""

    config: dict[str, int]
    time: list[int] = field(default_factory=lambda: [0] * TIMES)
    retired: list[int] = field(default_factory=list)  # of each whole group of instructions
    instructions: int = 0

    def operation(self, op: MicroOp, extra: int = 0) -> None:
        """One micro-operation whose accesses take ``extra`` units beyond a hit."""
        t, in_order = self.time, self.config["in_order"]
        delivered = begin = t[FRONT]
        begin = max([begin, *(t[source] for source in op.sources)])
        if op.port:
            begin = max(begin, t[PORTS + op.port])
        if op.port and in_order:
            t[PORTS + op.port] = begin + op.occupancy
        elif op.port:
            t[PORTS + op.port] = max(t[PORTS + op.port], delivered) + op.occupancy
            t[RETIRED] = max(t[RETIRED], t[PORTS + op.port])
        done = begin + op.latency + (extra if op.kind == LOAD else 0)
        for destination in op.destinations:
            t[destination] = done
        t[FRONT] = (begin if in_order else delivered) + op.slot
        if not in_order:
            t[RETIRED] = max(t[RETIRED], done)
        self._buffers(op, begin, extra)
        if in_order:
            t[RETIRED] = max(t[RETIRED], t[FRONT])

    def _buffers(self, op: MicroOp, begin: int, extra: int) -> None:
        t = self.time
        waits = FRONT if self.config["in_order"] else RETIRED
        share = max(extra // self.config["fill_buffers"], self.config["line_interval"] * UNITS)
        if extra and op.kind == LOAD and self.config["blocking"]:
            t[FRONT] += extra
        elif extra and op.kind == LOAD:
            t[FILL] = max(t[FILL], begin) + share
            until = t[FILL] - extra if self.config["in_order"] else t[FILL]
            t[waits] = max(t[waits], until)
        elif extra and op.kind == STORE:
            t[FILL] = max(t[FILL], begin) + share
            t[waits] = max(t[waits], t[FILL] - self.config["store_buffer"] * UNITS)

    def block(self, ops: Sequence[MicroOp], misses: dict[int, int], instructions: int) -> int:
        """A block; ``misses`` maps the number of an access to its units beyond a hit. Returns its units."""
        before, access = self.time[RETIRED], 0
        for op in ops:
            numbers = range(access, access + op.accesses)
            self.operation(op, max((misses.get(number, 0) for number in numbers), default=0))
            access += op.accesses
        for number, extra in misses.items():
            assert number < access, f"access {number} belongs to no operation ({extra})"
        spent = self.time[RETIRED] - before
        self.instructions += instructions
        while len(self.retired) < self.instructions // GROUP:
            self.retired.append(self.time[RETIRED])
        back = self.instructions // GROUP - self.config["window"] // GROUP
        if not self.config["in_order"] and back >= 0:
            self.time[FRONT] = max(self.time[FRONT], self.retired[back])
        return spent


class _Work(ctypes.Structure):
    _fields_ = [
        ("op", ctypes.c_void_p),
        ("ops", ctypes.c_uint32),
        ("summary", ctypes.c_void_p),
        ("instructions", ctypes.c_uint32),
    ]


class Native:
    """``struct pipeline``, of which only the row of times at its head is looked at.

    With ``code``, a ``struct host_code``, each summary becomes host code when it passes first.
    """

    ROOM = 1 << 16
    TERMS = 1024

    def __init__(self, config: dict[str, int], code: ctypes.Array[ctypes.c_uint64] | None = None) -> None:
        self._library = native.load()
        self._config = (ctypes.c_uint32 * len(FIELDS))(*(config[name] for name in FIELDS))
        self._pipeline = ctypes.create_string_buffer(self.ROOM)
        self._library.pipeline_summarise.restype = ctypes.c_void_p
        self._library.pipeline_init(self._pipeline, self._config)
        self._library.pipeline_use_code(self._pipeline, code, 0)

    @property
    def time(self) -> list[int]:
        """The row of times."""
        return list((ctypes.c_uint64 * TIMES).from_buffer(self._pipeline))

    def block(
        self, ops: Sequence[MicroOp], misses: dict[int, int], instructions: int, *, summary: bool
    ) -> dict[int, int]:
        """Execute a block by its summary or operation by operation; return its units by cause, -1: all."""
        packed = ctypes.create_string_buffer(b"".join(op.packed() for op in ops))
        made = None
        if summary:
            made = self._library.pipeline_summarise(
                self._config, packed, ctypes.c_uint32(len(ops)), ctypes.c_uint32(self.TERMS)
            )
            assert made
        for number, extra in misses.items():
            writes = self._is_store(ops, number)
            self._library.pipeline_note(
                self._pipeline,
                ctypes.c_uint32(number),
                ctypes.c_uint32(extra // UNITS),
                0,
                ctypes.c_bool(writes),
            )
        work = _Work(ctypes.addressof(packed), len(ops), made, instructions)
        cost = (ctypes.c_uint64 * 16)()
        self._library.pipeline_execute(self._pipeline, ctypes.byref(work), cost)
        ctypes.CDLL(None).free(ctypes.c_void_p(made))
        stalled = cost[1] & 0xFF
        return {-1: cost[0]} | ({cause: cost[2 + cause] for cause in range(8)} if stalled else {})

    @staticmethod
    def _is_store(ops: Sequence[MicroOp], number: int) -> bool:
        for op in ops:
            if number < op.accesses:
                return op.kind == STORE
            number -= op.accesses
        return False
