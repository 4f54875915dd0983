# SPDX-License-Identifier: GPL-2.0-or-later
"""What both protocols tell the kernel, before either writes it in its own format."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ringscope.bootimage import elf
from ringscope.bootimage.types import USABLE, LoadedModule, MemoryLayout

if TYPE_CHECKING:
    from ringscope.bootimage.placement import Space

LOADER_NAME: Final = b"ringscope\0"

#: The text console that every PC has and the only one offered to a kernel that asks for a video mode:
#: address, columns, rows, and the depth that both specifications prescribe for EGA text.
TEXT_ADDRESS: Final = 0xB8000
TEXT_COLUMNS: Final = 80
TEXT_ROWS: Final = 25
TEXT_DEPTH: Final = 16
EGA_TEXT: Final = 2


@dataclass(frozen=True)
class SectionHeaders:
    """The kernel's section header table, with the addresses at which unallocated sections were put."""

    count: int
    entry_size: int
    names_index: int
    table: bytes = field(repr=False)


@dataclass(frozen=True)
class Information:
    """The content of an information structure.

    ``command_line`` is encoded, as is the line of each of ``modules`` in ``module_lines``, in the same order.
    ``text_console`` is set when the kernel asked for a video mode; ``load_base`` when it is relocatable.
    """

    layout: MemoryLayout
    command_line: bytes
    modules: tuple[LoadedModule, ...]
    module_lines: tuple[bytes, ...]
    sections: SectionHeaders | None
    text_console: bool
    load_base: int | None = None

    def memory(self) -> tuple[int, int]:
        """Return usable KiB from address 0 (640 at most) and from 1 MiB up to the first hole."""
        return min(_usable_from(self.layout, 0) // 1024, 640), _usable_from(self.layout, 1 << 20) // 1024


def _usable_from(layout: MemoryLayout, start: int) -> int:
    at = start
    for region in layout.regions:
        if region.kind == USABLE and region.base <= at < region.end:
            at = region.end
    return min(at - start, (1 << 42) - 1024)


def place_sections(file: elf.ElfFile, space: Space) -> tuple[SectionHeaders | None, list[tuple[int, bytes]]]:
    """Put the sections that no segment loads (symbols, strings) into RAM, as both specifications ask.

    Returns the table to hand over, None where the file has none, and the writes.
    """
    if not file.sections:
        return None, []
    layout = elf.SECTION_HEADER[file.bits]
    table, writes = b"", []
    for section, fields in zip(file.sections, layout.iter_unpack(file.section_table), strict=True):
        content = file.content(section)
        address = section.address
        if content and not section.flags & elf.SHF_ALLOC and not address and section.kind != elf.SHT_NULL:
            address = space.take(len(content), f"{file.name}: section {section.name}")
            writes.append((address, content))
        table += layout.pack(*fields[:3], address, *fields[4:])
    return SectionHeaders(len(file.sections), layout.size, file.section_names, table), writes
