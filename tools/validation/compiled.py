# SPDX-License-Identifier: GPL-2.0-or-later
"""The programs as a file, made by the compiler that makes the guests. Only a checkout has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringscope.tools.build.compiler import (
    ROOT,
    X86_64_USER,
    BuildError,
    Program,
    build_program,
    guest_program,
)
from ringscope.tools.validation.suite import SuiteMissing

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "tools/validation"


def program() -> Program:
    """Return how the file is built: position-independent, for the baseline of x86-64."""
    flags = (*X86_64_USER, "-fPIC", "-fvisibility=hidden", "-fno-builtin", "-fomit-frame-pointer")
    sources = tuple(f"{FOLDER}/{name}" for name in ("data.c", "control.c", "harness.S"))
    return guest_program(
        "validation/programs.elf", sources, flags, f"{FOLDER}/link.ld", entry="machine_start"
    )


def build() -> Path:
    """Compile and link the programs; return the file. Raises SuiteMissing in the compiler's words."""
    try:
        return build_program(program(), ROOT / "build")
    except BuildError as error:
        raise SuiteMissing(str(error)) from error
