# SPDX-License-Identifier: GPL-2.0-or-later
"""The cache hierarchy, told rule by rule as hierarchy.h states them, on the slow caches of cache.py."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from oracles.cache import EXCLUSIVE, INCLUSIVE, Level, Line


@dataclass
class Outer:
    """A level beyond the first: what its counters and its prices are called."""

    prefix: str
    price: str
    level: Level


class Hierarchy:
    """L1I and L1D, or one first level for both, over L2 over LLC; the outer two may be absent."""

    def __init__(self, config: dict[str, int]) -> None:
        """Build from the fields of the native configuration."""
        self.config = config
        self.line = config["l1d.line_bytes"]
        l1d, l1i = self._level("l1d"), self._level("l1i")
        assert l1d is not None
        self.l1d, self.l1i = l1d, l1i or l1d
        self.firsts = [self.l1d] if l1i is None else [self.l1d, l1i]
        self.outer = [
            Outer(prefix, price, level)
            for prefix, name, price in (("L2", "l2", "by_l2"), ("LLC", "llc", "by_llc"))
            if (level := self._level(name))
        ]
        self.counters: Counter[str] = Counter()
        self.causes: Counter[str] = Counter()

    def _level(self, name: str) -> Level | None:
        c = {key.removeprefix(f"{name}."): value for key, value in self.config.items()}
        if not c["sets"]:
            return None
        return Level(
            c["sets"], c["ways"], c["replacement"], c["seed"],
            bool(c["write_through"]), bool(c["write_allocate"]), c["inclusion"],
        )  # fmt: skip

    def levels(self) -> list[Level]:
        """Return all levels, from the processor outward."""
        return [*self.firsts, *(outer.level for outer in self.outer)]

    # ---- a line on its way out ----

    def _leave(self, victim: Line | None, depth: int) -> None:
        """Send what the level before ``depth`` pushed out on its way."""
        if victim is None:
            return
        if victim.dirty:
            self.counters["writebacks"] += 1
            self._take_whole(victim.number, depth)
        elif depth < len(self.outer) and self.outer[depth].level.inclusion == EXCLUSIVE:
            self.counters[f"{self.outer[depth].prefix}-stores"] += 1
            level = self.outer[depth].level
            if not level.use(victim.number, write=False):
                self._put(victim.number, depth, dirty=False)

    def _put(self, number: int, depth: int, *, dirty: bool) -> None:
        """Fill an outer level; an inclusive one takes its victim from all levels before it."""
        level = self.outer[depth].level
        victim = level.fill(number, dirty=dirty)
        if victim and level.inclusion == INCLUSIVE:
            for inner in [*self.firsts, *(outer.level for outer in self.outer[:depth])]:
                copy = inner.drop(victim.number)
                victim.dirty |= copy is not None and copy.dirty
        self._leave(victim, depth + 1)

    def _take_whole(self, number: int, depth: int, *, victim: bool = True) -> None:
        """Deliver a whole dirty line; ``victim`` says that no level before keeps it."""
        if depth == len(self.outer):
            return
        level = self.outer[depth].level
        self.counters[f"{self.outer[depth].prefix}-stores"] += 1
        keeps = not level.write_through
        takes = victim if level.inclusion == EXCLUSIVE else level.write_allocate
        if not level.use(number, write=keeps):
            if not takes:
                self._take_whole(number, depth + 1, victim=victim)
                return
            self._put(number, depth, dirty=keeps)
        if level.write_through:
            self._take_whole(number, depth + 1, victim=False)

    # ---- reads ----

    def _read(self, number: int, depth: int) -> tuple[str, bool]:
        """Bring a line through the outer levels; return the price list of who had it, and its dirtiness."""
        if depth == len(self.outer):
            return "by_memory", False
        outer = self.outer[depth]
        self.counters[f"{outer.prefix}-loads"] += 1
        if outer.level.inclusion == EXCLUSIVE:
            line = outer.level.drop(number)
            if line:
                return outer.price, line.dirty
            self.counters[f"{outer.prefix}-load-misses"] += 1
            return self._read(number, depth + 1)
        if outer.level.use(number, write=False):
            return outer.price, False
        self.counters[f"{outer.prefix}-load-misses"] += 1
        server, dirty = self._read(number, depth + 1)
        self._put(number, depth, dirty=dirty)
        return server, False

    def _bring(self, first: Level, number: int) -> str:
        """Fill a first level with a line that it missed; return who had it."""
        server, dirty = self._read(number, 0)
        self._leave(first.fill(number, dirty=dirty), 0)
        return server

    # ---- stores ----

    def _store(self, number: int, depth: int) -> str:
        """Deliver a store to part of a line to an outer level; return who served it."""
        if depth == len(self.outer):
            return "by_memory"
        outer = self.outer[depth]
        level = outer.level
        self.counters[f"{outer.prefix}-stores"] += 1
        server = outer.price
        if level.find(number) is None:
            if not level.write_allocate or level.inclusion == EXCLUSIVE:
                return self._store(number, depth + 1)
            server, dirty = self._read(number, depth + 1)
            self._put(number, depth, dirty=dirty)
        level.use(number, write=not level.write_through)
        if level.write_through:
            self._store(number, depth + 1)
        return server

    def _store_to_first(self, number: int) -> str | None:
        """Store to a line; return who served a miss."""
        server = None
        if self.l1d.find(number) is None:
            if not self.l1d.write_allocate:
                return self._store(number, 0)
            server = self._bring(self.l1d, number)
        self.l1d.use(number, write=not self.l1d.write_through)
        if self.l1d.write_through:
            self._store(number, 0)
        return server

    # ---- what the processor does ----

    def _load(self, first: Level, number: int) -> str | None:
        return None if first.use(number, write=False) else self._bring(first, number)

    def data(self, paddr: int, size: int, *, write: bool, counted: bool = True) -> None:
        """Load or store."""
        kind = "store" if write else "load"
        self.counters[f"L1-dcache-{kind}s"] += counted
        for number in range(paddr // self.line, (paddr + size - 1) // self.line + 1):
            server = self._store_to_first(number) if write else self._load(self.l1d, number)
            if server:
                self.counters[f"L1-dcache-{kind}-misses"] += 1
                self.causes["d-miss"] += self.config[f"{server}.{kind}"]

    def fetch(self, paddr: int) -> None:
        """Fetch a line of code."""
        self.counters["L1-icache-loads"] += 1
        server = self._load(self.l1i, paddr // self.line)
        if server:
            self.counters["L1-icache-load-misses"] += 1
            self.causes["i-miss"] += self.config[f"{server}.fetch"]

    def walk_load(self, paddr: int) -> int:
        """Read a page-table entry; return its cycles."""
        server = self._load(self.l1d, paddr // self.line)
        return self.config[f"{server}.walk"] if server else self.config["walk.l1_read"]

    def flush_line(self, paddr: int) -> None:
        """CLFLUSH."""
        dropped = [level.drop(paddr // self.line) for level in self.levels()]
        self.counters["writebacks"] += any(line and line.dirty for line in dropped)

    def flush_all(self) -> None:
        """WBINVD."""
        for level in self.levels():
            self.counters["writebacks"] += level.empty()
