# SPDX-License-Identifier: GPL-2.0-or-later
"""Registers that the engine's public interface does not show whole, read and written where it keeps them.

Where that is was found by markers (cpu/ARCH/layout.py). Whoever writes one has the engine work out what
follows from it afterwards: ``core_state_done`` of the native core.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ringscope.emulator.cpu.engine import Engine


class Field(NamedTuple):
    """A register: bytes in the engine's state, ``offset`` from a place that the layout names."""

    place: str
    offset: int = 0
    bytes: int = 8


class Fields:
    """The registers of one processor that are such fields, by their names."""

    def __init__(self, engine: Engine, fields: Mapping[str, Field]) -> None:
        """Nothing is read or written yet."""
        self._env = int(engine.library.core_env(engine.core))
        self._layout = engine.state_layout
        self._fields = fields

    def _address(self, field: Field) -> int:
        return int(self._env + self._layout[field.place] + field.offset)

    def read(self) -> Iterator[tuple[str, int]]:
        """Return each name and value."""
        for name, field in self._fields.items():
            yield name, int.from_bytes(ctypes.string_at(self._address(field), field.bytes), "little")

    def write(self, values: Mapping[str, int]) -> None:
        """Write all of them. Raises KeyError for one that is missing, OverflowError for one too large."""
        for name, field in self._fields.items():
            ctypes.memmove(self._address(field), values[name].to_bytes(field.bytes, "little"), field.bytes)
