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
PROGRAM_ARM64 = "qemu-system-aarch64"
_COMMON = ("-display", "none", "-no-reboot", "-device", "isa-debug-exit,iobase=0xf4,iosize=4")
_COMMON_ARM64 = ("-M", "virt", "-cpu", "cortex-a57", "-display", "none", "-no-reboot")
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
    return _run(command, timeout, stdin, folder)


def run_arm64(
    arguments: Sequence[str | Path], timeout: float, *, stdin: bytes = b"", folder: Path | None = None
) -> QemuResult:
    """Run QEMU's ``virt`` in ``folder`` and return what its serial port said; a power-off is status 0.

    Raises TimeoutError as ``run`` does.
    """
    command = [PROGRAM_ARM64, *_COMMON_ARM64, *_CONSOLES["serial"], *map(str, arguments)]
    return _run(command, timeout, stdin, folder)


def _run(command: list[str], timeout: float, stdin: bytes, folder: Path | None) -> QemuResult:
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
