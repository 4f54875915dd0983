# SPDX-License-Identifier: GPL-2.0-or-later
"""A processor with nothing around it: the native core on its engine, driven by a test.

The test places snippets, names the interrupts that are to become due, runs to an address and takes the
difference of the books. What one architecture alone has is in rig.py (x86-64) and arm_rig.py (AArch64), and
the snippets in snippets.py and arm_snippets.py, which have the same names for what both have.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringscope.emulator import books
from ringscope.emulator.native import library as native
from ringscope.emulator.native.library import Stop

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from ringscope.emulator.cpu.engine import Engine
    from ringscope.emulator.timing.profile import Profile

NO_INTERRUPT = -1
LIMIT = 50_000_000  # cycles; no snippet comes near


@dataclass(frozen=True)
class Spent:
    """The difference of the books between two points."""

    before: books.Books
    after: books.Books

    def __getitem__(self, name: str) -> int:
        return self.after.total(name) - self.before.total(name)

    def by_ring(self, name: str) -> tuple[int, int]:
        """Return a counter's growth in the kernel's and the user's ring."""
        then, now = self.before.counter(name), self.after.counter(name)
        return now[0] - then[0], now[1] - then[1]

    def cause(self, name: str) -> int:
        """Return the cycles under a cause."""
        return self.after.causes()[name] - self.before.causes()[name]

    def everything(self) -> dict[str, int]:
        """Return every counter and every cause."""
        counters = {name: self[name] for name in native.counter_names()}
        return counters | {f"cycles by {name}": self.cause(name) for name in native.cause_names()}


class Processor:
    """One engine. A subclass builds it and says what its architecture calls things."""

    snippets: ModuleType
    profile: Callable[[], Profile]  # the bundled one that it runs by
    pc_name: str
    asleep: str  # the instruction that sleeps
    engine: Engine

    def __init__(self) -> None:
        self.written: list[tuple[int, int, int]] = []
        self.due: list[tuple[int, int]] = []
        self.raised: list[int] = []
        self.turns: list[tuple[int, int]] = []
        self.taken: list[tuple[int, int]] = []
        self.on_events: Callable[[], None] = self._events
        self.on_acknowledge: Callable[[], int] = self._acknowledge
        self.end = self.snippets.CODE
        self._begun = False  # the code before the first snippet has been run

    # ---- interrupts ----

    def schedule(self, *due: tuple[int, int]) -> None:
        """Let interrupts become due: pairs of simulated time and vector, ascending."""
        self.due = list(due)
        self.engine.set_next_event(self.due[0][0] if self.due else None)

    def _events(self) -> None:
        now = self.engine.time
        while self.due and self.due[0][0] <= now:
            cycle, vector = self.due.pop(0)
            self.turns.append((cycle, now))
            self.raised.append(vector)
        self.engine.set_next_event(self.due[0][0] if self.due else None)
        self.engine.set_interrupt(bool(self.raised))

    def _acknowledge(self) -> int:
        vector = self.raised.pop(0) if self.raised else NO_INTERRUPT
        self.engine.set_interrupt(bool(self.raised))
        self.taken.append((self.engine.time, vector))
        return vector

    # ---- memory and code ----

    def write(self, address: int, data: bytes) -> None:
        """Put bytes into RAM."""
        at = address - self.engine.ram_base
        self.engine.ram[at : at + len(data)] = data

    def read(self, address: int, length: int) -> bytes:
        """Return bytes of RAM."""
        at = address - self.engine.ram_base
        return self.engine.ram[at : at + length]

    def write_word(self, address: int, value: int) -> None:
        """Put a word of 64 bits into RAM."""
        self.write(address, value.to_bytes(8, "little"))

    def read_word(self, address: int) -> int:
        """Return a word of 64 bits."""
        return int.from_bytes(self.read(address, 8), "little")

    def place(self, address: int, source: str, *more: int) -> int:
        """Assemble a snippet to an address; return the address after it."""
        code = self.snippets.assemble(source, address, *more)
        self.write(address, code)
        return address + len(code)

    def place_end(self, address: int) -> None:
        """Place what stands behind a snippet: a block begins there, and who comes further sleeps."""
        self.place(address, f"fence; {self.asleep}")

    # ---- running ----

    @property
    def pc(self) -> int:
        """Where the processor is."""
        return self.engine.register(self.pc_name)

    def register(self, name: str) -> int:
        """Return a register by its name."""
        return self.engine.register(name)

    def run_to(self, *addresses: int) -> int:
        """Run until one of the addresses is next; return it."""
        self.engine.set_breakpoints(addresses)
        stop = self.engine.run(self.engine.time + LIMIT)
        self.engine.set_breakpoints([])
        assert stop is Stop.BREAKPOINT, f"{stop!r} at {self.pc:#x}"
        self.engine.step_over_breakpoint()
        self._begun |= self.pc == self.snippets.CODE
        return self.pc

    def steps_to(self, address: int, most: int = 100_000) -> int:
        """Step until an address is next; return how many steps it took."""
        for steps in range(most):
            if self.pc == address:
                return steps
            assert self.engine.run(steps=1) is Stop.STEPS
        raise AssertionError(f"{address:#x} was not reached in {most} steps")

    def begin(self) -> None:
        """Come to CODE, translation on: from the entry for the first time, from wherever it is later."""
        if self._begun:
            self.engine.set_register(self.pc_name, self.snippets.CODE)
        else:
            self.run_to(self.snippets.CODE)

    def measure(self, source: str, *, warm: bool = False) -> Spent:
        """Run a snippet at CODE and return what all of it spent.

        Afterwards ``end`` is the address behind it. ``warm`` runs it twice and returns what the second time
        took, when its lines are cached.
        """
        self.end = end = self.place(self.snippets.CODE, source)
        self.place_end(end)
        for _ in range(2 if warm else 1):
            self.begin()
            before = self.books()
            self.run_to(end)
        return Spent(before, self.books())

    # ---- what was counted ----

    def books(self) -> books.Books:
        """Return all that was counted so far."""
        return books.Books.at(self.engine.library.core_books(self.engine.core))

    def ledger(self) -> dict[str, books.Entry]:
        """Return the ledger by name."""
        return {entry.name: entry for entry in books.read_ledger(self.engine.library, self.engine.core, {})}

    def exceptions(self) -> dict[int, int]:
        """Return how many exceptions were delivered, by vector or the engine's number."""
        counts = ctypes.cast(
            self.engine.library.core_exceptions(self.engine.core), ctypes.POINTER(ctypes.c_uint64 * 256)
        ).contents
        return {vector: count for vector, count in enumerate(counts) if count}

    def close(self) -> None:
        """Give the engine back."""
        self.engine.close()
