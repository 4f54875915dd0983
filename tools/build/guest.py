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
from pathlib import Path

from ringscope.tools.build.compiler import (
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

ARCH = "x86_64"
OUTPUT = f"guest/{ARCH}"

#: Programs that leave the floating-point registers alone cost no exchange of them on a switch.
GENERAL_REGISTERS = X86_64_KERNEL
SERVERS = {
    "root": GENERAL_REGISTERS,
    "console": GENERAL_REGISTERS,
    "pager": GENERAL_REGISTERS,
    "echo": GENERAL_REGISTERS,
    "client": GENERAL_REGISTERS,
    "selftest": X86_64_USER,
}

KERNEL_FLAGS = (*X86_64_KERNEL, "-mcmodel=kernel")
KERNEL_INCLUDE = ("kernel", f"kernel/arch/{ARCH}", "emulator/guest")
OFFSETS_SOURCE = f"kernel/arch/{ARCH}/asm_offsets.c"
OFFSET = re.compile(r"->(\w+) (-?\d+)")


def _sources(*folders: str) -> tuple[str, ...]:
    """Return the C and assembly files in the folders that exist, as paths from the project's root."""
    there = (ROOT / folder for folder in folders)
    files = (path for folder in there if folder.is_dir() for path in folder.iterdir())
    names = (path.relative_to(ROOT).as_posix() for path in files if path.suffix in {".c", ".S"})
    return tuple(sorted(name for name in names if name != OFFSETS_SOURCE))


def _kernel(generated: Path) -> Program:
    return guest_program(
        output=f"{OUTPUT}/kernel.elf",
        sources=_sources("kernel", f"kernel/arch/{ARCH}"),
        flags=KERNEL_FLAGS,
        script=f"kernel/arch/{ARCH}/kernel.ld",
        include=(*KERNEL_INCLUDE, str(generated)),
    )


def server(name: str, flags: tuple[str, ...], folder: str | None = None) -> Program:
    """Return the server ``name``: the sources in ``folder`` (``servers/NAME``) and ``servers/lib``."""
    own, library = folder or f"servers/{name}", "servers/lib"
    folders = (own, f"{own}/arch/{ARCH}", library, f"{library}/arch/{ARCH}")
    return guest_program(
        output=f"{OUTPUT}/{name}.elf",
        sources=_sources(*folders),
        flags=flags,
        script=f"servers/lib/arch/{ARCH}/program.ld",
        include=("servers", *folders, "kernel", "emulator/guest"),
    )


def programs(build: Path = ROOT / "build") -> tuple[Program, ...]:
    """Return the kernel and every server; ``build`` is where the kernel's generated header will lie."""
    servers = (server(name, flags) for name, flags in SERVERS.items())
    return (_kernel(build / OUTPUT / "include"), *servers)


def write_asm_offsets(build: Path) -> Path:
    """Write ``asm_offsets.h``, the numbers that only the compiler knows, and return its folder.

    Raises BuildError when the compiler refuses ``asm_offsets.c``.
    """
    folder = build / OUTPUT / "include"
    folder.mkdir(parents=True, exist_ok=True)
    header = folder / "asm_offsets.h"
    inputs = [
        Path(__file__),
        ROOT / OFFSETS_SOURCE,
        *(ROOT / f"kernel/arch/{ARCH}").glob("*.h"),
        *(ROOT / "kernel").glob("*.h"),
        *(ROOT / "kernel/abi").glob("*.h"),
    ]
    if header.exists() and all(path.stat().st_mtime_ns < header.stat().st_mtime_ns for path in inputs):
        return folder
    listing = folder / "asm_offsets.s"
    include = [f"-I{ROOT / name}" for name in KERNEL_INCLUDE]
    flags = [*FREESTANDING, *WARNINGS, *KERNEL_FLAGS, *include]
    command = [
        sys.executable,
        "-m",
        "ziglang",
        "cc",
        *flags,
        "-S",
        "-Wno-unused-command-line-argument",
        str(ROOT / OFFSETS_SOURCE),
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


def build(build: Path) -> dict[str, Path]:
    """Build every program below ``build`` and return name to ELF file; one process at a time does so.

    Raises BuildError with the compiler's own words.
    """
    build.mkdir(parents=True, exist_ok=True)
    with (build / "guest-programs.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        write_asm_offsets(build)
        return {Path(program.output).stem: build_program(program, build) for program in programs(build)}
