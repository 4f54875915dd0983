# SPDX-License-Identifier: GPL-2.0-or-later
"""Instructions in words, and assembled from them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import capstone
import keystone

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST: Final = {"x86_64": 15, "aarch64": 4}  # bytes of an instruction
#: By architecture and the bits of the code.
DECODERS: Final = {
    ("x86_64", 64): (capstone.CS_ARCH_X86, capstone.CS_MODE_64),
    ("x86_64", 32): (capstone.CS_ARCH_X86, capstone.CS_MODE_32),
    ("x86_64", 16): (capstone.CS_ARCH_X86, capstone.CS_MODE_16),
    ("aarch64", 64): (capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM),
}
ASSEMBLERS: Final = {
    ("x86_64", 64): (keystone.KS_ARCH_X86, keystone.KS_MODE_64),
    ("x86_64", 32): (keystone.KS_ARCH_X86, keystone.KS_MODE_32),
    ("x86_64", 16): (keystone.KS_ARCH_X86, keystone.KS_MODE_16),
    ("aarch64", 64): (keystone.KS_ARCH_ARM64, keystone.KS_MODE_LITTLE_ENDIAN),
}


class AssemblyError(Exception):
    """A text is no instruction; the message is one sentence."""


@dataclass(frozen=True)
class Instruction:
    """One instruction. ``target`` is where a direct branch or call leads to."""

    address: int
    code: bytes
    text: str
    is_call: bool
    target: int | None

    @property
    def end(self) -> int:
        """The address after it."""
        return self.address + len(self.code)


@cache
def _decoder(arch: str, bits: int) -> Any:  # noqa: ANN401  capstone has no types
    decoder = capstone.Cs(*DECODERS[arch, bits])
    decoder.detail = True
    return decoder


def instructions(arch: str, bits: int, code: bytes, address: int) -> Iterator[Instruction]:
    """Yield the instructions in some code; bytes that are none are told one at a time (AArch64: four)."""
    at = 0
    unit = 1 if arch == "x86_64" else 4
    while at < len(code):
        found = next(_decoder(arch, bits).disasm(code[at : at + LONGEST[arch]], address + at, 1), None)
        if found is None:
            piece = code[at : at + unit]
            yield Instruction(address + at, piece, f".byte {', '.join(map(hex, piece))}", False, None)
            at += len(piece)
            continue
        operands = found.operands
        branches = found.group(capstone.CS_GRP_JUMP) or found.group(capstone.CS_GRP_CALL)
        direct = branches and bool(operands) and operands[-1].type == capstone.CS_OP_IMM
        yield Instruction(
            found.address,
            bytes(found.bytes),
            f"{found.mnemonic} {found.op_str}".rstrip(),
            bool(found.group(capstone.CS_GRP_CALL)),
            operands[-1].imm % (1 << 64) if direct else None,
        )
        at += found.size


def assemble(arch: str, bits: int, text: str, address: int) -> bytes:
    """Return the code of some instructions, separated by ``;``. Raises AssemblyError.

    What the assembler makes of a text is read back: it takes some forms for others, and that is refused.
    """
    engine = keystone.Ks(*ASSEMBLERS[arch, bits])
    try:
        code, count = engine.asm(text, address, as_bytes=True)
    except keystone.KsError as error:
        raise AssemblyError(f"{text!r} cannot be assembled: {_reason(error)}") from error
    if not code:
        raise AssemblyError(f"{text!r} holds no instruction")
    found = list(instructions(arch, bits, bytes(code), address))
    if any(each.text.startswith(".byte") for each in found) and ".byte" not in text:
        raise AssemblyError(f"{text!r} was assembled to bytes that are no instruction; write them as .byte")
    del count
    return bytes(code)


def _reason(error: keystone.KsError) -> str:
    words = str(error).partition(" (KS_ERR")[0]
    return words[:1].lower() + words[1:]
