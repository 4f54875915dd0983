# SPDX-License-Identifier: GPL-2.0-or-later
"""Read back what ``arm64_image.py`` packed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringscope.bootimage import arm64_image
from ringscope.bootimage.packed import Packed, PackedModule
from ringscope.bootimage.types import ImageError

if TYPE_CHECKING:
    from ringscope.bootimage.arm64_header import ImageHeader


@dataclass(frozen=True)
class PackedArm64(Packed):
    """A packed image and the address ``base`` for which it is made."""

    base: int


class _Table:
    """The module table in the file, whose addresses are turned back into places in it."""

    def __init__(self, data: bytes, header: ImageHeader, name: str) -> None:
        self.data = data
        self.where = f"{name}: module table at {header.reserved:#x}"
        self.at = header.reserved
        if self.at + arm64_image.TABLE.size > len(data):
            raise self.damaged("it is cut off")
        self.fields = arm64_image.TABLE.unpack_from(data, self.at)
        _, self.size, self.base, self.end, self.line, self.kernel_at, self.kernel_size, self.count = (
            self.fields
        )
        if header.image_size > len(data):
            raise ImageError(
                f"{name}: arm64 Image header: image_size {header.image_size:#x} is more than the file of "
                f"{len(data):#x} bytes; the file is truncated"
            )
        if self.end - self.base != header.image_size:
            raise self.damaged(f"base {self.base:#x} and end {self.end:#x} are not the image's")
        room = (self.size - arm64_image.TABLE.size) // arm64_image.ENTRY.size
        if self.at + self.size > header.image_size or self.count > max(room, 0):
            raise self.damaged(f"{self.count} modules do not fit in its {self.size:#x} bytes")

    def damaged(self, why: str) -> ImageError:
        """Return the error that says ``why``."""
        return ImageError(f"{self.where}: {why}; pack the image again")

    def text(self, address: int) -> str:
        """Return the zero-terminated text at ``address``, which must lie in the table."""
        start, end = address - self.base, self.at + self.size
        stop = self.data.find(b"\0", start, end) if self.at <= start < end else -1
        if stop < 0:
            raise self.damaged(f"the command line at {address:#x} is not in it")
        return os.fsdecode(self.data[start:stop])

    def module(self, index: int) -> PackedModule:
        """Return the module of entry ``index``."""
        place = self.at + arm64_image.TABLE.size + index * arm64_image.ENTRY.size
        start, end, line = arm64_image.ENTRY.unpack_from(self.data, place)
        if not self.base <= start <= end <= self.end:
            raise self.damaged(f"module {index + 1} at {start:#x} to {end:#x} is not in the image")
        return PackedModule(self.text(line), start, end, self.data[start - self.base : end - self.base])

    def kernel(self) -> bytes:
        """Return the kernel's original file."""
        if not self.end - self.base <= self.kernel_at <= len(self.data) - self.kernel_size:
            raise self.damaged(f"the kernel's file at {self.kernel_at:#x} is not behind the image")
        return self.data[self.kernel_at : self.kernel_at + self.kernel_size]


def read(data: bytes, header: ImageHeader, name: str) -> PackedArm64 | None:
    """Return the content of ``data`` if it is a packed image. Raises ImageError for a damaged one.

    One that ends before its table is told by the header alone: any other Image leaves the word that points to
    the table zero.
    """
    magic = arm64_image.TABLE_MAGIC
    if header.reserved == 0:
        return None
    if header.reserved + len(magic) > len(data) and header.reserved < header.image_size:
        raise ImageError(
            f"{name}: the module table at {header.reserved:#x} lies beyond the file of {len(data):#x} bytes; "
            "the file is truncated"
        )
    if data[header.reserved : header.reserved + len(magic)] != magic:
        return None
    table = _Table(data, header, name)
    modules = tuple(table.module(index) for index in range(table.count))
    return PackedArm64(table.kernel(), modules, table.text(table.line), table.base)
