# SPDX-License-Identifier: GPL-2.0-or-later
"""The translation buffers, told as lists of entries that remember when they were last used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from oracles.walk import Registers

if TYPE_CHECKING:
    from collections.abc import Callable

    from oracles.arm_walk import ArmRegisters
    from oracles.hierarchy import Hierarchy
    from oracles.walk import Walk

ADDRESS = (1 << 49) - 1  # addresses of 48 bits, and which half they are in


@dataclass
class Entry:
    """A translation, or a cached entry of a page table."""

    page: int  # (vaddr & ADDRESS) >> shift
    shift: int
    asid: int | None  # None: global
    frame: int
    mapping_shift: int  # of the page this is a piece of
    used: int

    def is_for(self, vaddr: int, shift: int, asid: int) -> bool:
        """Whether it translates that address for that address space."""
        return self.shift == shift and self.page == (vaddr & ADDRESS) >> shift and self.asid in (None, asid)


class Array:
    """A set-associative array with true LRU."""

    clock = 0

    def __init__(self, entries: int, ways: int) -> None:
        """Start empty; no entries at all is allowed."""
        self.ways = ways
        self.sets: list[list[Entry]] = [[] for _ in range(entries // ways if entries else 0)]

    def use(self, vaddr: int, shift: int, asid: int) -> Entry | None:
        """Return the entry used last of those that translate the address, and use it."""
        if not self.sets:
            return None
        held = self.sets[(vaddr >> shift) % len(self.sets)]
        found = max((e for e in held if e.is_for(vaddr, shift, asid)), key=lambda e: e.used, default=None)
        if found:
            Array.clock += 1
            found.used = Array.clock
        return found

    def fill(self, entry: Entry) -> None:
        """Put an entry in, in place of the one used longest ago if the set is full."""
        held = self.sets[entry.page % len(self.sets)]
        if len(held) == self.ways:
            held.remove(min(held, key=lambda e: e.used))
        Array.clock += 1
        entry.used = Array.clock
        held.append(entry)

    def drop(self, doomed: Callable[[Entry], bool]) -> None:
        """Remove entries."""
        for held in self.sets:
            held[:] = [e for e in held if not doomed(e)]


class Tlb:
    """Arrays by size of page: 0 small, 1 large, 2 huge."""

    def __init__(self, config: dict[str, int], name: str) -> None:
        """Build from the fields of the native configuration."""
        self.arrays = [
            Array(config[f"{name}.{size}.entries"], config[f"{name}.{size}.ways"])
            for size in ("small", "large", "huge")
        ]
        if config[f"{name}.large_in_small"]:
            self.arrays[1] = self.arrays[0]


class Mmu:
    """I-TLB and D-TLB, or one for both, over a second level or none, over page walks."""

    def __init__(self, config: dict[str, int], hierarchy: Hierarchy) -> None:
        """``hierarchy`` serves the walker's reads and keeps all counters."""
        self.config = config
        self.hierarchy = hierarchy
        self.dtlb = Tlb(config, "dtlb")
        self.itlb = Tlb(config, "itlb") if config["itlb.small.entries"] else self.dtlb
        self.stlb = Tlb(config, "stlb") if config["stlb.small.entries"] else None
        names = ("pml4e", "pdpte", "pde")
        self.walk_caches = [Array(n := config[f"walk.{name}_cached"], n or 1) for name in names]
        self.registers: Registers | ArmRegisters = Registers()
        self.ram: bytes | bytearray = b""

    def _shifts(self) -> tuple[int, int, int]:
        return 12, self.registers.large_shift, 30

    def _use(self, tlb: Tlb, vaddr: int) -> Entry | None:
        for array, shift in zip(tlb.arrays, self._shifts(), strict=True):
            entry = array.use(vaddr, shift, self.registers.asid)
            if entry:
                return entry
        return None

    def _fill(self, tlb: Tlb, vaddr: int, paddr: int, *, shift: int, mapping: int, asid: int | None) -> None:
        shifts = self._shifts()
        size = shifts.index(shift)
        while not tlb.arrays[size].sets:
            size -= 1
        shift = shifts[size]
        tlb.arrays[size].fill(Entry((vaddr & ADDRESS) >> shift, shift, asid, paddr >> shift, mapping, 0))

    def translate(self, vaddr: int, access: str) -> int | None:
        """Return the physical address or None; ``access`` is fetch, load or store."""
        if self.registers.mode == "off":
            return vaddr
        first, prefix = (self.itlb, "iTLB") if access == "fetch" else (self.dtlb, "dTLB")
        counters, causes = self.hierarchy.counters, self.hierarchy.causes
        entry = self._use(first, vaddr)
        if entry:
            counters[f"{prefix}-loads"] += 1
            return entry.frame << entry.shift | (vaddr & ((1 << entry.shift) - 1))
        entry = self._use(self.stlb, vaddr) if self.stlb else None
        walked = None if entry else self.registers.walk(self.ram, vaddr)
        if walked and not walked.present:
            return None
        counters.update((f"{prefix}-loads", f"{prefix}-load-misses"))
        counters["L2-TLB-loads"] += self.stlb is not None
        if entry:
            causes["tlb-walk"] += self.config["walk.stlb_hit"]
            paddr = entry.frame << entry.shift | (vaddr & ((1 << entry.shift) - 1))
            self._fill(first, vaddr, paddr, shift=entry.shift, mapping=entry.mapping_shift, asid=entry.asid)
            return paddr
        counters["L2-TLB-load-misses"] += self.stlb is not None
        counters["page-walks"] += 1
        cycles = self._walk_cycles(vaddr, walked)
        counters["page-walk-cycles"] += cycles
        causes["tlb-walk"] += cycles
        asid = None if walked.is_global else self.registers.asid
        for tlb in (self.stlb, first) if self.stlb else (first,):
            shift = walked.page_shift
            self._fill(tlb, vaddr, walked.paddr, shift=shift, mapping=shift, asid=asid)
        return walked.paddr

    def _walk_cache(self, walked: Walk, level: int) -> tuple[Array, int]:
        """Return the cache for entries like the one read at a level, and how many bytes they map."""
        shift = walked.shifts[level]
        return self.walk_caches[{39: 0, 30: 1}.get(shift, 2)], shift

    def _walk_cycles(self, vaddr: int, walked: Walk) -> int:
        """Read what no paging-structure cache holds, from the innermost entry that one of them does hold."""
        asid = self.registers.asid
        leaf = len(walked.entries) - 1
        begin = walked.uncharged
        for level in range(leaf - 1, walked.uncharged - 1, -1):
            array, shift = self._walk_cache(walked, level)
            if array.use(vaddr, shift, asid):
                begin = level + 1
                break
        cycles = self.config["walk.base"]
        for level in range(begin, leaf + 1):
            cycles += self.hierarchy.walk_load(walked.entries[level][0])
            array, shift = self._walk_cache(walked, level)
            if level < leaf and array.sets:
                array.fill(Entry((vaddr & ADDRESS) >> shift, shift, asid, 0, shift, 0))
        return cycles

    def _drop(self, doomed: Callable[[Entry], bool], doomed_tables: Callable[[Entry], bool]) -> None:
        for tlb in (self.itlb, self.dtlb, self.stlb):
            for array in tlb.arrays if tlb else ():
                array.drop(doomed)
        for array in self.walk_caches:
            array.drop(doomed_tables)

    def flush_all(self, *, global_too: bool) -> None:
        """Forget everything, or all but global pages."""
        self._drop(lambda e: global_too or e.asid is not None, lambda _: True)

    def flush_asid(self, asid: int) -> None:
        """Forget one address space but its global pages."""
        self._drop(lambda e: e.asid == asid, lambda e: e.asid == asid)

    def invlpg(self, vaddr: int, asid: int, *, global_too: bool) -> None:
        """Forget the page of an address, all its pieces, and the space's paging-structure caches."""
        spaces = (asid, None) if global_too else (asid,)
        self._drop(lambda e: e.asid in spaces and _translates(e, vaddr), lambda e: e.asid == asid)

    def forget_va(self, vaddr: int, asid: int | None, *, tables: bool) -> None:
        """Forget the page of an address, and the ``tables`` on the way; without ``asid`` of every space."""

        def doomed(e: Entry) -> bool:
            return (asid is None or e.asid in (asid, None)) and _translates(e, vaddr)

        self._drop(doomed, lambda e: tables and doomed(e))


def _translates(entry: Entry, vaddr: int) -> bool:
    """Whether an entry is a piece of what maps an address."""
    return entry.page << entry.shift >> entry.mapping_shift == (vaddr & ADDRESS) >> entry.mapping_shift
