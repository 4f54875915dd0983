# SPDX-License-Identifier: GPL-2.0-or-later
"""Walks of page tables and the contents of the models, as the native core tells them (native/inspect.h)."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ringscope.emulator.native.library import NOWHERE

if TYPE_CHECKING:
    from ringscope.emulator.cpu.engine import Engine

#: By the names that commands use, in the order of ``enum inspected_tlb`` and ``enum inspected_cache``.
TLBS: Final = ("dtlb", "itlb", "stlb", "walk")
CACHES: Final = ("l1i", "l1d", "l2", "llc")
LEVELS_MOST: Final = 4


class _Level(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("paddr", "shift", "entry")]


class _Walk(ctypes.Structure):
    """``struct inspected_walk``."""

    _fields_ = [
        *((name, ctypes.c_uint64) for name in "present paddr page_shift writable user nx global".split()),
        ("levels", ctypes.c_uint64),
        ("level", _Level * LEVELS_MOST),
    ]


class _Translation(ctypes.Structure):
    """``struct inspected_translation``."""

    _fields_ = [
        *((name, ctypes.c_uint64) for name in ("vaddr", "paddr")),
        *((name, ctypes.c_uint32) for name in "page_shift mapping_shift asid set age".split()),
        *((name, ctypes.c_uint8) for name in ("global", "live")),
        ("unused", ctypes.c_uint8 * 2),
    ]


class _Line(ctypes.Structure):
    """``struct inspected_line``."""

    _fields_ = [
        ("paddr", ctypes.c_uint64),
        *((name, ctypes.c_uint32) for name in "set way dirty unused".split()),
    ]


@dataclass(frozen=True)
class Level:
    """One entry of a walk: where it lies, and the 2^shift bytes that it maps."""

    paddr: int
    shift: int
    entry: int


@dataclass(frozen=True)
class Walk:
    """What an address translates to, and by which entries, outermost first; rights over all levels.

    ``paddr`` is None where the walk ends without a mapping; then the rights mean nothing. ``page_shift`` is 0
    where nothing translates.
    """

    levels: tuple[Level, ...]
    paddr: int | None
    page_shift: int
    writable: bool
    user: bool
    no_execute: bool
    is_global: bool


@dataclass(frozen=True)
class Translation:
    """One entry of a TLB; ``age`` 0 was used last in its set. A dead one can never match again."""

    vaddr: int
    paddr: int
    page_shift: int
    mapping_shift: int
    asid: int
    set: int
    age: int
    is_global: bool
    live: bool


@dataclass(frozen=True)
class Line:
    """One line of a cache, by the physical address of its first byte."""

    paddr: int
    set: int
    way: int
    dirty: bool


def walk(engine: Engine, vaddr: int, space: int | None = None) -> Walk:
    """Walk to a virtual address in the present address space, or in the one with this root."""
    found = _Walk()
    root = NOWHERE if space is None else space
    engine.library.core_walk(engine.core, root, vaddr, ctypes.byref(found))
    levels = tuple(Level(each.paddr, each.shift, each.entry) for each in found.level[: found.levels])
    return Walk(
        levels,
        found.paddr if found.present else None,
        found.page_shift,
        bool(found.writable),
        bool(found.user),
        bool(found.nx),
        bool(getattr(found, "global")),
    )


def translations(engine: Engine, tlb: str) -> list[Translation]:
    """Return what a TLB of TLBS holds, set by set; `walk` are the paging-structure caches."""
    number = TLBS.index(tlb)
    count = engine.library.core_translations(engine.core, number, None, 0)
    found = (_Translation * count)()
    engine.library.core_translations(engine.core, number, found, count)
    return [
        Translation(
            each.vaddr,
            each.paddr,
            each.page_shift,
            each.mapping_shift,
            each.asid,
            each.set,
            each.age,
            bool(getattr(each, "global")),
            bool(each.live),
        )
        for each in found
    ]


def lines(engine: Engine, cache: str) -> list[Line]:
    """Return what a cache of CACHES holds, set by set."""
    number = CACHES.index(cache)
    count = engine.library.core_lines(engine.core, number, None, 0)
    found = (_Line * count)()
    engine.library.core_lines(engine.core, number, found, count)
    return [Line(each.paddr, each.set, each.way, bool(each.dirty)) for each in found]
