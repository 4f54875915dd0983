# SPDX-License-Identifier: GPL-2.0-or-later
"""A block's summary by its definition (native/pipeline.h), and host code made of the same forms."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oracles.pipeline import FRONT, RETIRED
from ringscope.emulator.native import library as native
from ringscope.emulator.timing.micro_ops import REGISTERS, TEMPORARY, TIMES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

AT_ONCE = 4
Row = list[int]


@dataclass(frozen=True)
class Result:
    """The time ``to`` becomes a form and ``plus``; one that ``retires`` is no later than the block does."""

    to: int
    form: int
    plus: int
    retires: bool = False


@dataclass(frozen=True)
class Summary:
    """Forms map a time to what is added to it; the first one is no result's."""

    forms: Sequence[Mapping[int, int]]
    results: Sequence[Result]

    def move(self, time: Row) -> Row:
        """Return the row of times after the block."""
        value = [max(time[start] + plus for start, plus in form.items()) for form in self.forms]
        after = list(time)
        for result in self.results:
            after[result.to] = value[result.form] + result.plus
        retired = [value[r.form] + r.plus for r in self.results if r.retires]
        after[RETIRED] = max([value[0], *retired])
        return after


class _Pair(ctypes.Structure):
    _fields_ = [("start", ctypes.c_uint8 * 2), ("last", ctypes.c_uint16), ("plus", ctypes.c_uint16 * 2)]


class _Result(ctypes.Structure):
    _fields_ = [
        ("to", ctypes.c_uint8),
        ("form", ctypes.c_uint8),
        ("plus", ctypes.c_uint16),
        ("retires", ctypes.c_int16),
    ]


class _Summary(ctypes.Structure):
    _fields_ = [
        ("step", ctypes.c_void_p),
        ("operations", ctypes.c_void_p),
        ("passes", ctypes.c_uint32),
        ("surprises", ctypes.c_uint32),
        ("pairs", ctypes.c_uint32),
        ("results", ctypes.c_uint32),
        ("retired_terms", ctypes.c_uint32),
        ("retired_after_front", ctypes.c_uint32),
        ("longest", ctypes.c_uint32),
        ("pair", ctypes.POINTER(_Pair)),
        ("result", ctypes.POINTER(_Result)),
        ("retired", ctypes.c_void_p),
    ]


def _pairs(summary: Summary) -> list[_Pair]:
    """Two terms each, the last of an odd number twice; then what fills up the last four."""
    pairs = []
    for form in summary.forms:
        terms = [*form.items()]
        terms += terms[-1:] if len(terms) % 2 else []
        for at in range(0, len(terms), 2):
            (first, plus), (second, more) = terms[at : at + 2]
            pairs.append(_Pair((first, second), at + 2 == len(terms), (plus, more)))
    return pairs + [_Pair((FRONT, FRONT), 0, (0, 0))] * (-len(pairs) % AT_ONCE)


def _results(summary: Summary) -> list[_Result]:
    results = [_Result(r.to, r.form, r.plus, -1 if r.retires else 0) for r in summary.results]
    return results + [_Result(TEMPORARY, 0, 0, 0)] * (-len(results) % AT_ONCE)


class HostCode:
    """``struct host_code``: memory for code, freed with this object."""

    WORDS = 8
    NEXT, END = 1, 2

    def __init__(self) -> None:
        self._library = native.load()
        self.words = (ctypes.c_uint64 * self.WORDS)()

    def __del__(self) -> None:
        self._library.host_code_free(self.words)

    @property
    def used(self) -> int:
        """Bytes of code."""
        return self.words[self.NEXT] - self.words[0]

    def forget(self) -> None:
        """Forget all code."""
        self._library.host_code_forget(self.words)

    def leave(self, room: int) -> None:
        """Let all but so many bytes be taken."""
        self.words[self.NEXT] = self.words[self.END] - room

    def make(self, summary: Summary) -> Callable[[Row], Row] | None:
        """Make code of a summary: from a row of times to the row after the block. None: there is none."""
        pairs, results = _pairs(summary), _results(summary)
        made = _Summary(
            pairs=len(pairs),
            results=len(results),
            pair=(_Pair * len(pairs))(*pairs),
            result=(_Result * len(results))(*results),
        )
        self._library.summary_code.restype = ctypes.c_void_p
        address = self._library.summary_code(self.words, ctypes.byref(made))
        if address is None:
            return None
        step = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(address)

        def move(time: Row) -> Row:
            row = (ctypes.c_uint64 * TIMES)(*time)
            step(ctypes.addressof(row) + REGISTERS * ctypes.sizeof(ctypes.c_uint64))
            return list(row)

        return move
