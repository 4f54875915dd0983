# SPDX-License-Identifier: GPL-2.0-or-later
"""Disassembling no more than is looked at: the library decodes all that it was asked for before the first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    import capstone

FEW: Final = 8  # instructions: most blocks have fewer


def disassemble(
    engine: capstone.Cs, code: bytes, address: int, limit: int
) -> Iterator[tuple[int, int, str, str]]:
    """Yield (address, size in bytes, mnemonic, operands) of at most ``limit`` instructions."""
    at = 0
    for asked in (FEW,) * (limit // FEW) + (limit % FEW,):
        found = 0
        for instruction in engine.disasm_lite(code[at:], address + at, asked) if asked else ():
            yield instruction
            at += instruction[1]
            found += 1
        if found < asked:
            return
