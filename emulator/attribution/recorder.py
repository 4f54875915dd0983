# SPDX-License-Identifier: GPL-2.0-or-later
"""Attribution while a machine runs: begun before it does, read at its end."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from ringscope.emulator import books
from ringscope.emulator.attribution import costs
from ringscope.emulator.attribution.costs import PLACE, USER, WAY, Attribution, entry_layout
from ringscope.emulator.native import library as native

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ringscope.emulator.cpu.engine import Engine


@dataclass(frozen=True)
class RawAttribution:
    """What the core has, as it has it: arrays of its structures, and of each operation by its name."""

    places: bytes
    ways: bytes
    costs: bytes
    operations: dict[str, bytes]

    def read(self) -> Attribution:
        """Return it in Python's own objects."""
        words, cycles = len(costs.columns()), len(native.counter_names())
        return Attribution(
            costs.read_places(self.places),
            costs.read_ways(self.ways),
            costs.read_costs(self.costs, words, cycles),
            {name: costs.read_costs(data, words, cycles) for name, data in self.operations.items()},
        )


class Recorder:
    """Attributes what a processor books, from its making to ``close``.

    ``names`` are those of marked operations, by number. ``learn`` is told of an address space and an address
    in it where user code ran, soon after the first time. Raises MemoryError.
    """

    def __init__(
        self, engine: Engine, names: Mapping[int, str], learn: Callable[[int, int], None] | None = None
    ) -> None:
        """Begin."""
        self._library, self._core = engine.library, engine.core
        self._names = names
        self._learn = learn
        self._seen = 0
        self._spaces: set[int] = set()
        if not self._library.core_attribution_start(self._core):
            raise MemoryError

    def _array(self, name: str, size: int, *arguments: int, after: int = 0) -> bytes:
        """Return an array of the core without its first ``after`` elements."""
        start = ctypes.c_void_p()
        count = getattr(self._library, name)(self._core, *arguments, ctypes.byref(start)) - after
        return ctypes.string_at((start.value or 0) + after * size, count * size) if count else b""

    def look(self) -> None:
        """Tell of the address spaces that are new."""
        if self._learn is None:
            return
        places = self._array("core_attribution_places", PLACE.size, after=self._seen)
        for space, address, _, ring in PLACE.iter_unpack(places):
            if ring == USER and space not in self._spaces:
                self._spaces.add(space)
                self._learn(space, address)
        self._seen += len(places) // PLACE.size

    def read(self) -> RawAttribution:
        """Return what was attributed so far. Raises MemoryError if there was too little for all."""
        if not self._library.core_attribution_settle(self._core):
            raise MemoryError
        self.look()
        size = entry_layout(len(costs.columns())).size
        operations = {}
        for number in range(native.LEDGER_INTERRUPT + 1):
            data = self._array("core_attribution_operation", size, number)
            if data:
                operations[books.operation_name(number, self._names)] = data
        return RawAttribution(
            places=self._array("core_attribution_places", PLACE.size),
            ways=self._array("core_attribution_nodes", WAY.size),
            costs=self._array("core_attribution_costs", size),
            operations=operations,
        )

    def close(self) -> None:
        """Attribute no more, and forget what was."""
        self._library.core_attribution_stop(self._core)

    def __enter__(self) -> Self:
        """Attribute within a ``with`` block."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self.close()
