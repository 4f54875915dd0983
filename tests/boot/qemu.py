# SPDX-License-Identifier: GPL-2.0-or-later
"""Run a guest in QEMU without a window: what it printed and how it ended. Tests use it as ``run_qemu``."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PROGRAM = "qemu-system-x86_64"
_COMMON = ("-display", "none", "-no-reboot", "-device", "isa-debug-exit,iobase=0xf4,iosize=4")
_CONSOLES = {
    "debugcon": ("-debugcon", "stdio", "-monitor", "none"),
    "serial": ("-serial", "stdio", "-monitor", "none"),
}


@dataclass(frozen=True)
class QemuResult:
    """``status`` is QEMU's own: (value << 1) | 1 for a value written to port 0xF4, 0 for a power-off."""

    status: int
    output: str
    complaints: str


def run(
    arguments: Sequence[str | Path],
    timeout: float,
    *,
    console: str = "debugcon",
    stdin: bytes = b"",
    folder: Path | None = None,
) -> QemuResult:
    """Run QEMU in ``folder`` and return what ``console`` ("debugcon" or "serial") said.

    Raises TimeoutError with the output so far when the guest does not end within ``timeout`` seconds.
    """
    command = [PROGRAM, *_COMMON, *_CONSOLES[console], *map(str, arguments)]
    try:
        done = subprocess.run(
            command, input=stdin, capture_output=True, timeout=timeout, check=False, cwd=folder
        )
    except subprocess.TimeoutExpired as expired:
        said = (expired.stdout or b"").decode(errors="replace")
        raise TimeoutError(f"no end after {timeout} s of {' '.join(command)}; it said:\n{said}") from expired
    return QemuResult(
        done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    )
