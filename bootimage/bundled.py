# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the bundled systems lie: beside this file in an installed package, or a checkout's build folder."""

from __future__ import annotations

from pathlib import Path

from ringscope.bootimage.types import ImageError

HERE = Path(__file__).resolve().parent


def bundled_image(arch: str) -> Path:
    """Return the path of the bundled system's packed image. Raises ImageError where there is none."""
    inside = Path("images") / arch / "default.img"
    for candidate in (HERE / inside, HERE.parent / "build" / inside):
        if candidate.is_file():
            return candidate
    raise ImageError(
        f"the bundled {arch} system is not built; run `make build` in the checkout, or name an image to boot"
    )
