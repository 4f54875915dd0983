# SPDX-License-Identifier: GPL-2.0-or-later
"""The names that a program gives its marks, and which marks it carries.

``ringscope.h`` (emulator/guest) keeps names in the section ``.ringscope.names``, which is not loaded: records
of a 32-bit number, a zero-terminated name and padding to four bytes.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

from ringscope.bootimage import ImageError, elf
from ringscope.emulator.debug.symbols import EXECUTABLE
from ringscope.emulator.native import library as native
from ringscope.emulator.native.library import MarkArchitecture

if TYPE_CHECKING:
    from collections.abc import Iterable

SECTION = ".ringscope.names"
MARK_BYTES = 8  # at most
#: Where a mark may be, by architecture; native/mark.c decides.
CANDIDATE = {
    MarkArchitecture.X86: re.compile(rb"(?=\x0f\x1f\x84)"),
    MarkArchitecture.AARCH64: re.compile(rb"(?=..[\xe0-\xff]\x92)", re.DOTALL),
}


def read_names(data: bytes) -> dict[int, str]:
    """Return number -> name from the contents of the section."""
    names, at = {}, 0
    while at + 4 < len(data):
        (number,) = struct.unpack_from("<I", data, at)
        end = data.find(b"\0", at + 4)
        if end < 0:
            break
        names[number] = data[at + 4 : end].decode("ascii", "replace")
        at = end + 1 + -(end + 1) % 4
    return names


def counters_in(code: bytes, architecture: MarkArchitecture = MarkArchitecture.X86) -> set[str]:
    """Return the counters that the marks in some code supply."""
    library, names, found = native.load(), native.counter_names(), set()
    for candidate in CANDIDATE[architecture].finditer(code):
        at = candidate.start()
        mark = library.mark_at(code[at : at + MARK_BYTES], min(MARK_BYTES, len(code) - at), architecture)
        counter = library.mark_counter(mark) if mark else -1
        if counter >= 0:
            found.add(names[counter])
    return found


def survey(programs: Iterable[bytes]) -> tuple[dict[int, str], frozenset[str]]:
    """Return the mark names and the mark-supplied counters of some ELF files; other files have none."""
    names: dict[int, str] = {}
    counters: set[str] = set()
    for program in programs:
        try:
            read = elf.parse(program, "a program")
        except ImageError:
            continue  # not an ELF file, or a damaged one: it has no names
        section = read.section(SECTION)
        if section is not None:
            names |= read_names(read.content(section))
        is_arm = read.machine == elf.EM_AARCH64
        architecture = MarkArchitecture.AARCH64 if is_arm else MarkArchitecture.X86
        for segment in read.segments:
            if segment.flags & EXECUTABLE:
                counters |= counters_in(segment.data, architecture)
    return names, frozenset(counters)
