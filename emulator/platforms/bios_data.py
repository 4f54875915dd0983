# SPDX-License-Identifier: GPL-2.0-or-later
"""The BIOS data area at 0x400 and the extended one, as far as kernels read them after a boot.

Layout: IBM PS/2 and PC BIOS interface technical reference, "BIOS data area".
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ringscope.emulator.devices import vga_text
from ringscope.emulator.platforms.memory_map import EBDA, EBDA_BYTES

if TYPE_CHECKING:
    from ringscope.emulator.platforms.pc_config import PcConfig

BDA, BDA_BYTES = 0x400, 0x100
EQUIPMENT_FPU, EQUIPMENT_COLOR_80, EQUIPMENT_COM_SHIFT = 0x02, 0x20, 9
KEYBOARD_BUFFER, KEYBOARD_BUFFER_END = 0x1E, 0x3E
TEXT_MODE_3 = 3


def bios_data_area(config: PcConfig, disks: int) -> bytes:
    """Return the 256 bytes at 0x400."""
    area = bytearray(BDA_BYTES)

    def put(offset: int, layout: str, *values: int) -> None:
        struct.pack_into("<" + layout, area, offset, *values)

    serial_ports = [port.port for port in (config.com1, config.com2) if port is not None]
    put(0x00, f"{len(serial_ports)}H", *serial_ports)
    put(0x0E, "H", EBDA >> 4)
    put(0x10, "H", EQUIPMENT_FPU | EQUIPMENT_COLOR_80 | len(serial_ports) << EQUIPMENT_COM_SHIFT)
    put(0x13, "H", EBDA >> 10)  # KiB below the extended area
    put(0x1A, "HH", KEYBOARD_BUFFER, KEYBOARD_BUFFER)
    put(0x49, "BHH", TEXT_MODE_3, vga_text.COLUMNS, 0x1000)
    put(0x63, "H", vga_text.CRTC_INDEX)
    put(0x75, "B", disks)
    put(0x80, "HH", KEYBOARD_BUFFER, KEYBOARD_BUFFER_END)
    put(0x84, "BH", vga_text.ROWS - 1, 16)
    return bytes(area)


def extended_bios_data_area() -> bytes:
    """Return the extended area, whose first byte is its size in KiB."""
    return bytes([EBDA_BYTES >> 10]).ljust(EBDA_BYTES, b"\0")
