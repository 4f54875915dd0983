# SPDX-License-Identifier: GPL-2.0-or-later
"""Intel 82093AA I/O APIC: 24 inputs, each with a redirection entry.

After the data sheet (order 290566). An edge on a masked pin is lost; a level on a masked pin counts when the
mask is lifted. A level-triggered interrupt sets *remote IRR* when it is accepted and is sent again at its EOI
if the level is still asserted. Lines carry "asserted", so the polarity bit is kept and changes nothing.

Pin 0 carries the 8259's INTR: programmed as ExtINT it opens a second virtual wire, which `external_open`
reports.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringscope.emulator.devices.interfaces import DeliveryMode, InterruptMessage
from ringscope.emulator.devices.state import Stateful

if TYPE_CHECKING:
    from collections.abc import Callable

BASE = 0xFEC00000
LENGTH = 0x1000
PINS = 24
VERSION = 0x11 | (PINS - 1) << 16
SELECT, WINDOW = 0x00, 0x10
REG_ID, REG_VERSION, REG_ARBITRATION, REG_REDIRECTION = 0x00, 0x01, 0x02, 0x10
REMOTE_IRR, LEVEL, MASKED = 0x4000, 0x8000, 0x1_0000
WRITABLE = 0xFF00_0000_0001_AFFF


class IoApic(Stateful):
    """`deliver` sends a message to the local APICs and says whether one accepted it."""

    __slots__ = ("_deliver", "_on_change", "base", "entries", "identity", "length", "lines", "selected")
    STATE = ("entries", "identity", "lines", "selected")

    def __init__(
        self, identity: int, deliver: Callable[[InterruptMessage], bool], on_change: Callable[[], None]
    ) -> None:
        """Start with every pin masked. `on_change` is called when an entry was written."""
        self._deliver = deliver
        self._on_change = on_change
        self.base = BASE
        self.length = LENGTH
        self.identity = identity
        self.selected = 0
        self.entries = [MASKED] * PINS
        self.lines = 0

    def set_line(self, pin: int, level: bool) -> None:
        """Drive input `pin` (0..23)."""
        bit = 1 << pin
        rising = level and not self.lines & bit
        self.lines = self.lines | bit if level else self.lines & ~bit
        if rising and not self.entries[pin] & MASKED:
            self._send(pin)

    def unmasked(self, pin: int) -> bool:
        """Whether a request on `pin` would be sent."""
        return not self.entries[pin] & MASKED

    @property
    def external_open(self) -> bool:
        """Whether pin 0 passes the 8259's INTR on as ExtINT."""
        return not self.entries[0] & MASKED and self.entries[0] >> 8 & 7 == DeliveryMode.EXTINT

    def end_of_interrupt(self, vector: int) -> None:
        """Hear a local APIC's EOI message for a level-triggered `vector`."""
        for pin, entry in enumerate(self.entries):
            if entry & REMOTE_IRR and entry & 0xFF == vector:
                self.entries[pin] &= ~REMOTE_IRR
                self._send_level(pin)

    def _send_level(self, pin: int) -> None:
        entry = self.entries[pin]
        if entry & LEVEL and not entry & MASKED and self.lines & (1 << pin):
            self._send(pin)

    def _send(self, pin: int) -> None:
        entry = self.entries[pin]
        level = bool(entry & LEVEL)
        mode = entry >> 8 & 7
        if mode == DeliveryMode.EXTINT or (level and entry & REMOTE_IRR):
            return
        message = InterruptMessage(entry & 0xFF, mode, entry >> 56, bool(entry & 0x800), level)
        if self._deliver(message) and level:
            self.entries[pin] |= REMOTE_IRR

    # --- registers ------------------------------------------------------------------------------------------

    def read_mmio(self, offset: int, size: int) -> int:
        """Read the select register or, through the window, the register it selects."""
        mask = (1 << 8 * size) - 1
        if offset == SELECT:
            return self.selected & mask
        return self._read() & mask if offset == WINDOW else 0

    def write_mmio(self, offset: int, size: int, value: int) -> None:
        """Write the select register or, through the window with 32 bits, the register it selects."""
        if offset == SELECT:
            self.selected = value & 0xFF
        elif offset == WINDOW and size >= 4:
            self._write(value & 0xFFFFFFFF)

    def _read(self) -> int:
        pin, high = divmod(self.selected - REG_REDIRECTION, 2)
        if 0 <= pin < PINS:
            return self.entries[pin] >> 32 * high & 0xFFFFFFFF
        if self.selected in (REG_ID, REG_ARBITRATION):
            return self.identity << 24
        return VERSION if self.selected == REG_VERSION else 0

    def _write(self, value: int) -> None:
        pin, high = divmod(self.selected - REG_REDIRECTION, 2)
        if 0 <= pin < PINS:
            self._write_entry(pin, 32 * high, value)
        elif self.selected == REG_ID:
            self.identity = value >> 24 & 0x0F

    def _write_entry(self, pin: int, shift: int, value: int) -> None:
        kept = self.entries[pin] & ~(WRITABLE & 0xFFFFFFFF << shift)
        entry = kept | (value << shift & WRITABLE)
        if not entry & LEVEL:
            entry &= ~REMOTE_IRR
        self.entries[pin] = entry
        self._send_level(pin)
        self._on_change()
