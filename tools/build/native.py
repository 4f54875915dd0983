# SPDX-License-Identifier: GPL-2.0-or-later
"""The native core: a shared library per guest architecture, for the machine that builds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringscope.tools.build.compiler import ROOT, WARNINGS, Program, build_program

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "emulator/native"
ARCHITECTURES = ("x86_64", "aarch64")


def name(arch: str) -> str:
    """Return the library's file name for guests of an architecture."""
    return f"libringscope-{arch}.so"


def program(arch: str, root: Path = ROOT) -> Program:
    """Describe the library for guests of an architecture: what is common, and that one's folder."""
    folders = (root / FOLDER, root / FOLDER / arch)
    sources = tuple(sorted(str(path.relative_to(root)) for folder in folders for path in folder.glob("*.c")))
    flags = (
        "-std=gnu11",
        "-O2",
        "-mllvm",  # maxima of what no predictor foresees stay conditional moves; at link time they would not
        "-x86-cmov-converter=false",
        "-g",
        "-mcpu=baseline",
        "-fno-sanitize=all",
        "-fPIC",
        "-fomit-frame-pointer",
        "-fvisibility=protected",
        *WARNINGS,
    )
    include = (FOLDER, f"{FOLDER}/{arch}")
    return Program(f"native/{name(arch)}", sources, flags, ("-shared", "-ldl"), include)


def build(build_folder: Path) -> list[Path]:
    """Build the libraries and return their paths."""
    return [build_program(program(arch), build_folder) for arch in ARCHITECTURES]
