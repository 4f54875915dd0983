# SPDX-License-Identifier: GPL-2.0-or-later
"""Which calls led to where the processor is, by the chain of frame pointers.

Code compiled with frame pointers keeps the caller's frame pointer where rbp points to, and the return address
in the next word. Code without them gives a short or a wrong chain: it ends where a frame does not lie above
the one before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_FRAMES = 1 << 16  # deeper than any stack that did not overflow
ALIGNMENT = 4  # bytes; x86 lets a stack lie anywhere, but whoever aligns it to less does not do so on purpose


def return_addresses(read: Callable[[int, int], bytes], frame: int, word: int) -> list[int]:
    """Return the return addresses from the innermost frame outwards, MOST_FRAMES at most.

    ``read`` returns up to a number of bytes at a virtual address; ``frame`` is the frame pointer, of ``word``
    bytes.
    """
    found: list[int] = []
    while frame % ALIGNMENT == 0 and frame != 0 and len(found) < MOST_FRAMES:
        content = read(frame, 2 * word)
        if len(content) < 2 * word:
            break
        caller = int.from_bytes(content[:word], "little")
        address = int.from_bytes(content[word:], "little")
        if address == 0:
            break
        found.append(address)
        if caller <= frame:
            break
        frame = caller
    return found
