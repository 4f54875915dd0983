# SPDX-License-Identifier: GPL-2.0-or-later
"""Probes by address: the native core's (native/probe.h). By symbol they are in debug/probes.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringscope.emulator.native import library as native
from ringscope.emulator.native.library import NOWHERE

if TYPE_CHECKING:
    from ringscope.emulator.cpu.engine import Engine


def add_probe(
    engine: Engine, begin: int, end: int | None = None, page: tuple[int, bytes] | None = None
) -> int:
    """Book what passes from one virtual address to another, or to the return.

    ``page`` is what the program in user mode that is meant has on the page of ``begin``, as (offset, bytes);
    None means the kernel. Returns the number of its entry in the ledger. Raises ValueError if the probes are
    too many.
    """
    offset, code = page or (0, b"")
    until = NOWHERE if end is None else end
    number = engine.library.core_add_probe(
        engine.core, begin, until, page is not None, code if page else None, offset, len(code)
    )
    if number < 0:
        raise ValueError(f"there are {native.PROBES_MAX} probes already, which is the most")
    return native.LEDGER_PROBES + int(number)


def entries(engine: Engine, number: int) -> int:
    """Return how often the operation of a probe was entered, given what ``add_probe`` returned."""
    return int(engine.library.core_probe_entries(engine.core, number - native.LEDGER_PROBES))
