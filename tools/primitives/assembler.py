# SPDX-License-Identifier: GPL-2.0-or-later
"""Snippets, assembled by keystone and read back by capstone: its mistakes must not become measurements.

Statements are separated by ``;``, labels end with ``:``. Beside instructions there are ``begin N`` and
``end N``, the marks of operation N (emulator/guest/ringscope.h), and the words of ODD, which keystone does
not know. A statement that is assembled as an instruction of another name is refused.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

import capstone
import keystone

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Architecture and bits -> how keystone and capstone are opened.
MODES = {
    ("x86_64", 32): (keystone.KS_ARCH_X86, keystone.KS_MODE_32, capstone.CS_ARCH_X86, capstone.CS_MODE_32),
    ("x86_64", 64): (keystone.KS_ARCH_X86, keystone.KS_MODE_64, capstone.CS_ARCH_X86, capstone.CS_MODE_64),
    ("aarch64", 64): (
        keystone.KS_ARCH_ARM64,
        keystone.KS_MODE_LITTLE_ENDIAN,
        capstone.CS_ARCH_ARM64,
        capstone.CS_MODE_LITTLE_ENDIAN,
    ),
}
ODD = {"sysretq": b"\x48\x0f\x07", "sysexitq": b"\x48\x0f\x35"}
MARK = re.compile(r"(begin|end) (\d+)")
ABSOLUTE = re.compile(r"\[\d")
LABEL = re.compile(r"^\s*\w+:")


class AssemblyError(Exception):
    """The bytes are not the instructions that were written."""


def mark(arch: str, kind: str, number: int) -> bytes:
    """Return the bytes of a mark; ``kind`` is begin or end."""
    code = number | (0x1000 if kind == "end" else 0)
    if arch == "aarch64":
        return struct.pack("<I", 0x92E0001F | code << 5)
    return b"\x0f\x1f\x84\x00" + struct.pack("<I", 0x5253 << 16 | code)


def assemble(arch: str, source: str, address: int, bits: int = 64) -> bytes:
    """Return the code of a snippet. Raises AssemblyError."""
    ks_arch, ks_mode, cs_arch, cs_mode = MODES[arch, bits]
    if bits == 64 and ABSOLUTE.search(source):
        raise AssemblyError(f"{source}: an address by itself is taken for a distance; put it into a register")
    statements = list(_statements(source))
    text = ";".join(_for_keystone(arch, statement) for statement in source.split(";"))
    try:
        code, _ = keystone.Ks(ks_arch, ks_mode).asm(text, address, as_bytes=True)
    except keystone.KsError as error:
        raise AssemblyError(f"{source}: {error}") from error
    read = capstone.Cs(cs_arch, cs_mode).disasm_lite(bytes(code), address)
    found = ["mov" if name == "movn" else name for _, _, name, _ in read]  # one instruction, two names
    wanted = [_mnemonic(arch, statement) for statement in statements]
    if found != wanted:
        odd = next((pair for pair in zip(wanted, found, strict=False) if pair[0] != pair[1]), (wanted, found))
        raise AssemblyError(f"{source}: {odd[0]} was assembled as {odd[1]}")
    return bytes(code)


def _statements(source: str) -> Iterator[str]:
    for statement in source.split(";"):
        text = LABEL.sub("", statement).strip()
        if text:
            yield text


def _mnemonic(arch: str, statement: str) -> str:
    if MARK.fullmatch(statement):
        return "mov" if arch == "aarch64" else "nop"
    return statement.split(maxsplit=1)[0]


def _for_keystone(arch: str, statement: str) -> str:
    label = LABEL.match(statement)
    text = LABEL.sub("", statement).strip()
    found = MARK.fullmatch(text)
    code = mark(arch, found[1], int(found[2])) if found else ODD.get(text)
    if code is None:
        return statement
    return (label[0] if label else "") + ".byte " + ",".join(map(str, code))
