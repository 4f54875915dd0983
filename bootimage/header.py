# SPDX-License-Identifier: GPL-2.0-or-later
"""Find and check the header by which a kernel says that a Multiboot loader may boot it.

Multiboot 1 (specification 0.6.96, section 3.1): 32-bit aligned, wholly within the first 8192 bytes of the
file. Multiboot 2 (specification 2.0, section 3.1): 64-bit aligned, wholly within the first 32768 bytes,
followed by tags. A header whose checksum is wrong is none, and the search goes on; when nothing better is
found the message says where the wrong one is.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from ringscope.bootimage.types import ImageError

MAGIC1: Final = 0x1BADB002
MAGIC2: Final = 0xE85250D6
SEARCH1: Final = 8192
SEARCH2: Final = 32768

#: Bits of the Multiboot 1 flags word. 0 to 15 are requirements, 16 to 31 may be ignored when unknown.
PAGE_ALIGN: Final = 1 << 0
MEMORY_INFO: Final = 1 << 1
VIDEO_MODE: Final = 1 << 2
ADDRESSES: Final = 1 << 16
KNOWN_REQUIREMENTS: Final = PAGE_ALIGN | MEMORY_INFO | VIDEO_MODE

_WORDS3: Final = struct.Struct("<III")
_WORDS4: Final = struct.Struct("<IIII")
_ADDRESSES1: Final = struct.Struct("<IIIII")
_TAG: Final = struct.Struct("<HHI")


@dataclass(frozen=True)
class LoadAddresses:
    """The address-override fields (the a.out kludge).

    ``header`` is the address at which the header itself belongs. Zero ``load_end`` means to the file's end,
    zero ``bss_end`` no .bss.
    """

    header: int
    load: int
    load_end: int
    bss_end: int


@dataclass(frozen=True)
class Header1:
    """A Multiboot 1 header at ``offset`` in the file; ``video`` is mode type, width, height, depth."""

    offset: int
    flags: int
    addresses: LoadAddresses | None
    entry: int | None
    video: tuple[int, int, int, int] | None


@dataclass(frozen=True)
class Tag:
    """A Multiboot 2 header tag; a loader that does not know it refuses unless ``optional``."""

    kind: int
    optional: bool
    payload: bytes


@dataclass(frozen=True)
class Header2:
    """A Multiboot 2 header at ``offset`` in the file, with its tags in order."""

    offset: int
    architecture: int
    tags: tuple[Tag, ...]

    def tag(self, kind: int) -> Tag | None:
        """Return the first tag of ``kind``."""
        return next((tag for tag in self.tags if tag.kind == kind), None)


def find_header1(data: bytes, name: str) -> Header1 | None:
    """Return the Multiboot 1 header of ``data``, None when it has none.

    Raises ImageError for one with a wrong checksum, cut off, or with requirements no loader knows.
    """
    window = data[:SEARCH1]
    wrong = None
    for offset in range(0, len(window) - _WORDS3.size + 1, 4):
        magic, flags, checksum = _WORDS3.unpack_from(window, offset)
        if magic != MAGIC1:
            continue
        if (magic + flags + checksum) & 0xFFFFFFFF:
            wrong = wrong or (offset, checksum, -(magic + flags) & 0xFFFFFFFF)
            continue
        return _read_header1(window, name, offset, flags)
    if wrong:
        raise ImageError(_wrong_checksum(name, "Multiboot 1", *wrong))
    return None


def _wrong_checksum(name: str, protocol: str, offset: int, found: int, expected: int) -> str:
    return (
        f"{name}: {protocol} header at {offset:#x}: wrong checksum {found:#x}, expected {expected:#x}; "
        "magic, flags and checksum must add up to 0"
    )


def _read_header1(window: bytes, name: str, offset: int, flags: int) -> Header1:
    where = f"{name}: Multiboot 1 header at {offset:#x}"
    unknown = flags & 0xFFFF & ~KNOWN_REQUIREMENTS
    if unknown:
        bits = ", ".join(str(bit) for bit in range(16) if unknown >> bit & 1)
        raise ImageError(f"{where}: flags require unknown feature bit {bits}; only 0 to 2 are defined")
    addresses, entry, video = None, None, None
    if flags & ADDRESSES:
        if offset + 32 > len(window):
            raise ImageError(f"{where}: truncated in the address fields")
        header, load, load_end, bss_end, entry = _ADDRESSES1.unpack_from(window, offset + 12)
        addresses = LoadAddresses(header, load, load_end, bss_end)
    if flags & VIDEO_MODE:
        if offset + 48 > len(window):
            raise ImageError(f"{where}: truncated in the graphics fields")
        video = _WORDS4.unpack_from(window, offset + 32)
    return Header1(offset, flags, addresses, entry, video)


def find_header2(data: bytes, name: str) -> Header2 | None:
    """Return the Multiboot 2 header of ``data``, None when it has none.

    Raises ImageError for one with a wrong checksum or with tags that run out of the header.
    """
    window = data[:SEARCH2]
    wrong = None
    for offset in range(0, len(window) - _WORDS4.size + 1, 8):
        magic, architecture, length, checksum = _WORDS4.unpack_from(window, offset)
        if magic != MAGIC2:
            continue
        if (magic + architecture + length + checksum) & 0xFFFFFFFF:
            wrong = wrong or (offset, checksum, -(magic + architecture + length) & 0xFFFFFFFF)
            continue
        if offset + length > len(window):
            raise ImageError(
                f"{name}: Multiboot 2 header at {offset:#x}: header_length {length:#x} reaches beyond "
                f"{'the file' if len(data) < SEARCH2 else 'the first 32768 bytes'}"
            )
        return Header2(offset, architecture, _read_tags(window[offset : offset + length], name, offset))
    if wrong:
        raise ImageError(_wrong_checksum(name, "Multiboot 2", *wrong))
    return None


def _read_tags(header: bytes, name: str, start: int) -> tuple[Tag, ...]:
    tags: list[Tag] = []
    at = _WORDS4.size
    while at + _TAG.size <= len(header):
        kind, flags, size = _TAG.unpack_from(header, at)
        if size < _TAG.size or at + size > len(header):
            raise ImageError(
                f"{name}: Multiboot 2 header at {start:#x}: tag type {kind} at {start + at:#x}: size {size} "
                "runs out of the header"
            )
        if kind == 0:
            return tuple(tags)
        tags.append(Tag(kind, bool(flags & 1), header[at + _TAG.size : at + size]))
        at += (size + 7) & ~7
    raise ImageError(f"{name}: Multiboot 2 header at {start:#x}: no end tag (type 0) before header_length")
