# SPDX-License-Identifier: GPL-2.0-or-later
"""The header of an arm64 Image: the flat kernel file that arm64 boot loaders take.

Source: the kernel project's "Booting AArch64 Linux", section 4. 64 bytes, little-endian, at the file's
beginning: code0, code1 (executed: the entry is the header itself), text_offset, image_size, flags, three
reserved words, the magic number, and a reserved half word. The image goes ``text_offset`` bytes above an
address that is a multiple of 2 MiB; ``image_size`` bytes from there are its own, .bss included.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from ringscope.bootimage.types import ImageError

MAGIC: Final = b"ARM\x64"
HEADER: Final = struct.Struct("<IIQQQQQQ4sI")
TWO_MIB: Final = 2 << 20
#: An image that asks for less goes 2 MiB higher under QEMU, which has code of its own where RAM begins.
LEAST_OFFSET: Final = 4096
#: Where a file belongs that leaves ``image_size`` zero: it was made before the field had a meaning.
OLD_TEXT_OFFSET: Final = 0x80000

_MAGIC_AT: Final = 56
_BIG_ENDIAN: Final = 1 << 0
_PAGE_SIZE_SHIFT: Final = 1
_PAGE_SIZE_MASK: Final = 3
#: Bits 1 and 2 of the flags.
PAGE_SIZES: Final = {0: "unspecified", 1: "4 KiB", 2: "16 KiB", 3: "64 KiB"}
FLAGS_4K: Final = 1 << _PAGE_SIZE_SHIFT
_OFFERED: Final = {0, 1}


@dataclass(frozen=True)
class ImageHeader:
    """A checked header; ``reserved`` is the first of its reserved words, all lengths are bytes."""

    text_offset: int
    image_size: int
    flags: int
    reserved: int

    @property
    def page_size(self) -> str:
        """The page size for which the kernel was built, in words."""
        return PAGE_SIZES[self.flags >> _PAGE_SIZE_SHIFT & _PAGE_SIZE_MASK]


def is_image(data: bytes) -> bool:
    """Tell whether ``data`` begins as an arm64 Image."""
    return data[_MAGIC_AT : _MAGIC_AT + len(MAGIC)] == MAGIC


def parse(data: bytes, name: str) -> ImageHeader:
    """Read the header of ``data``, which ``is_image``. Raises ImageError for what this machine is not."""
    where = f"{name}: arm64 Image header"
    if len(data) < HEADER.size:
        raise ImageError(f"{where}: truncated: {len(data)} bytes, expected {HEADER.size}")
    _, _, text_offset, image_size, flags, reserved, _, _, _, _ = HEADER.unpack_from(data)
    if flags & _BIG_ENDIAN:
        raise ImageError(f"{where}: flags {flags:#x} ask for a big-endian kernel; build it little-endian")
    pages = flags >> _PAGE_SIZE_SHIFT & _PAGE_SIZE_MASK
    if pages not in _OFFERED:
        raise ImageError(
            f"{where}: flags {flags:#x} ask for pages of {PAGE_SIZES[pages]}; build the kernel for 4 KiB"
        )
    if image_size == 0:
        text_offset = OLD_TEXT_OFFSET
    return ImageHeader(text_offset, image_size, flags, reserved)


def place(header: ImageHeader, ram: int) -> int:
    """Return the address where QEMU's ``virt`` puts the image, with RAM from ``ram`` on."""
    offset = header.text_offset + (TWO_MIB if header.text_offset < LEAST_OFFSET else 0)
    return -(-ram // TWO_MIB) * TWO_MIB + offset


def build(code0: int, text_offset: int, image_size: int, reserved: int) -> bytes:
    """Return the header of a little-endian image for 4 KiB pages whose first instruction is ``code0``."""
    return HEADER.pack(code0, 0, text_offset, image_size, FLAGS_4K, reserved, 0, 0, MAGIC, 0)
