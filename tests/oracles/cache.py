# SPDX-License-Identifier: GPL-2.0-or-later
"""One cache by its definition: slots of sets, lines that remember their last use, a choice of victim."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

LRU, TREE_PLRU, RANDOM = range(3)  # enum replacement
NEITHER, INCLUSIVE, EXCLUSIVE = range(3)  # enum inclusion


@dataclass
class Line:
    """A line held by a level."""

    number: int
    used: int
    dirty: bool


@dataclass
class Node:
    """A node of a tree over the ways from ``first`` on; the leaves are one way each."""

    first: int
    ways: int
    evict_right: bool = False
    left: Node | None = None
    right: Node | None = None

    def __post_init__(self) -> None:
        """Grow the halves."""
        if self.ways > 1:
            half = self.ways // 2
            self.left, self.right = Node(self.first, half), Node(self.first + half, half)

    def use(self, way: int) -> None:
        """Point every node above a way to the half without it."""
        if self.left and self.right:
            self.evict_right = way < self.right.first
            (self.left if self.evict_right else self.right).use(way)

    def victim(self) -> int:
        """Follow the pointers to a way."""
        if self.left and self.right:
            return (self.right if self.evict_right else self.left).victim()
        return self.first


class Set(Protocol):
    """What decides which way of one full set is evicted."""

    def use(self, way: int) -> None:
        """Take note of a use."""

    def victim(self, lines: list[Line]) -> int:
        """Choose a way."""


class LruSet:
    """The line whose last use lies back furthest."""

    def use(self, way: int) -> None:
        """Nothing to do: the lines remember."""

    def victim(self, lines: list[Line]) -> int:
        """Choose a way."""
        return min(range(len(lines)), key=lambda way: lines[way].used)


class TreeSet:
    """Where a tree of pointers leads."""

    def __init__(self, ways: int) -> None:
        """All pointers begin to the left."""
        self.root = Node(0, ways)

    def use(self, way: int) -> None:
        """Turn pointers."""
        self.root.use(way)

    def victim(self, _: list[Line]) -> int:
        """Choose a way."""
        return self.root.victim()


@dataclass
class Xorshift:
    """Marsaglia, Xorshift RNGs, 2003: the 32-bit generator with shifts 13, 17 and 5."""

    state: int

    def draw(self) -> int:
        """Return the next number."""
        x = self.state
        x ^= x << 13 & 0xFFFF_FFFF
        x ^= x >> 17
        x ^= x << 5 & 0xFFFF_FFFF
        self.state = x
        return x


@dataclass
class RandomSet:
    """Any way, by the cache's one generator."""

    generator: Xorshift

    def use(self, way: int) -> None:
        """Nothing to do: uses do not matter."""

    def victim(self, lines: list[Line]) -> int:
        """Choose a way."""
        return self.generator.draw() % len(lines)


@dataclass
class Level:
    """One set-associative level. ``slots[set][way]`` is a line or None."""

    sets: int
    ways: int
    replacement: int = LRU
    seed: int = 1
    write_through: bool = False
    write_allocate: bool = True
    inclusion: int = NEITHER
    clock: int = 0
    slots: list[list[Line | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Start empty."""
        self.slots = [[None] * self.ways for _ in range(self.sets)]
        generator = Xorshift(self.seed)
        make = {
            LRU: LruSet,
            TREE_PLRU: lambda: TreeSet(self.ways),
            RANDOM: lambda: RandomSet(generator),
        }[self.replacement]
        self.choices: list[Set] = [make() for _ in range(self.sets)]

    def find(self, number: int) -> Line | None:
        """Return the line if it is held."""
        return next((line for line in self.slots[number % self.sets] if line and line.number == number), None)

    def _note_use(self, line: Line) -> None:
        self.clock += 1
        line.used = self.clock
        index = line.number % self.sets
        self.choices[index].use(self.slots[index].index(line))

    def use(self, number: int, *, write: bool) -> bool:
        """Use a line; False if it is not held."""
        line = self.find(number)
        if line is None:
            return False
        line.dirty |= write
        self._note_use(line)
        return True

    def fill(self, number: int, *, dirty: bool) -> Line | None:
        """Put a line in; return the one that had to leave."""
        slots = self.slots[number % self.sets]
        if None in slots:
            way = slots.index(None)
        else:
            way = self.choices[number % self.sets].victim([line for line in slots if line])
        victim, slots[way] = slots[way], Line(number, 0, dirty)
        self._note_use(slots[way])
        return victim

    def drop(self, number: int) -> Line | None:
        """Remove a line; return it if it was held."""
        line = self.find(number)
        if line:
            slots = self.slots[number % self.sets]
            slots[slots.index(line)] = None
        return line

    def lines(self) -> list[Line]:
        """Return all lines held."""
        return [line for slots in self.slots for line in slots if line]

    def empty(self) -> int:
        """Remove all lines; return how many were dirty."""
        dirty = sum(line.dirty for line in self.lines())
        self.slots = [[None] * self.ways for _ in range(self.sets)]
        if self.replacement == TREE_PLRU:
            self.choices = [TreeSet(self.ways) for _ in range(self.sets)]
        return dirty
