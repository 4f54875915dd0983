# SPDX-License-Identifier: GPL-2.0-or-later
"""Scan codes of a US keyboard: set 1 from set 2, and the key of each ASCII code.

Source: IBM PS/2 technical reference, "Keyboard (101/102-key)" and "Keyboard/Auxiliary Device Controller".
"""

from __future__ import annotations

BREAK = 0xF0  # set 2: the prefix of a released key
LEFT_SHIFT, LEFT_CONTROL = 0x12, 0x14  # in set 2

#: What a keyboard controller makes of each set-2 byte 0x00..0x84; higher bytes pass as they are.
SET_1 = bytes.fromhex(
    "ff43413f3d3b3c5864444240 3e0f2959"  # 00
    "65382a701d10025a66712c1f 1e11035b"  # 10
    "672e2d201205045c68392f21 1413065d"  # 20
    "693130232215075e6a723224 1608095f"  # 30
    "6b332517180b0a606c343526 27190c61"  # 40
    "6d7328741a0d626e3a361c1b 752b6376"  # 50
    "5556777879 7a0e7b7c4f7d4b477e7f6f"  # 60
    "525350 4c4d48014557 4e514a37494654"  # 70
    "80818241 54"
)

#: Key caps: unshifted characters, shifted characters, set-2 codes in the same order.
_ROWS = (
    ("`1234567890-=", "~!@#$%^&*()_+", "0e161e26252e363d3e46454e55"),
    ("qwertyuiop[]\\", "QWERTYUIOP{}|", "151d242d2c353c43444d545b5d"),
    ("asdfghjkl;'", 'ASDFGHJKL:"', "1c1b232b34333b424b4c52"),
    ("zxcvbnm,./ ", "ZXCVBNM<>? ", "1a22212a32313a41494a29"),
)
_UNPRINTABLE = {0x08: 0x66, 0x7F: 0x66, 0x09: 0x0D, 0x0A: 0x5A, 0x0D: 0x5A, 0x1B: 0x76}


def _key_table() -> dict[int, tuple[int, int | None]]:
    table: dict[int, tuple[int, int | None]] = {}
    for plain, shifted, hexadecimal in _ROWS:
        for characters, modifier in ((shifted, LEFT_SHIFT), (plain, None)):
            for character, code in zip(characters, bytes.fromhex(hexadecimal), strict=True):
                table[ord(character)] = (code, modifier)
    for letter in range(ord("a"), ord("z") + 1):
        table[letter & 0x1F] = (table[letter][0], LEFT_CONTROL)
    return table | {code: (key, None) for code, key in _UNPRINTABLE.items()}


#: ASCII code to the set-2 code of its key and of the modifier to hold, if any.
KEYS = _key_table()
