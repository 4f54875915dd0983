# SPDX-License-Identifier: GPL-2.0-or-later
"""The programs, how much of each is run, and the one file that both sides load."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from ringscope.bootimage import elf
from ringscope.emulator.debug import symbols

if TYPE_CHECKING:
    from pathlib import Path

MEMORY_BYTES = 4 << 20
FILLED_BYTES = 2 << 20


@dataclass(frozen=True)
class Case:
    """One program: its kind, the name of its function after ``program_``, and the count it is given.

    ``prepare`` names a function that makes its memory first, after ``prepare_``; none by default.
    """

    kind: str
    function: str
    count: int
    prepare: str | None = None
    label: str | None = None

    @property
    def name(self) -> str:
        """What the table calls it."""
        return self.label or self.function


CASES = (
    Case("integer", "collatz", 1500),
    Case("integer", "checksum", 8000),
    Case("integer", "hash", 40000),
    Case("integer", "divisors", 600),
    Case("integer", "sieve", 20000),
    Case("integer", "bits", 8000),
    Case("integer", "matrix", 1),
    Case("integer", "generator", 20000),
    Case("pointers", "ring", 256, "ring", "ring of 16 KiB"),
    Case("pointers", "ring", 4096, "ring", "ring of 256 KiB"),
    Case("pointers", "ring", 32768, "ring", "ring of 2 MiB"),
    Case("pointers", "tree", 1500, "tree"),
    Case("copying", "copy", 1024, None, "copy in L1"),
    Case("copying", "copy", 12288, None, "copy in L2"),
    Case("copying", "copy_large", 131072, None, "copy of 1 MiB"),
    Case("copying", "reverse", 65536),
    Case("copying", "transpose", 8),
    Case("branches", "search", 3000, "search"),
    Case("branches", "insertion", 400),
    Case("branches", "tokens", 40000),
    Case("branches", "heap", 3000),
    Case("calls", "fibonacci", 18),
    Case("calls", "dispatch", 20000),
    Case("calls", "quicksort", 3000),
    Case("calls", "queens", 7),
    Case("mixed", "mandelbrot", 32),
    Case("mixed", "dot", 8),
    Case("mixed", "histogram", 40000),
    Case("mixed", "table", 8000),
    Case("mixed", "substring", 40000),
)


class SuiteMissing(Exception):
    """The programs cannot be had here; the message says why."""


def build() -> Path:
    """Compile the programs; return the file. Raises SuiteMissing, in the compiler's words or ours."""
    try:
        from ringscope.tools.validation import compiled  # noqa: PLC0415  a wheel has no compiler
    except ModuleNotFoundError as missing:
        raise SuiteMissing(
            "the programs' sources and the compiler are missing: they come with a checkout, not with a wheel"
        ) from missing
    return compiled.build()


@cache
def memory_at_start() -> bytes:
    """Return what the programs' memory holds at first: bytes without a pattern, then zeroes."""
    return random.Random(1).randbytes(FILLED_BYTES).ljust(MEMORY_BYTES, b"\0")  # noqa: S311 (not a secret)


@dataclass(frozen=True)
class Image:
    """The file as it is loaded: ``data`` at ``base``, or anywhere else, and where its functions are."""

    base: int
    data: bytes
    functions: dict[str, int]

    @staticmethod
    def read(path: Path) -> Image:
        """Read the linked file. ImageError if it is not sound."""
        content = path.read_bytes()
        (segment,) = elf.parse(content, path.name).segments
        found = symbols.Program.read(content, path.name)
        names = {symbol.name: symbol.address for symbol in (found.symbols if found is not None else ())}
        return Image(segment.paddr, segment.data.ljust(segment.memory_size, b"\0"), names)
