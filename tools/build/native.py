# SPDX-License-Identifier: GPL-2.0-or-later
"""The native core: one shared library from emulator/native/*.c, for the machine that builds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringscope.tools.build.compiler import ROOT, WARNINGS, Program, build_program

if TYPE_CHECKING:
    from pathlib import Path

NAME = "libringscope.so"
FOLDER = "emulator/native"
ARCH = "x86_64"


def program(root: Path = ROOT) -> Program:
    """Return the library's description; it lies beside its sources' name below the build folder."""
    folders = (root / FOLDER, root / FOLDER / ARCH)
    sources = tuple(sorted(str(path.relative_to(root)) for folder in folders for path in folder.glob("*.c")))
    flags = (
        "-std=gnu11",
        "-O2",
        "-g",
        "-mcpu=baseline",
        "-fno-sanitize=all",
        "-fPIC",
        "-fvisibility=protected",
        *WARNINGS,
    )
    return Program(
        f"native/{NAME}", sources, flags, ("-shared", "-ldl"), include=(FOLDER, f"{FOLDER}/{ARCH}")
    )


def build(build_folder: Path) -> Path:
    """Build the library and return its path."""
    return build_program(program(), build_folder)
