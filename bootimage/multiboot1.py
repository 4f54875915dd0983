# SPDX-License-Identifier: GPL-2.0-or-later
"""Write the Multiboot 1 information structure (specification 0.6.96, section 3.3).

One block of memory: the structure itself, then everything it points to. The boot device, drives,
configuration table, APM and VBE fields are absent, and their flags say so: there is no BIOS to ask. The
fields of the frame buffer are present only for a kernel that asked for a video mode, and offer the text
console.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from ringscope.bootimage import information

if TYPE_CHECKING:
    from ringscope.bootimage.information import Information

MAGIC: Final = 0x2BADB002
_MEMORY: Final = 1 << 0
_COMMAND_LINE: Final = 1 << 2
_MODULES: Final = 1 << 3
_SECTIONS: Final = 1 << 5
_MEMORY_MAP: Final = 1 << 6
_LOADER_NAME: Final = 1 << 9
_FRAMEBUFFER: Final = 1 << 12

_MODULE: Final = struct.Struct("<IIII")
_REGION: Final = struct.Struct("<IQQI")
# flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr, four words of section headers,
# mmap_length, mmap_addr, drives (2), config_table, boot_loader_name, apm_table, VBE (6 fields in 4 words).
_STRUCTURE: Final = struct.Struct("<22I")
# framebuffer address, pitch, width, height, bits per pixel, type, colour information.
_FRAMEBUFFER_FIELDS: Final = struct.Struct("<QIIIBB6x")
SIZE: Final = _STRUCTURE.size + _FRAMEBUFFER_FIELDS.size


def build(info: Information, base: int) -> bytes:
    """Return the block for physical address ``base``; its length does not depend on ``base``."""
    tail = bytearray()

    def put(content: bytes) -> int:
        tail.extend(bytes(-len(tail) % 8))
        address = base + SIZE + len(tail)
        tail.extend(content)
        return address

    lines = [put(line) for line in info.module_lines]
    table = b"".join(
        _MODULE.pack(module.start, module.end, line, 0)
        for module, line in zip(info.modules, lines, strict=True)
    )
    regions = b"".join(
        _REGION.pack(_REGION.size - 4, region.base, region.length, region.kind)
        for region in info.layout.regions
    )
    flags = _MEMORY | _COMMAND_LINE | _MEMORY_MAP | _LOADER_NAME
    flags |= _MODULES if info.modules else 0
    sections = (0, 0, 0, 0)
    if info.sections is not None:
        flags |= _SECTIONS
        found = info.sections
        sections = (found.count, found.entry_size, put(found.table), found.names_index)
    framebuffer = bytes(_FRAMEBUFFER_FIELDS.size)
    if info.text_console:
        flags |= _FRAMEBUFFER
        framebuffer = _FRAMEBUFFER_FIELDS.pack(
            information.TEXT_ADDRESS,
            information.TEXT_COLUMNS * 2,
            information.TEXT_COLUMNS,
            information.TEXT_ROWS,
            information.TEXT_DEPTH,
            information.EGA_TEXT,
        )
    structure = _STRUCTURE.pack(
        flags, *(min(size, 0xFFFFFFFF) for size in info.memory()), 0, put(info.command_line),
        len(info.modules), put(table) if table else 0, *sections,
        len(regions), put(regions), 0, 0, 0, put(information.LOADER_NAME), 0, *[0] * 4,
    )  # fmt: skip
    return structure + framebuffer + bytes(tail)
