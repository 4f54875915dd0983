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
from tests.guest import machines
from tests.guest.catalogue import GuestProgram
from tests.guest.machines import Outcome
from tests.guest.system.virt import QemuVirt, RingscopeVirt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.guest.machines import GuestMachine

BUILD: Final = ROOT / "build"
SYSTEMS: Final = ROOT / "bootimage" / "systems"
#: Programs that only tests have a use for.
PROGRAMS: Final = "tests/guest/system/programs"
TEST_PROGRAMS: Final = {"x86_64": ("sleeper", "scrambler"), "aarch64": ("sleeper", "scrambler", "alarm")}
#: Every machine that our systems boot on, of both architectures.
MACHINES: Final[dict[str, GuestMachine]] = {
    **machines.MACHINES,
    **{
        machine.name: machine
        for machine in (QemuVirt(), RingscopeVirt(), RingscopeVirt("ringscope-virt-functional", "functional"))
    },
}
#: The plan of the console driver, by architecture.
CONSOLE: Final = {
    "x86_64": "name=console serves=yes priority=20 io=3f8+8 irq=4",
    "aarch64": "name=console serves=yes priority=20 device=9000000+1 irq=1",
}


def arch_of(machine: str) -> str:
    """Return the architecture of a machine."""
    return "aarch64" if "virt" in machine else "x86_64"


def status_of(machine: str, status: int) -> int:
    """Return what a machine ends with when the root ends with ``status``: virt's off switch takes none."""
    return 0 if arch_of(machine) == "aarch64" else status


@functools.cache
def programs(arch: str = "x86_64") -> dict[str, Path]:
    """Build the kernel and the servers, once for all tests that run side by side."""
    BUILD.mkdir(exist_ok=True)
    target = guest.ARCHITECTURES[arch]
    with (BUILD / "guest.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        own = {name: guest.server(name, target, f"{PROGRAMS}/{name}") for name in TEST_PROGRAMS[arch]}
        return guest.build(BUILD, target) | {
            name: build_program(program, BUILD) for name, program in own.items()
        }


@functools.cache
def image(name: str, arch: str = "x86_64") -> Path:
    """Pack a system of ours by the name of its file."""
    programs(arch)
    file = name if arch == "x86_64" else f"{name}-{arch}"
    return _pack(SYSTEMS / f"{file}.toml", Path(tempfile.mkdtemp()) / f"{name}.img")


def image_of(modules: Sequence[tuple[str, str]], folder: Path, arch: str = "x86_64") -> Path:
    """Pack a system of one's own: (program, command line) in order, the root first."""
    files = [(programs(arch)[name], line) for name, line in modules]
    return image_of_files(files, folder, arch)


def image_of_files(modules: Sequence[tuple[Path, str]], folder: Path, arch: str = "x86_64") -> Path:
    """Pack a system of (file, command line)."""
    lines = [f"arch = {json.dumps(arch)}", f"kernel = {json.dumps(str(programs(arch)['kernel']))}"]
    for module, args in modules:
        lines += ["[[module]]", f"file = {json.dumps(str(module))}", f"args = {json.dumps(args)}"]
    file = folder / "system.toml"
    file.write_text("\n".join(lines), encoding="utf-8")
    return _pack(file, folder / "system.img")


def _pack(file: Path, output: Path) -> Path:
    system.pack(file, output)
    return output


def run(machine: str, file: Path, cpu: str = "") -> Outcome:
    """Boot an image; ``cpu`` is QEMU's model, where not its usual one."""
    usual = "qemu64" if arch_of(machine) == "x86_64" else "cortex-a57"
    program = GuestProgram(name=file.stem, source="", cpu=cpu or usual)
    outcome = MACHINES[machine].run(file, program)
    return Outcome(outcome.text.replace("\r\n", "\n"), outcome.ended, outcome.status, outcome.complaint)


@functools.cache
def outcome_of(machine: str, name: str, cpu: str = "") -> Outcome:
    """Boot a system of ours once."""
    return run(machine, image(name, arch_of(machine)), cpu)
