# SPDX-License-Identifier: GPL-2.0-or-later
"""The program on which an AArch64 core proves its short cuts (cpu/engine.py).

Code at the beginning of RAM + 0x1000 with its data 0x1000 further on; it ends by waiting for an interrupt.
"""

#: Loads and stores of three sizes, a branch taken or not, an instruction that changes after each execution.
PROGRAM = b"".join(
    word.to_bytes(4, "little")
    for word in (
        0xD2800081,  # movz x1, #4
        0x10007FE2,  # adr x2, .+0xffc
        0x10000106,  # adr x6, patch
        0xF9400043,  # again: ldr x3, [x2]
        0x8B010063,  # add x3, x3, x1
        0xF9000443,  # str x3, [x2, #8]
        0x79402444,  # ldrh w4, [x2, #18]
        0x39008444,  # strb w4, [x2, #33]
        0x36080041,  # tbz w1, #1, patch
        0x8B0400A5,  # add x5, x5, x4
        0x910044A5,  # patch: add x5, x5, #17
        0xB94000C4,  # ldr w4, [x6]
        0x11100084,  # add w4, w4, #0x400
        0xB90000C4,  # str w4, [x6]
        0x91006042,  # add x2, x2, #24
        0xF1000421,  # subs x1, x1, #1
        0x54FFFE61,  # b.ne again
        0xF9000445,  # str x5, [x2, #8]
        0xD503207F,  # wfi
    )
)
INSTRUCTIONS = 3 + 4 * 13 + 2 + 2  # two of the four rounds do not skip one
