# SPDX-License-Identifier: GPL-2.0-or-later
"""RAM in a snapshot: its pages that are not all zeroes, shared with an earlier one where equal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import mmap
    from collections.abc import Mapping

PAGE = 4096
CHUNK = 64 * PAGE  # what is looked at as a whole: most of RAM is zeroes
_ZERO_PAGE, _ZERO_CHUNK = bytes(PAGE), bytes(CHUNK)


def read(ram: mmap.mmap, before: Mapping[int, bytes]) -> dict[int, bytes]:
    """Return the pages by number; one that is as in ``before`` is that very object."""
    pages: dict[int, bytes] = {}
    for start in range(0, len(ram), CHUNK):
        chunk = ram[start : start + CHUNK]
        if chunk == _ZERO_CHUNK[: len(chunk)]:
            continue
        for offset in range(0, len(chunk), PAGE):
            page = chunk[offset : offset + PAGE]
            number = (start + offset) // PAGE
            if page != _ZERO_PAGE:
                old = before.get(number)
                pages[number] = old if old is not None and old == page else page
    return pages


def write(ram: mmap.mmap, pages: Mapping[int, bytes]) -> None:
    """Make RAM what the pages say, and zeroes elsewhere."""
    for start in range(0, len(ram), CHUNK):
        end = min(start + CHUNK, len(ram))
        numbers = range(start // PAGE, end // PAGE)
        if not any(number in pages for number in numbers):
            if ram[start:end] != _ZERO_CHUNK[: end - start]:
                ram[start:end] = _ZERO_CHUNK[: end - start]
        else:
            ram[start:end] = b"".join(pages.get(number, _ZERO_PAGE) for number in numbers)
