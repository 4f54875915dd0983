# SPDX-License-Identifier: GPL-2.0-or-later
"""Registers and memory of one process, as packets ask for them and change them.

Every method takes what follows the packet's letter and returns the answer. Raises ValueError and KeyError
for what cannot be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringscope.emulator.debug.gdb.description import BYTE, DESCRIPTIONS, Register
from ringscope.emulator.debug.gdb.packet import MOST, unescape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringscope.emulator.debug.control import Control

DONE, FAILED = b"OK", b"E01"


class View:
    """What gdb sees of a machine through a process.

    ``space`` is its address space, None for that in force; ``left`` are the registers of a thread that is not
    in the processor, None where it is. What is not among them is unknown, and the program counter is 0.
    """

    def __init__(self, control: Control, space: int | None, left: Mapping[str, int] | None = None) -> None:
        """Look."""
        self._control = control
        self._space = space
        self._left = left
        self._description = DESCRIPTIONS[control.engine.arch]

    def registers(self) -> bytes:
        """Answer ``g``."""
        return b"".join(map(self._value, self._description.general))

    def register(self, text: bytes) -> bytes:
        """Answer ``p``: one register by its number."""
        return self._value(self._description.by_number[int(text, 16)])

    def _value(self, register: Register) -> bytes:
        if self._left is None:
            return register.read(self._control).hex().encode()
        if register.ours in self._left:
            return register.encoded(self._left[register.ours]).hex().encode()
        # gdb must have some program counter, or it does not go on
        nothing = b"00" if register.ours == self._control.engine.program_counter else b"xx"
        return nothing * (register.bits // BYTE)

    def set_registers(self, text: bytes) -> bytes:
        """Answer ``G``."""
        self._demand_presence()
        self._description.write_general(self._control, bytes.fromhex(text.decode()))
        return DONE

    def set_register(self, text: bytes) -> bytes:
        """Answer ``P``."""
        self._demand_presence()
        number, _, value = text.partition(b"=")
        self._description.by_number[int(number, 16)].write(self._control, bytes.fromhex(value.decode()))
        return DONE

    def _demand_presence(self) -> None:
        if self._left is not None:
            raise ValueError("its registers are not in the processor")

    def read(self, text: bytes) -> bytes:
        """Answer ``m``: what is mapped from an address on."""
        address, size = (int(word, 16) for word in text.split(b","))
        data = self._control.read(address, min(size, MOST // 2), self._space)
        return data.hex().encode() if data or not size else FAILED

    def write_hex(self, text: bytes) -> bytes:
        """Answer ``M``."""
        head, _, data = text.partition(b":")
        return self._write(head, bytes.fromhex(data.decode()))

    def write_binary(self, text: bytes) -> bytes:
        """Answer ``X``."""
        head, _, data = text.partition(b":")
        return self._write(head, unescape(data))

    def _write(self, head: bytes, data: bytes) -> bytes:
        address, size = (int(word, 16) for word in head.split(b","))
        if len(data) != size:
            raise ValueError("other bytes than announced")
        return DONE if self._control.write(address, data, self._space) == size else FAILED
