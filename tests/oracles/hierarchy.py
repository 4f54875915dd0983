# SPDX-License-Identifier: GPL-2.0-or-later
"""The cache hierarchy, told by time stamps: every line remembers when it was last used."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass


@dataclass
class Line:
    """A line held by a level."""

    used: int
    dirty: bool


class Level:
    """One set-associative level with true LRU."""

    def __init__(self, sets: int, ways: int) -> None:
        """Start empty."""
        self.ways = ways
        self.sets: list[dict[int, Line]] = [{} for _ in range(sets)]
        self.clock = 0

    def find(self, number: int) -> Line | None:
        """Return the line if it is held."""
        return self.sets[number % len(self.sets)].get(number)

    def use(self, number: int, *, write: bool) -> bool:
        """Use a line; False if it is not held."""
        line = self.find(number)
        if line is None:
            return False
        self.clock += 1
        line.used = self.clock
        line.dirty |= write
        return True

    def fill(self, number: int, *, dirty: bool) -> tuple[int, bool] | None:
        """Put a line in; return the number and dirtiness of the one that had to leave."""
        held = self.sets[number % len(self.sets)]
        victim = None
        if len(held) == self.ways:
            oldest = min(held, key=lambda other: held[other].used)
            victim = (oldest, held.pop(oldest).dirty)
        self.clock += 1
        held[number] = Line(self.clock, dirty)
        return victim

    def drop(self, number: int) -> bool:
        """Remove a line; True if it was held and dirty."""
        line = self.sets[number % len(self.sets)].pop(number, None)
        return line is not None and line.dirty

    def empty(self) -> int:
        """Remove all lines; return how many were dirty."""
        dirty = sum(line.dirty for held in self.sets for line in held.values())
        for held in self.sets:
            held.clear()
        return dirty


class Hierarchy:
    """L1I and L1D over L2 over LLC; the outer two may be absent (None)."""

    def __init__(self, config: dict[str, int]) -> None:
        """Build from the fields of the native configuration."""
        self.config = config
        self.line = config["l1d.line_bytes"]
        self.l1i, self.l1d = self._level("l1i"), self._level("l1d")
        self.outer = [
            (prefix, level, price)
            for prefix, name, price in (("L2", "l2", "by_l2"), ("LLC", "llc", "by_llc"))
            if (level := self._level(name))
        ]
        self.counters: Counter[str] = Counter()
        self.causes: Counter[str] = Counter()

    def _level(self, name: str) -> Level | None:
        sets = self.config[f"{name}.sets"]
        return Level(sets, self.config[f"{name}.ways"]) if sets else None

    def _read(self, number: int, depth: int) -> str:
        """Bring a line through the outer levels from ``depth`` on; return the price list of who had it."""
        if depth == len(self.outer):
            return "by_memory"
        prefix, level, price = self.outer[depth]
        self.counters[f"{prefix}-loads"] += 1
        if level.use(number, write=False):
            return price
        self.counters[f"{prefix}-load-misses"] += 1
        server = self._read(number, depth + 1)
        self._leave(level.fill(number, dirty=False), depth + 1)
        return server

    def _leave(self, victim: tuple[int, bool] | None, depth: int) -> None:
        """Send a victim of the level before ``depth`` on its way."""
        if victim is None or not victim[1]:
            return
        self.counters["writebacks"] += 1
        if depth == len(self.outer):
            return
        prefix, level, _ = self.outer[depth]
        self.counters[f"{prefix}-stores"] += 1
        if not level.use(victim[0], write=True):
            self._leave(level.fill(victim[0], dirty=True), depth + 1)

    def _access(self, level: Level, number: int, *, write: bool) -> str | None:
        """Use a line of a first level, filling it if need be; return who served a miss."""
        if level.use(number, write=write):
            return None
        server = self._read(number, 0)
        self._leave(level.fill(number, dirty=write), 0)
        return server

    def data(self, paddr: int, size: int, *, write: bool, counted: bool = True) -> None:
        """Load or store."""
        kind = "store" if write else "load"
        self.counters[f"L1-dcache-{kind}s"] += counted
        for number in range(paddr // self.line, (paddr + size - 1) // self.line + 1):
            server = self._access(self.l1d, number, write=write)
            if server:
                self.counters[f"L1-dcache-{kind}-misses"] += 1
                self.causes["d-miss"] += self.config[f"{server}.{kind}"]

    def fetch(self, paddr: int) -> None:
        """Fetch a line of code."""
        self.counters["L1-icache-loads"] += 1
        server = self._access(self.l1i, paddr // self.line, write=False)
        if server:
            self.counters["L1-icache-load-misses"] += 1
            self.causes["i-miss"] += self.config[f"{server}.fetch"]

    def walk_load(self, paddr: int) -> int:
        """Read a page-table entry; return its cycles."""
        server = self._access(self.l1d, paddr // self.line, write=False)
        return self.config[f"{server}.walk"] if server else self.config["walk.l1_read"]

    def flush_line(self, paddr: int) -> None:
        """CLFLUSH."""
        levels = [self.l1i, self.l1d, *(level for _, level, _ in self.outer)]
        were_dirty = [level.drop(paddr // self.line) for level in levels]
        self.counters["writebacks"] += any(were_dirty)

    def flush_all(self) -> None:
        """WBINVD."""
        for level in [self.l1i, self.l1d, *(level for _, level, _ in self.outer)]:
            self.counters["writebacks"] += level.empty()
