# SPDX-License-Identifier: GPL-2.0-or-later
"""The systems of our kernel and servers that the tests boot: built, packed, and run."""

from __future__ import annotations

import fcntl
import functools
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ringscope.bootimage import system
from ringscope.tools.build import guest
from ringscope.tools.build.compiler import ROOT, build_program
from tests.guest.catalogue import GuestProgram
from tests.guest.machines import MACHINES, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

BUILD: Final = ROOT / "build"
SYSTEMS: Final = ROOT / "bootimage" / "systems"
#: Programs that only tests have a use for.
PROGRAMS: Final = "tests/guest/system/programs"
TEST_PROGRAMS: Final = ("sleeper", "scrambler")


@functools.cache
def programs() -> dict[str, Path]:
    """Build the kernel and the servers, once for all tests that run side by side."""
    BUILD.mkdir(exist_ok=True)
    with (BUILD / "guest.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        own = {
            name: guest.server(name, guest.GENERAL_REGISTERS, f"{PROGRAMS}/{name}") for name in TEST_PROGRAMS
        }
        return guest.build(BUILD) | {name: build_program(program, BUILD) for name, program in own.items()}


@functools.cache
def image(name: str) -> Path:
    """Pack a system of ours by the name of its file."""
    programs()
    return _pack(SYSTEMS / f"{name}.toml", Path(tempfile.mkdtemp()) / f"{name}.img")


def image_of(modules: Sequence[tuple[str, str]], folder: Path) -> Path:
    """Pack a system of one's own: (program, command line) in order, the root first."""
    lines = [f"kernel = {json.dumps(str(programs()['kernel']))}"]
    for name, args in modules:
        lines += ["[[module]]", f"file = {json.dumps(str(programs()[name]))}", f"args = {json.dumps(args)}"]
    file = folder / "system.toml"
    file.write_text("\n".join(lines), encoding="utf-8")
    return _pack(file, folder / "system.img")


def _pack(file: Path, output: Path) -> Path:
    system.pack(file, output)
    return output


def run(machine: str, file: Path, cpu: str = "qemu64") -> Outcome:
    """Boot an image; ``cpu`` is QEMU's model."""
    program = GuestProgram(name=file.stem, source="", cpu=cpu)
    outcome = MACHINES[machine].run(file, program)
    return Outcome(outcome.text.replace("\r\n", "\n"), outcome.ended, outcome.status, outcome.complaint)


@functools.cache
def outcome_of(machine: str, name: str, cpu: str = "qemu64") -> Outcome:
    """Boot a system of ours once."""
    return run(machine, image(name), cpu)
