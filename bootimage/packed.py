# SPDX-License-Identifier: GPL-2.0-or-later
"""Read back what ``container.py`` packed."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ringscope.bootimage import container
from ringscope.bootimage.types import ImageError

if TYPE_CHECKING:
    from ringscope.bootimage.elf import ElfFile


@dataclass(frozen=True)
class PackedModule:
    """A module that a segment loads at ``[start, end)``."""

    command_line: str
    start: int
    end: int
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class Packed:
    """The content of a packed image; ``command_line`` is the kernel's where the loader is given none."""

    kernel: bytes = field(repr=False)
    modules: tuple[PackedModule, ...]
    command_line: str


def read(file: ElfFile) -> Packed | None:
    """Return the content of ``file`` if it is a packed image. Raises ImageError for a damaged one."""
    kept = file.section(container.KERNEL_SECTION)
    if kept is None:
        return None
    kernel = file.content(kept)
    contents = [section for section in file.sections if section.name == container.MODULE_SECTION]
    table_section = file.section(container.TABLE_SECTION)
    if table_section is None:
        if contents:
            raise ImageError(
                f"{file.name}: section {container.TABLE_SECTION} is missing; pack the image again"
            )
        return Packed(kernel, (), "")
    table = file.content(table_section)
    where = f"{file.name}: section {container.TABLE_SECTION}"
    rows = len(contents) * container.MODULE.size
    lines = table[rows:].split(b"\0")
    if len(table) < rows or len(lines) - 1 < len(contents) or lines[-1]:
        raise ImageError(
            f"{where}: holds fewer than the {len(contents)} modules there are; pack the image again"
        )
    modules = []
    entries = container.MODULE.iter_unpack(table[:rows])
    for content, line, (start, end, _, _) in zip(contents, lines, entries, strict=False):
        if (start, end) != (content.address, content.address + content.size):
            raise ImageError(
                f"{where}: mod_start {start:#x} is not where the module is; pack the image again"
            )
        modules.append(PackedModule(os.fsdecode(line), start, end, file.content(content)))
    own = lines[len(contents)] if len(lines) - 1 > len(contents) else b""
    return Packed(kernel, tuple(modules), os.fsdecode(own))
