# SPDX-License-Identifier: GPL-2.0-or-later
"""The bundled images: one for each system file in bootimage/systems, of the programs built before.

A file for another architecture than the first has that one's name after its own: ``default-aarch64.toml``.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from ringscope.tools.build.compiler import ROOT, BuildError

if TYPE_CHECKING:
    from pathlib import Path

SYSTEMS = ROOT / "bootimage" / "systems"


def _inputs(system: Path, values: dict[str, Any]) -> list[Path]:
    """Return the files that decide an image: the system, what it names, and the code that packs."""
    named = [values.get("kernel", ""), *(module.get("file", "") for module in values.get("module", []))]
    return [system, *(system.parent / name for name in named), *(ROOT / "bootimage").glob("*.py")]


def _is_fresh(image: Path, inputs: list[Path]) -> bool:
    if not image.exists():
        return False
    age = image.stat().st_mtime_ns
    return all(path.exists() and path.stat().st_mtime_ns <= age for path in inputs)


def build(build_folder: Path) -> list[Path]:
    """Pack what changed into images/ARCH/NAME.img and return all images. Raises BuildError.

    The system files name the programs below the checkout's own build folder, wherever the images go.
    """
    images = []
    for system in sorted(SYSTEMS.glob("*.toml")):
        values = tomllib.loads(system.read_text(encoding="utf-8"))
        arch = values.get("arch", "x86_64")
        image = build_folder / "images" / arch / f"{system.stem.removesuffix(f'-{arch}')}.img"
        if not _is_fresh(image, _inputs(system, values)):
            from ringscope import bootimage  # noqa: PLC0415  its assembler is slow to load and seldom needed

            image.parent.mkdir(parents=True, exist_ok=True)
            try:
                bootimage.pack(system, image)
            except bootimage.ImageError as error:
                raise BuildError(str(error)) from error
        images.append(image)
    return images
