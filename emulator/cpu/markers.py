# SPDX-License-Identifier: GPL-2.0-or-later
"""Finding where an engine keeps its state, by markers.

They are written through its public API and looked for in its memory. Each architecture's ``layout.py`` says
which; a marker that is missing or ambiguous refuses the engine's library.
"""

from __future__ import annotations

import ctypes
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from unicorn import Uc

STATE_BYTES = 0x2000


class UnknownEngine(Exception):
    """The engine's library is not laid out as this project knows it."""


class Finder:
    """Looks for markers in the state, ``reach`` bytes at address ``env``, of one engine."""

    def __init__(self, uc: Uc, env: int, reach: int = STATE_BYTES) -> None:
        """Nothing is written yet."""
        self.uc = uc
        self.env = env
        self.reach = reach

    def state(self) -> bytes:
        """Return a copy of the state."""
        return ctypes.string_at(self.env, self.reach)

    def value(self, name: str, marker: int, size: int = 8) -> int:
        """Return the only offset, a multiple of 4, at which ``marker`` stands."""
        state, pattern = self.state(), marker.to_bytes(size, "little")
        found, at = [], state.find(pattern)
        while 0 <= at < self.reach - size:
            if at % 4 == 0:
                found.append(at)
            at = state.find(pattern, at + 1)
        if len(found) != 1:
            raise UnknownEngine(f"the engine keeps {name} in {len(found)} places, not one")
        return found[0]

    def register(self, name: str, register: int, marker: int, size: int = 8) -> int:
        """Return where a register is kept; it keeps its value."""
        saved = self.uc.reg_read(register)
        self.uc.reg_write(register, marker)
        offset = self.value(name, marker, size)
        self.uc.reg_write(register, saved)
        return offset

    def toggled(self, name: str, write: Callable[[bool], None], bit: int) -> list[int]:
        """Return the offsets of the 32-bit words in which exactly ``bit`` follows a toggled flag."""
        write(False)
        clear = struct.unpack(f"<{self.reach // 4}I", self.state())
        write(True)
        then = struct.unpack(f"<{self.reach // 4}I", self.state())
        write(False)
        found = [
            4 * i for i, (a, b) in enumerate(zip(clear, then, strict=True)) if a ^ b == 1 << bit and b > a
        ]
        if not found:
            raise UnknownEngine(f"the engine keeps {name} nowhere")
        return found

    def registers_in_order(self, registers: Sequence[int], marker: int) -> int:
        """Return where the first of some general registers is kept; the others must follow it in order."""
        first = 0
        for i, register in enumerate(registers):
            offset = self.register(f"general register {i}", register, marker + i * 0x101)
            first = offset if i == 0 else first
            if offset != first + 8 * i:
                raise UnknownEngine("the engine does not keep general registers in encoding order")
        return first
