# SPDX-License-Identifier: GPL-2.0-or-later
"""Guest memory by virtual address, as a debugger sees it: RAM alone, whatever the permissions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringscope.emulator.native.library import NOWHERE

if TYPE_CHECKING:
    import ctypes
    import mmap

PAGE = 0x1000


class GuestMemory:
    """The part of an engine that translates addresses for a debugger, and reads and writes there."""

    _native: ctypes.CDLL
    _core: Any
    _uc: Any
    ram: mmap.mmap
    ram_base: int
    ram_bytes: int

    def physical(self, vaddr: int, space: int | None = None) -> int | None:
        """Return the physical address that a virtual one has in ``space``, or in the present one; or None."""
        if space is None:
            paddr = int(self._native.core_physical(self._core, vaddr))
        else:
            paddr = int(self._native.core_physical_in(self._core, space, vaddr))
        return None if paddr == NOWHERE else paddr

    def read_virtual(self, vaddr: int, length: int, space: int | None = None) -> bytes:
        """Return up to ``length`` bytes of RAM at a virtual address; fewer where it is not mapped.

        In the address space in force, or in the one whose root is ``space``: CR3 or TTBR0 as the guest writes
        it.
        """
        found = bytearray()
        while len(found) < length:
            at = vaddr + len(found)
            paddr = self.physical(at, space)
            offset = -1 if paddr is None else paddr - self.ram_base
            if not 0 <= offset < self.ram_bytes:
                break
            size = min(length - len(found), PAGE - at % PAGE)
            found += self.ram[offset : offset + size]
        return bytes(found)

    def write_virtual(self, vaddr: int, data: bytes, space: int | None = None) -> int:
        """Store bytes in RAM at a virtual address, whatever its permissions; return how many could be.

        Between runs alone. Translated code there is forgotten, and the engine's TLB, for these may be tables.
        """
        done = 0
        while done < len(data):
            at = vaddr + done
            paddr = self.physical(at, space)
            offset = -1 if paddr is None else paddr - self.ram_base
            if not 0 <= offset < self.ram_bytes:
                break
            size = min(len(data) - done, PAGE - at % PAGE)
            self.ram[offset : offset + size] = data[done : done + size]
            done += size
        self._native.core_flush_translations(self._core)
        self._uc.ctl_flush_tb()
        return done
