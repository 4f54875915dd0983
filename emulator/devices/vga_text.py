# SPDX-License-Identifier: GPL-2.0-or-later
"""VGA in text mode 3: 80 columns by 25 rows at 0xB8000, and the registers that text-mode kernels touch.

The 32 KiB of text memory are plain RAM, so that a kernel writes them at full speed; this chip holds registers
and turns a copy of that memory into lines. Of the CRT controller, the start address, the cursor and the row
count have an effect. Sequencer, graphics and attribute controllers and the palette remember what is written.
No graphics mode.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringscope.emulator.devices.state import Stateful

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringscope.emulator.devices.interfaces import Clock

MEMORY_BASE, MEMORY_LENGTH = 0xB8000, 0x8000
COLUMNS, ROWS = 80, 25
ATTRIBUTE, MISC_WRITE, SEQUENCER, DAC_READ_INDEX, DAC_INDEX, DAC_DATA = (
    0x3C0,
    0x3C2,
    0x3C4,
    0x3C7,
    0x3C8,
    0x3C9,
)
MISC_READ, GRAPHICS, CRTC_INDEX, CRTC_DATA, INPUT_STATUS = 0x3CC, 0x3CE, 0x3D4, 0x3D5, 0x3DA
START_HIGH, START_LOW, CURSOR_HIGH, CURSOR_LOW = 0x0C, 0x0D, 0x0E, 0x0F
FRAME_HZ, SCAN_LINES, VISIBLE_LINES = 70, 449, 400  # mode 3 at 720 x 400
IN_RETRACE, IN_VERTICAL_RETRACE = 0x01, 0x08

#: The CRT controller as the video BIOS programs mode 3 (IBM VGA technical reference, "CRT Controller").
MODE_3 = bytes.fromhex("5f4f50825581bf1f004f0d0e00000000 9c8e8f281f96b9a3ff")

_LOW_GLYPHS = " ☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼"
GLYPHS = _LOW_GLYPHS + bytes(range(0x20, 0x100)).decode("cp437").replace("\x7f", "⌂").replace("\xa0", " ")


class VgaText(Stateful):
    """`on_cursor` is called with the old and the new cursor location when the guest has moved it."""

    __slots__ = (
        "_clock",
        "attribute_next_data",
        "banks",
        "crtc",
        "index",
        "misc",
        "on_cursor",
        "palette",
        "palette_index",
    )
    STATE = ("attribute_next_data", "banks", "crtc", "index", "misc", "palette", "palette_index")
    ports = (range(0x3C0, 0x3D0), range(0x3D4, 0x3D6), range(0x3DA, 0x3DB))
    port_width = 1

    def __init__(self, clock: Clock) -> None:
        """Start in mode 3, cursor at the top left."""
        self._clock = clock
        self.crtc = bytearray(MODE_3)
        self.index = {ATTRIBUTE: 0, SEQUENCER: 0, GRAPHICS: 0, CRTC_INDEX: 0}
        self.banks = {ATTRIBUTE: bytearray(32), SEQUENCER: bytearray(8), GRAPHICS: bytearray(16)}
        self.attribute_next_data = False  # port 0x3C0 takes an index and a datum in turn
        self.misc = 0x67
        self.palette = bytearray(768)
        self.palette_index = 0
        self.on_cursor: Callable[[int, int], None] | None = None

    # --- what the screen shows ------------------------------------------------------------------------------

    @property
    def start(self) -> int:
        """The character cell at the top left, counted from the start of the text memory."""
        return self.crtc[START_HIGH] << 8 | self.crtc[START_LOW]

    @property
    def cursor(self) -> int:
        """The cell that the cursor is on, counted from the start of the text memory."""
        return self.crtc[CURSOR_HIGH] << 8 | self.crtc[CURSOR_LOW]

    def render(self, memory: bytes) -> list[str]:
        """Return the 25 rows of a copy of the text memory as Unicode, blanks at the right end cut off."""
        cells = len(memory) // 2
        rows = []
        for row in range(ROWS):
            first = (self.start + row * COLUMNS) % cells
            characters = (memory * 2)[2 * first : 2 * (first + COLUMNS) : 2]
            rows.append("".join(GLYPHS[code] for code in characters).rstrip())
        return rows

    # --- registers ------------------------------------------------------------------------------------------

    def read_port(self, port: int, size: int) -> int:
        """Read a register."""
        del size
        if port == INPUT_STATUS:
            self.attribute_next_data = False
            return self._beam()
        if port in self.index:
            return self.index[port]
        if port == CRTC_DATA:
            register = self.index[CRTC_INDEX]
            return self.crtc[register] if register < len(self.crtc) else 0
        if port - 1 in self.banks:
            bank = self.banks[port - 1]
            return bank[self.index[port - 1] % len(bank)]
        if port == DAC_DATA:
            value = self.palette[self.palette_index]
            self.palette_index = (self.palette_index + 1) % len(self.palette)
            return value
        return self.misc if port == MISC_READ else 0

    def write_port(self, port: int, size: int, value: int) -> None:
        """Write a register."""
        del size
        if port == ATTRIBUTE:
            self._write_attribute(value)
        elif port in self.index:
            self.index[port] = value
        elif port == CRTC_DATA:
            self._write_crtc(value)
        elif port - 1 in (SEQUENCER, GRAPHICS):
            bank = self.banks[port - 1]
            bank[self.index[port - 1] % len(bank)] = value
        elif port == DAC_DATA:
            self.palette[self.palette_index] = value
            self.palette_index = (self.palette_index + 1) % len(self.palette)
        elif port in (DAC_READ_INDEX, DAC_INDEX):
            self.palette_index = 3 * value
        elif port == MISC_WRITE:
            self.misc = value

    def _write_attribute(self, value: int) -> None:
        if self.attribute_next_data:
            self.banks[ATTRIBUTE][self.index[ATTRIBUTE] & 0x1F] = value
        else:
            self.index[ATTRIBUTE] = value
        self.attribute_next_data = not self.attribute_next_data

    def _write_crtc(self, value: int) -> None:
        register = self.index[CRTC_INDEX]
        if register >= len(self.crtc):
            return
        before = self.cursor
        self.crtc[register] = value
        if register == CURSOR_LOW and self.on_cursor is not None:
            self.on_cursor(before, self.cursor)

    def _beam(self) -> int:
        """Return input status 1: where the beam is at this cycle."""
        lines = self._clock.cycle * FRAME_HZ * SCAN_LINES
        line = lines // self._clock.hz % SCAN_LINES
        if line >= VISIBLE_LINES:
            return IN_RETRACE | (
                IN_VERTICAL_RETRACE if VISIBLE_LINES + 12 <= line < VISIBLE_LINES + 14 else 0
            )
        beyond_columns = lines % self._clock.hz * 5 >= self._clock.hz * 4  # a fifth of a line is blank
        return IN_RETRACE if beyond_columns else 0
