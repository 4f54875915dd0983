# SPDX-License-Identifier: GPL-2.0-or-later
"""Why an x86 processor shut down: the exceptions raised one upon another, none of them delivered."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ringscope.emulator.cpu.engine import Engine
    from ringscope.emulator.debug.symbols import SymbolTable

#: Mnemonics of Intel SDM volume 3, table 6-1, by vector.
MNEMONICS = dict(
    enumerate("#DE #DB NMI #BP #OF #BR #UD #NM #DF - #TS #NP #SS #GP #PF - #MF #AC #MC #XM #VE #CP".split())
)
WITH_ERROR_CODE = frozenset({10, 11, 12, 13, 14, 17, 21})  # and #DF, whose is always 0
PAGE_FAULT = 14
EXCEPTION, SOFTWARE, INTERRUPT = range(3)  # enum raised_kind of native/x86_64/engine.h
MOST = 8  # RAISED_MAX
RING = 3  # the mask of the privilege level in cs


class _Record(ctypes.Structure):
    """``struct raised``."""

    _fields_ = [
        ("kind", ctypes.c_uint32),
        ("vector", ctypes.c_uint32),
        ("error_code", ctypes.c_uint32),
        ("cr2", ctypes.c_uint64),
    ]


@dataclass(frozen=True)
class Raised:
    """One of them; ``address`` is the linear one that a page fault was about."""

    kind: int
    vector: int
    error_code: int
    address: int

    def __str__(self) -> str:
        """Write it as the manuals do: #GP(0x32)."""
        if self.kind == SOFTWARE:
            return f"int {self.vector:#x}"
        name = MNEMONICS.get(self.vector, "-")
        if self.kind == INTERRUPT or name == "-":
            return f"{'interrupt' if self.kind == INTERRUPT else 'exception'} {self.vector:#x}"
        if self.vector in WITH_ERROR_CODE:
            name += f"({self.error_code:#x})" if self.error_code else "(0)"
        return f"{name} for {self.address:#x}" if self.vector == PAGE_FAULT else name


def read(engine: Engine) -> list[Raised]:
    """Return what was raised since the last delivery, the oldest first."""
    records = (_Record * MOST)()
    count = engine.library.core_raised(engine.core, records)
    return [Raised(one.kind, one.vector, one.error_code, one.cr2) for one in records[:count]]


def chain(engine: Engine, symbols: SymbolTable) -> str:
    """Return ``raised: #UD at main+0x12, then #GP(0x33), then #DF``; the place is that of the first."""
    raised = [str(one) for one in read(engine)] or ["nothing that was seen"]
    pc = engine.shutdown_pc
    place = symbols.describe(pc, user=bool(engine.register("cs") & RING)) or f"{pc:#x}"
    return ", then ".join((f"raised: {raised[0]} at {place}", *raised[1:]))
