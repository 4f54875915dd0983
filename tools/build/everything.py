# SPDX-License-Identifier: GPL-2.0-or-later
"""All that has to be built, in order: the native core, the guest programs, the bundled images.

Whatever is up to date is left alone, so that asking costs less than a command's start. One build at a time
works in a build folder; a second one waits.
"""

from __future__ import annotations

import contextlib
import fcntl
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringscope.tools.build import guest, images, import_path, native

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Built:
    """``installed`` is what an installed package carries: its path below the package, and the file built."""

    installed: Mapping[str, Path]


@contextlib.contextmanager
def _alone(build: Path) -> Iterator[None]:
    build.mkdir(parents=True, exist_ok=True)
    with (build / "build.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("waiting for another build in this folder", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def build_everything(build: Path) -> Built:
    """Build below ``build``. Raises BuildError with the compiler's or the packer's words."""
    with _alone(build):
        import_path.write(build)
        if not (build / "images").exists():
            print("compiling the native core and the guest, once", flush=True)
        libraries = native.build(build)
        for arch in guest.ARCHITECTURES.values():
            guest.build(build, arch)
        packed = images.build(build)
    installed = {f"{native.FOLDER}/{path.name}": path for path in libraries}
    installed |= {f"bootimage/images/{path.relative_to(build / 'images')}": path for path in packed}
    return Built(installed)
