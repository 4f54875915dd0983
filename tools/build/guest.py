# SPDX-License-Identifier: GPL-2.0-or-later
"""What guest programs there are: the kernel, the servers, and how each is built.

A server is a folder below ``servers/``: all of its C files, linked with ``servers/lib``. Adding one is adding
its name to ``SERVERS``.
"""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from ringscope.tools.build.compiler import (
    AARCH64_KERNEL,
    AARCH64_USER,
    FREESTANDING,
    ROOT,
    WARNINGS,
    X86_64_KERNEL,
    X86_64_USER,
    BuildError,
    Program,
    build_program,
    guest_program,
)


@dataclass(frozen=True)
class Architecture:
    """How an architecture's programs are compiled.

    Programs built with ``general`` leave the floating-point registers alone: they cost no exchange of them
    on a switch. Those built with ``user`` may use them.
    """

    name: str
    kernel: tuple[str, ...]
    general: tuple[str, ...]
    user: tuple[str, ...]

    @property
    def output(self) -> str:
        """The folder of its programs, below the build folder."""
        return f"guest/{self.name}"

    @property
    def kernel_include(self) -> tuple[str, ...]:
        """Where the kernel's headers lie."""
        return ("kernel", f"kernel/arch/{self.name}", "emulator/guest")

    @property
    def offsets_source(self) -> str:
        """The source of the kernel's numbers for assembly."""
        return f"kernel/arch/{self.name}/asm_offsets.c"


ARCHITECTURES = {
    arch.name: arch
    for arch in (
        Architecture("x86_64", (*X86_64_KERNEL, "-mcmodel=kernel"), X86_64_KERNEL, X86_64_USER),
        Architecture("aarch64", AARCH64_KERNEL, AARCH64_KERNEL, AARCH64_USER),
    )
}
SERVERS = ("root", "console", "pager", "echo", "client", "selftest")
#: These use the floating-point registers.
FLOATING_POINT = {"selftest"}
OFFSET = re.compile(r"->(\w+) (-?\d+)")


def _sources(*folders: str) -> tuple[str, ...]:
    """Return the C and assembly files in the folders that exist, as paths from the project's root."""
    there = (ROOT / folder for folder in folders)
    files = (path for folder in there if folder.is_dir() for path in folder.iterdir())
    names = (path.relative_to(ROOT).as_posix() for path in files if path.suffix in {".c", ".S"})
    return tuple(sorted(name for name in names if not name.endswith("/asm_offsets.c")))


def _kernel(arch: Architecture, generated: Path) -> Program:
    return guest_program(
        output=f"{arch.output}/kernel.elf",
        sources=_sources("kernel", f"kernel/arch/{arch.name}"),
        flags=arch.kernel,
        script=f"kernel/arch/{arch.name}/kernel.ld",
        include=(*arch.kernel_include, str(generated)),
    )


def server(name: str, arch: Architecture, folder: str | None = None) -> Program:
    """Return the server ``name``: the sources in ``folder`` (``servers/NAME``) and ``servers/lib``."""
    own, library = folder or f"servers/{name}", "servers/lib"
    folders = (own, f"{own}/arch/{arch.name}", library, f"{library}/arch/{arch.name}")
    return guest_program(
        output=f"{arch.output}/{name}.elf",
        sources=_sources(*folders),
        flags=arch.user if name in FLOATING_POINT else arch.general,
        script=f"servers/lib/arch/{arch.name}/program.ld",
        include=("servers", *folders, "kernel", "emulator/guest"),
    )


def programs(arch: Architecture, build: Path = ROOT / "build") -> tuple[Program, ...]:
    """Return the kernel and every server; ``build`` is where the kernel's generated header will lie."""
    return (_kernel(arch, build / arch.output / "include"), *(server(name, arch) for name in SERVERS))


def write_asm_offsets(arch: Architecture, build: Path) -> Path:
    """Write ``asm_offsets.h``, the numbers that only the compiler knows, and return its folder.

    Raises BuildError when the compiler refuses ``asm_offsets.c``.
    """
    folder = build / arch.output / "include"
    folder.mkdir(parents=True, exist_ok=True)
    header = folder / "asm_offsets.h"
    inputs = [
        Path(__file__),
        ROOT / arch.offsets_source,
        *(ROOT / f"kernel/arch/{arch.name}").glob("*.h"),
        *(ROOT / "kernel").glob("*.h"),
        *(ROOT / "kernel/abi").glob("*.h"),
    ]
    if header.exists() and all(path.stat().st_mtime_ns < header.stat().st_mtime_ns for path in inputs):
        return folder
    listing = folder / "asm_offsets.s"
    include = [f"-I{ROOT / name}" for name in arch.kernel_include]
    flags = [*FREESTANDING, *WARNINGS, *arch.kernel, *include]
    command = [
        sys.executable,
        "-m",
        "ziglang",
        "cc",
        *flags,
        "-S",
        "-Wno-unused-command-line-argument",
        str(ROOT / arch.offsets_source),
        "-o",
        str(listing),
    ]
    cache = str(build / "zig-cache")
    environment = {**os.environ, "ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(f"{' '.join(command)}\n{done.stderr}".rstrip())
    lines = [f".set {name}, {value}" for name, value in OFFSET.findall(listing.read_text(encoding="utf-8"))]
    text = "\n".join(["/* Generated from asm_offsets.c by the build. */", *lines, ""])
    if not header.exists() or header.read_text(encoding="utf-8") != text:
        header.write_text(text, encoding="utf-8")
    else:
        header.touch()
    return folder


def build(build: Path, arch: Architecture = ARCHITECTURES["x86_64"]) -> dict[str, Path]:
    """Build an architecture's programs below ``build``, one process at a time; return name to ELF file.

    Raises BuildError with the compiler's own words.
    """
    build.mkdir(parents=True, exist_ok=True)
    with (build / "guest-programs.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        write_asm_offsets(arch, build)
        return {Path(program.output).stem: build_program(program, build) for program in programs(arch, build)}
