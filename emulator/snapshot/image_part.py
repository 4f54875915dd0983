# SPDX-License-Identifier: GPL-2.0-or-later
"""What was booted, in a snapshot's file: its symbols and modules, not what it wrote to memory."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from ringscope.bootimage import LoadedImage
from ringscope.bootimage.arm64 import LoadedArm64
from ringscope.bootimage.types import LoadedModule

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Iterator

IMAGE, KERNEL, MODULE = "image.json", "kernel", "module/"
KINDS: dict[str, type[LoadedImage | LoadedArm64]] = {"multiboot": LoadedImage, "arm64": LoadedArm64}
BYTES = {"writes", "modules", "kernel_elf"}  # kept apart, or not at all


def members(image: LoadedImage | LoadedArm64 | None) -> Iterator[tuple[str, bytes]]:
    """Return the name and contents of each member of the file that an image becomes."""
    if image is None:
        return
    kind = next(name for name, known in KINDS.items() if isinstance(image, known))
    plain = {entry.name: getattr(image, entry.name) for entry in fields(image) if entry.name not in BYTES}
    modules = [
        {"name": m.name, "command_line": m.command_line, "start": m.start, "end": m.end}
        for m in image.modules
    ]
    yield IMAGE, json.dumps({"kind": kind, "image": plain, "modules": modules}, indent=1).encode()
    if image.kernel_elf is not None:
        yield KERNEL, image.kernel_elf
    for number, module in enumerate(image.modules):
        yield f"{MODULE}{number}", module.data


def read(archive: zipfile.ZipFile) -> LoadedImage | LoadedArm64 | None:
    """Return the image, None where none was loaded. Raises KeyError and TypeError where it is damaged."""
    names = set(archive.namelist())
    if IMAGE not in names:
        return None
    said: dict[str, Any] = json.loads(archive.read(IMAGE))
    modules = tuple(
        LoadedModule(**module, data=archive.read(f"{MODULE}{number}"))
        for number, module in enumerate(said["modules"])
    )
    kernel = archive.read(KERNEL) if KERNEL in names else None
    return KINDS[said["kind"]](**said["image"], writes=(), modules=modules, kernel_elf=kernel)
