# SPDX-License-Identifier: GPL-2.0-or-later
"""Decide where in RAM everything goes that a loader brings.

The kernel says itself where it belongs; that place must be usable RAM. All else, modules and the information
structure, goes to the lowest free pages above both the first MiB and the kernel, or, where that is full, to
those below the kernel. Each has pages of its own, so that a kernel may give a page back without losing its
neighbour.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ringscope.bootimage.types import FOUR_GIB, USABLE, ImageError, MemoryLayout

if TYPE_CHECKING:
    from ringscope.bootimage.kernel import KernelParts

PAGE: Final = 4096
ONE_MIB: Final = 1 << 20


@dataclass
class Space:
    """Usable RAM below 4 GiB and what of it is taken: pairs of (first address, first address after)."""

    layout: MemoryLayout
    taken: list[tuple[int, int]] = field(default_factory=list)
    floor: int = ONE_MIB

    def __post_init__(self) -> None:
        """Merge the usable regions, which may touch."""
        self.usable: list[tuple[int, int]] = []
        for region in self.layout.regions:
            start, end = region.base, min(region.end, FOUR_GIB)
            if region.kind != USABLE or start >= end:
                continue
            if self.usable and self.usable[-1][1] == start:
                start = self.usable.pop()[0]
            self.usable.append((start, end))

    def claim(self, parts: KernelParts, name: str) -> None:
        """Take the kernel's own places. Raises ImageError where one is not usable RAM."""
        for part in parts.parts:
            if not any(start <= part.base and part.end <= end for start, end in self.usable):
                raise ImageError(
                    f"{name}: {part.what} {part.base:#x} and {part.size:#x} bytes are not all in usable RAM "
                    f"({self._described()}); give the machine more memory or link the kernel elsewhere"
                )
            self.taken.append((part.base, part.end))
        self.floor = max(self.floor, _up(parts.end, PAGE))

    def take(self, size: int, what: str) -> int:
        """Return the first address of free pages for ``size`` bytes, 0 or more, and take them.

        Raises ImageError naming ``what`` when it does not fit.
        """
        address = self.find(size, (self.floor, FOUR_GIB), PAGE)
        if address is None:
            address = self.find(size, (ONE_MIB, self.floor), PAGE)
        if address is None:
            raise ImageError(
                f"{what} of {size:#x} bytes does not fit in the RAM that the kernel and the rest leave "
                f"free ({self._described()}); give the machine more memory"
            )
        self.taken.append((address, _up(address + size, PAGE)))
        return address

    def find(self, size: int, bounds: tuple[int, int], align: int, *, highest: bool = False) -> int | None:
        """Return where ``size`` free bytes begin within ``bounds``, lowest or highest, None where nowhere."""
        best = None
        for start, end in self._free():
            low, high = max(start, bounds[0]), min(end, bounds[1])
            address = (high - size) // align * align if highest else _up(low, align)
            if low <= address and address + size <= high:
                if not highest:
                    return address
                best = address
        return best

    def _free(self) -> list[tuple[int, int]]:
        free = []
        taken = sorted(self.taken)
        for start, end in self.usable:
            at = start
            for taken_start, taken_end in taken:
                if taken_end <= at or taken_start >= end:
                    continue
                if taken_start > at:
                    free.append((at, taken_start))
                at = max(at, taken_end)
            if at < end:
                free.append((at, end))
        return free

    def _described(self) -> str:
        ranges = ", ".join(f"{start:#x} to {end:#x}" for start, end in self.usable) or "none below 4 GiB"
        return f"usable: {ranges}"


def _up(value: int, align: int) -> int:
    return -(-value // align) * align
