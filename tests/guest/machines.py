# SPDX-License-Identifier: GPL-2.0-or-later
"""The two machines a guest program runs on: QEMU, which is the reference, and ours.

Both are started as a user would, from the command line, and answer with an Outcome in one vocabulary.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, Protocol

import pytest

from ringscope.tools.build.compiler import ROOT
from tests.guest.qemu_monitor import MEMORY, QEMU, WatchedQemu, consoles
from tests.machine.command_line import ringscope

if TYPE_CHECKING:
    from tests.guest.catalogue import GuestProgram

#: One instruction is 2 ns of virtual time and waiting takes no real time, so that runs repeat exactly.
CLOCK: Final = ("-icount", "shift=1,sleep=off", "-rtc", "clock=vm")
SECTOR_BYTES: Final = 512
SECTORS: Final = 2048
TIMEOUT_SECONDS: Final = 120

Ended = Literal["exit", "triple-fault", "limit", "other"]


@dataclass(frozen=True)
class Outcome:
    """What a run said and how it ended; ``status`` is the value that the guest wrote to its exit port."""

    text: str
    ended: Ended
    status: int | None
    complaint: str = ""

    @property
    def lines(self) -> list[str]:
        """The output by line."""
        return self.text.splitlines()


class GuestMachine(Protocol):
    """Something that boots an image and runs it to its end."""

    @property
    def name(self) -> str:
        """What tests call it."""

    def missing(self) -> str:
        """Why this machine cannot be used here; empty if it can."""

    def run(self, image: Path, program: GuestProgram) -> Outcome:
        """Boot ``image`` and wait for its end."""


def disk_content() -> bytes:
    """Return the prepared disk: every sector starts with its number, 32 bits, and repeats it."""
    return b"".join(n.to_bytes(4, "little") * (SECTOR_BYTES // 4) for n in range(SECTORS))


@dataclass(frozen=True)
class Qemu:
    """QEMU's `pc` machine without acceleration."""

    name: str = "qemu"

    def missing(self) -> str:
        """Say whether QEMU is installed."""
        return "" if shutil.which(QEMU) else f"{QEMU} is not installed"

    def run(self, image: Path, program: GuestProgram) -> Outcome:
        """Boot with the debug console and the first serial port on one output."""
        with tempfile.TemporaryDirectory() as folder:
            if program.typed:
                return self._run_typing(image, program, Path(folder))
            return self._run_alone(image, program, Path(folder))

    def _run_alone(self, image: Path, program: GuestProgram, folder: Path) -> Outcome:
        output = folder / "output"
        command = self.command(image, program.cpu, output)
        if program.disk:
            disk = folder / "disk"
            disk.write_bytes(disk_content())
            command += ["-drive", f"file={disk},format=raw,if=ide,index=0"]
        if program.command_line:
            command += ["-append", program.command_line]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        text = output.read_text(encoding="latin-1") if output.exists() else ""
        return self._outcome(text, done.returncode, done.stderr)

    def _run_typing(self, image: Path, program: GuestProgram, folder: Path) -> Outcome:
        with WatchedQemu(folder, "-cpu", program.cpu, "-kernel", str(image)) as qemu:
            for line, text in program.typed:
                qemu.wait_for(line)
                qemu.type_text(text)
            status = qemu.wait_for_end()
            return self._outcome(qemu.said(), status, "")

    @staticmethod
    def _outcome(text: str, status: int, complaint: str) -> Outcome:
        if status == 0:  # the exit device's status is always odd: this was a reset
            return Outcome(text, "triple-fault", None, complaint)
        if status & 1 and status > 0:
            return Outcome(text, "exit", status >> 1, complaint)
        return Outcome(text, "other", None, f"status {status}\n{complaint}")

    @staticmethod
    def command(image: Path, cpu: str, output: Path) -> list[str]:
        """Return the command line that both the tests and a reader at a shell use."""
        command = [QEMU, "-cpu", cpu, "-m", MEMORY, "-display", "none", "-no-reboot", *CLOCK]
        return [*command, *consoles(output), "-monitor", "none", "-kernel", str(image)]


@dataclass(frozen=True)
class Ringscope:
    """Our machine, as a user starts it; ``fidelity`` is one of its two."""

    name: str = "ringscope"
    fidelity: str = "timing"

    def missing(self) -> str:
        """Say whether the command exists."""
        return "" if (ROOT / "tools" / "main.py").exists() else "the boot command is not built yet"

    def run(self, image: Path, program: GuestProgram) -> Outcome:
        """Boot with a limit; the exit statuses are those of the command."""
        with tempfile.TemporaryDirectory() as folder:
            words = self.words(str(image), limit_cycles=program.limit_cycles)
            words += ["--fidelity", self.fidelity]
            if program.disk:
                disk = Path(folder) / "disk"
                disk.write_bytes(disk_content())
                words += ["-hda", str(disk)]
            if program.command_line:
                words += ["-append", program.command_line]
            return self.outcome(words, "".join(text for _, text in program.typed))

    @staticmethod
    def words(*boot: str, limit_cycles: int) -> list[str]:
        """Return the command line after ``ringscope``; ``boot`` says what to boot."""
        return ["boot", *boot, "-m", MEMORY, "--limit-cycles", str(limit_cycles)]

    @staticmethod
    def outcome(words: list[str], typed: str = "") -> Outcome:
        """Run ``ringscope WORDS`` with ``typed`` on its standard input."""
        said = ringscope(*words, typed=typed.encode(), timeout=TIMEOUT_SECONDS)
        ended: dict[int, Ended] = {0: "exit", 1: "exit", 124: "limit", 126: "triple-fault"}
        kind = ended.get(said.status, "other")
        status = said.status if kind == "exit" else None
        return Outcome(said.out, kind, status, f"status {said.status}\n{said.err}")


#: The last is our machine without its models: what they observe they must not change.
MACHINES: Final[dict[str, GuestMachine]] = {
    machine.name: machine
    for machine in (Qemu(), Ringscope(), Ringscope("ringscope-functional", "functional"))
}


def need(machine: GuestMachine) -> None:
    """Skip the test where ``machine`` is missing; fail it there if this is the continuous integration."""
    why = machine.missing()
    if why and os.environ.get("CI"):
        pytest.fail(why)
    if why:
        pytest.skip(why)
