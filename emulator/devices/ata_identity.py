# SPDX-License-Identifier: GPL-2.0-or-later
"""What the ATA disk says of itself: the 256 words of IDENTIFY DEVICE (ATA/ATAPI-6, 8.15)."""

from __future__ import annotations

import struct

HEADS, SECTORS_PER_TRACK, MAX_CYLINDERS = 16, 63, 16_383
MODEL, SERIAL, FIRMWARE = "RINGSCOPE DISK", "RS00000001", "1.0"


def _text(text: str, characters: int) -> bytes:
    """Return ASCII padded with spaces, the two characters of each word swapped as the standard wants."""
    padded = text.ljust(characters).encode("ascii")
    return bytes(padded[index ^ 1] for index in range(characters))


def identify_data(sectors: int, multiple: int, max_multiple: int) -> bytes:
    """Return 512 bytes for a disk of so many sectors; `multiple` is what SET MULTIPLE chose, 0 for none."""
    cylinders = min(MAX_CYLINDERS, max(1, sectors // (HEADS * SECTORS_PER_TRACK)))
    capacity = cylinders * HEADS * SECTORS_PER_TRACK
    words = {
        0: 0x0040,  # fixed device
        1: cylinders,
        3: HEADS,
        6: SECTORS_PER_TRACK,
        47: 0x8000 | max_multiple,
        49: 0x0200,  # LBA, no DMA
        50: 0x4000,
        53: 0x0003,  # words 54..58 and 64..70 are valid
        54: cylinders,
        55: HEADS,
        56: SECTORS_PER_TRACK,
        57: capacity & 0xFFFF,
        58: capacity >> 16,
        59: 0x0100 | multiple if multiple else 0,
        60: min(sectors, 0xFFFFFFF) & 0xFFFF,
        61: min(sectors, 0xFFFFFFF) >> 16,
        64: 0x0003,  # PIO modes 3 and 4
        67: 120,  # nanoseconds a PIO cycle
        68: 120,
        80: 0x007E,  # ATA-1 to ATA/ATAPI-6
        82: 0x4000,  # NOP
        83: 0x7400,  # FLUSH CACHE, FLUSH CACHE EXT, 48-bit addresses
        84: 0x4000,
        85: 0x4000,
        86: 0x3400,
        87: 0x4000,
        93: 0x6001,  # device 0 passed its diagnostics
        **{100 + index: sectors >> 16 * index & 0xFFFF for index in range(4)},
    }
    data = bytearray(struct.pack("<256H", *(words.get(index, 0) for index in range(256))))
    data[20:40] = _text(SERIAL, 20)
    data[46:54] = _text(FIRMWARE, 8)
    data[54:94] = _text(MODEL, 40)
    return bytes(data)
