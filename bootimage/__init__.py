# SPDX-License-Identifier: GPL-2.0-or-later
"""The boot image: Multiboot 1 and 2, arm64 Image, ELF, modules, packed images.

``load`` turns a kernel file and its modules into what must be in memory before the first instruction,
``load_arm64`` does so for AArch64, and ``architecture`` says which of them a file is for; ``wrap``,
``wrap_arm64`` and ``pack`` make one bootable file of them; ``inspect`` says what is in one. Every complaint
is an ``ImageError``.
"""

from ringscope.bootimage.arm64 import LoadedArm64, architecture, architecture_of, load_arm64
from ringscope.bootimage.arm64_image import wrap_arm64
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
    "LoadedArm64",
    "LoadedImage",
    "LoadedModule",
    "MemoryLayout",
    "MemoryRegion",
    "ModuleSpec",
    "Protocol",
    "System",
    "architecture",
    "architecture_of",
    "inspect",
    "load",
    "load_arm64",
    "pack",
    "parse_initrd",
    "read_system",
    "wrap",
    "wrap_arm64",
]
