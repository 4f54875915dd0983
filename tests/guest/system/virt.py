# SPDX-License-Identifier: GPL-2.0-or-later
"""The `virt` board as a machine for our systems: QEMU's, and ours."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import threading
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.guest.machines import CLOCK, TIMEOUT_SECONDS, Outcome, Ringscope, disk_content

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.guest.catalogue import GuestProgram

QEMU: Final = "qemu-system-aarch64"
#: A disk in the last slot, by the interface's version 2.
VIRTIO: Final = ("-global", "virtio-mmio.force-legacy=false", "-device", "virtio-blk-device,drive=disk")


@dataclass(frozen=True)
class QemuVirt:
    """QEMU's `virt` without acceleration; switching it off is its only end, and says no status but 0."""

    name: str = "qemu-virt"

    def missing(self) -> str:
        """Say whether QEMU for AArch64 is installed."""
        return "" if shutil.which(QEMU) else f"{QEMU} is not installed"

    def run(self, image: Path, program: GuestProgram) -> Outcome:
        """Boot with the serial port as output."""
        command = self.command(image, program.cpu)
        if program.command_line:
            command += ["-append", program.command_line]
        with tempfile.TemporaryDirectory() as folder:
            if program.disk:
                disk = Path(folder) / "disk"
                disk.write_bytes(disk_content())
                command += [*VIRTIO, "-drive", f"file={disk},format=raw,if=none,id=disk"]
            return self.talk(command, program.typed) if program.typed else self._run(command)

    @staticmethod
    def command(image: Path, cpu: str) -> list[str]:
        """Return the command line that both the tests and a reader at a shell use."""
        command = [QEMU, "-M", "virt", "-cpu", cpu, "-m", "128M", "-display", "none", "-no-reboot"]
        return [*command, *CLOCK, "-serial", "stdio", "-monitor", "none", "-kernel", str(image)]

    @staticmethod
    def _run(command: list[str]) -> Outcome:
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                timeout=TIMEOUT_SECONDS,
                check=False,
                stdin=subprocess.DEVNULL,
            )
        except subprocess.TimeoutExpired as expired:
            return Outcome((expired.stdout or b"").decode("latin-1"), "limit", None, "no end")
        text, complaint = done.stdout.decode("latin-1"), done.stderr.decode("utf-8", "replace")
        if done.returncode != 0:
            return Outcome(text, "other", None, f"status {done.returncode}\n{complaint}")
        return Outcome(text, "exit", 0, complaint)

    @staticmethod
    def talk(command: list[str], typed: Sequence[tuple[str, str]]) -> Outcome:
        """Run ``command`` and type each text of (line, text) when the guest has said the line."""
        said, lines = bytearray(), deque(typed)
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as qemu:
            patience = threading.Timer(TIMEOUT_SECONDS, qemu.kill)
            patience.start()
            while character := qemu.stdout.read(1):
                said += character
                if lines and said.endswith(b"\n") and lines[0][0].encode() in said:
                    qemu.stdin.write(lines.popleft()[1].encode())
                    qemu.stdin.flush()
            status, complaint = qemu.wait(), qemu.stderr.read().decode("utf-8", "replace")
            patience.cancel()
        text = said.decode("latin-1")
        if status != 0:
            return Outcome(text, "other", None, f"status {status}\n{complaint}")
        return Outcome(text, "exit", 0, complaint)


@dataclass(frozen=True)
class RingscopeVirt:
    """Our machine of the same board, as a user starts it."""

    name: str = "ringscope-virt"
    fidelity: str = "timing"

    def missing(self) -> str:
        """Say whether the command exists."""
        return Ringscope().missing()

    def run(self, image: Path, program: GuestProgram) -> Outcome:
        """Boot with a limit; the core is the profile's usual one."""
        words = Ringscope.words("--arch", "aarch64", str(image), limit_cycles=program.limit_cycles)
        return Ringscope.outcome([*words, "--fidelity", self.fidelity])
