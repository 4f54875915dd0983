# SPDX-License-Identifier: GPL-2.0-or-later
"""What every ARM PrimeCell says of itself in the last 32 bytes of its 4 KiB window."""

from __future__ import annotations

LENGTH = 0x1000  # bytes in the window
_FIRST = 0xFE0
_CELL = bytes.fromhex("0df005b1")  # PCellID, the same in each


class Identification:
    """The registers PeriphID0..3 and PCellID0..3, one byte in a word each."""

    __slots__ = ("_bytes",)

    def __init__(self, part: int, revision: int) -> None:
        """`part` has three hexadecimal digits; the designer is ARM (0x41)."""
        peripheral = part | 0x41 << 12 | revision << 20
        self._bytes = peripheral.to_bytes(4, "little") + _CELL

    def read(self, register: int) -> int:
        """Return a register by its offset in the window, 0 below the first."""
        return self._bytes[(register - _FIRST) // 4] if _FIRST <= register < LENGTH else 0


def lane(value: int, offset: int, size: int) -> int:
    """Return the bytes of a 32-bit register that an access of `size` bytes at `offset` sees."""
    return value >> 8 * (offset & 3) & (1 << 8 * size) - 1
