# SPDX-License-Identifier: GPL-2.0-or-later
"""The boot image: Multiboot 1 and 2, ELF, modules, packed images.

``load`` turns a kernel file and its modules into what must be in memory before the first instruction;
``wrap`` and ``pack`` make one bootable file of them; ``inspect`` says what is in one. Every complaint is an
``ImageError``.
"""

from ringscope.bootimage.container import wrap
from ringscope.bootimage.inspection import Description, inspect
from ringscope.bootimage.loader import load, parse_initrd
from ringscope.bootimage.system import System, pack, read_system
from ringscope.bootimage.types import (
    BootRequest,
    ImageError,
    LoadedImage,
    LoadedModule,
    MemoryLayout,
    MemoryRegion,
    ModuleSpec,
    Protocol,
)

__all__ = [
    "BootRequest",
    "Description",
    "ImageError",
    "LoadedImage",
    "LoadedModule",
    "MemoryLayout",
    "MemoryRegion",
    "ModuleSpec",
    "Protocol",
    "System",
    "inspect",
    "load",
    "pack",
    "parse_initrd",
    "read_system",
    "wrap",
]
