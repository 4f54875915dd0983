# SPDX-License-Identifier: GPL-2.0-or-later
"""A QEMU that is watched while it runs: what its serial port said, what its screen shows, and keys to press.

For guests that do not end by themselves, or that wait for a person.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import time
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

QEMU: Final = "qemu-system-x86_64"
MEMORY: Final = "64M"
COLUMNS: Final = 80
ROWS: Final = 25
SCREEN: Final = 0xB8000
FLAGS: Final = re.compile(r"[ER]FL=([0-9a-f]+)")
INTERRUPTS_ON: Final = 0x200
PATIENCE_SECONDS: Final = 60.0
POLL_SECONDS: Final = 0.05
#: QEMU's names of the keys that a character takes.
KEYS: Final = {" ": "spc", "\n": "ret", "\x1b": "esc", ",": "comma", "!": "shift-1", ".": "dot"}


def key_of(character: str) -> str:
    """Return QEMU's name for the key, with shift where it takes that."""
    if character in KEYS:
        return KEYS[character]
    return f"shift-{character.lower()}" if character.isupper() else character


def consoles(output: Path) -> list[str]:
    """Return QEMU's options for the exit port, a debug console and a serial port that write to one file."""
    options = []
    for device in ("isa-debugcon,iobase=0xe9", "isa-serial"):
        name = device.partition(",")[0]
        options += [
            "-chardev",
            f"file,id={name},path={output},append=on",
            "-device",
            f"{device},chardev={name}",
        ]
    return [*options, "-serial", "none", "-device", "isa-debug-exit,iobase=0xf4,iosize=4"]


class WatchedQemu:
    """Runs QEMU from `with` to the end of the block; ``folder`` takes its sockets and files."""

    def __init__(self, folder: Path, *boot: str) -> None:
        """``boot`` says what to boot, in QEMU's own options."""
        self._said = folder / "said"
        self._dump = folder / "screen"
        self._socket = folder / "monitor"
        self._command = [QEMU, "-m", MEMORY, "-display", "none", "-no-reboot", *boot]
        self._command += [*consoles(self._said), "-qmp", f"unix:{self._socket},server,wait=off"]

    def __enter__(self) -> Self:
        """Start it and wait until its monitor answers."""
        self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL)
        self._monitor = socket.socket(socket.AF_UNIX)
        self._until(self._connected, "QEMU's monitor does not answer")
        self._lines = self._monitor.makefile("rw", encoding="utf-8")
        self._lines.readline()
        self._execute("qmp_capabilities")
        return self

    def __exit__(self, *_: object) -> None:
        """End it, whatever the guest does."""
        self._process.kill()
        self._process.wait()
        self._lines.close()
        self._monitor.close()

    def said(self) -> str:
        """Return what the serial port and the debug console have said so far."""
        return self._said.read_text(encoding="latin-1") if self._said.exists() else ""

    def wait_for(self, text: str) -> None:
        """Wait until the guest has said ``text``."""
        self._until(lambda: text in self.said(), f"the guest does not say {text!r}")

    def wait_for_halt(self) -> None:
        """Wait until the processor is halted with interrupts off."""
        self._until(self._halted, "the guest does not halt")

    def wait_for_end(self) -> int:
        """Wait until QEMU ends and return its status: 0 for a power-off, (value << 1) | 1 for an exit."""
        return self._process.wait(PATIENCE_SECONDS)

    def screen(self) -> list[str]:
        """Return the text screen's rows without trailing spaces."""
        self._execute("pmemsave", val=SCREEN, size=2 * COLUMNS * ROWS, filename=str(self._dump))
        cells = self._dump.read_bytes()[::2].decode("cp437")
        return [cells[at : at + COLUMNS].rstrip() for at in range(0, COLUMNS * ROWS, COLUMNS)]

    def type_text(self, text: str) -> None:
        """Press and release the key of every character."""
        for character in text:
            self._human(f"sendkey {key_of(character)} 20")
            time.sleep(POLL_SECONDS)

    def _connected(self) -> bool:
        try:
            self._monitor.connect(str(self._socket))
        except OSError:
            return False
        return True

    def _halted(self) -> bool:
        registers = self._human("info registers")
        flags = FLAGS.search(registers)
        return "HLT=1" in registers and flags is not None and int(flags[1], 16) & INTERRUPTS_ON == 0

    def _human(self, command: str) -> str:
        return str(self._execute("human-monitor-command", **{"command-line": command}))

    def _execute(self, command: str, **arguments: Any) -> Any:
        self._lines.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self._lines.flush()
        while True:
            answer = json.loads(self._lines.readline())
            if "error" in answer:
                raise RuntimeError(f"QEMU refuses {command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def _until(self, condition: Callable[[], bool], complaint: str) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError(f"{complaint}; so far it said:\n{self.said()}")
            time.sleep(POLL_SECONDS)
