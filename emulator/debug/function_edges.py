# SPDX-License-Identifier: GPL-2.0-or-later
"""The first and last instructions of an AArch64 function, where call-frame information is not true.

Compilers that are not asked for more describe the frame as it is between the two. While a function makes
its frame, it only lowers the stack pointer and stores; while it gives it up, it only loads and raises it
again: so the one is undone by adding, the other by carrying it out. Encodings: Arm Architecture Reference
Manual, DDI 0487, chapter C4.1.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

RET: Final = 0xD65F03C0
SP: Final = 31
LONGEST: Final = 16  # instructions of an epilogue
#: Pairs and single registers of 64 bits, by the stack pointer; the mask leaves out what varies.
STORE_PAIR, STORE_PAIR_BEFORE, LOAD_PAIR, LOAD_PAIR_AFTER = 0xA90003E0, 0xA98003E0, 0xA94003E0, 0xA8C003E0
PAIR: Final = 0xFFC003E0
STORE, STORE_BEFORE, LOAD, LOAD_AFTER = 0xF90003E0, 0xF8000FE0, 0xF94003E0, 0xF84007E0
OFFSET, INDEXED = 0xFFC003E0, 0xFFE00FE0
SUBTRACT, ADD, IMMEDIATE = 0xD10003FF, 0x910003FF, 0xFFC003FF
BRANCH, BRANCHES = 0x14000000, 0xFC000000


def lowered(code: bytes) -> int | None:
    """Return by how many bytes a function that has executed this has lowered its stack pointer.

    ``code`` is from its first instruction on. None where it has done more than to begin making a frame.
    """
    total = 0
    for (word,) in struct.iter_unpack("<I", code[: len(code) // 4 * 4]):
        if word & PAIR == STORE_PAIR_BEFORE:
            total -= 8 * _signed(word >> 15 & 0x7F, 7)
        elif word & INDEXED == STORE_BEFORE:
            total -= _signed(word >> 12 & 0x1FF, 9)
        elif word & IMMEDIATE == SUBTRACT:
            total += word >> 10 & 0xFFF
        elif word & PAIR != STORE_PAIR and word & OFFSET != STORE:
            return None
    return total


def carried_out(
    code: bytes, registers: Mapping[str, int], read: Callable[[int, int], bytes], ends: Callable[[int], bool]
) -> dict[str, int] | None:
    """Return the registers after the rest of a function, up to its return; None if more is left of it.

    ``code`` is from the next instruction on; ``ends`` says whether a branch by a distance from there leaves
    the function, as a tail call does. Of the registers, those are right that a caller relies on.
    """
    state = dict(registers)
    for at, (word,) in enumerate(struct.iter_unpack("<I", code[: len(code) // 4 * 4])):
        if word == RET or (word & BRANCHES == BRANCH and ends(4 * (at + _signed(word & ~BRANCHES, 26)))):
            return state
        restored = _restored(word, state["sp"], read)
        if restored is not None:
            state |= restored
        elif not _is_harmless(word):
            return None
    return None


def _restored(word: int, stack: int, read: Callable[[int, int], bytes]) -> dict[str, int] | None:
    """Return what an instruction loads from the stack and the new stack pointer; None if it is no such."""
    numbers: tuple[int, ...] = (word & 0x1F,)
    if word & PAIR in (LOAD_PAIR, LOAD_PAIR_AFTER):
        offset, after = 8 * _signed(word >> 15 & 0x7F, 7), word & PAIR == LOAD_PAIR_AFTER
        numbers = (word & 0x1F, word >> 10 & 0x1F)
    elif word & OFFSET == LOAD:
        offset, after = 8 * (word >> 10 & 0xFFF), False
    elif word & INDEXED == LOAD_AFTER:
        offset, after = _signed(word >> 12 & 0x1FF, 9), True
    elif word & IMMEDIATE == ADD:
        return {"sp": stack + (word >> 10 & 0xFFF)}
    else:
        return None
    loaded = read(stack if after else stack + offset, 8 * len(numbers))
    if len(loaded) < 8 * len(numbers):
        return None
    values = struct.unpack(f"<{len(numbers)}Q", loaded)
    found = {f"x{number}": value for number, value in zip(numbers, values, strict=True) if number != SP}
    return {**found, "sp": stack + offset if after else stack}


def _is_harmless(word: int) -> bool:
    """Whether an instruction only computes, into none of x29, x30 and the stack pointer."""
    group = word >> 25 & 0xF
    computes = group >> 1 == 0b100 or group & 0b0111 == 0b101
    return computes and word & 0x1F not in (29, 30, SP)


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> bits - 1 else value
