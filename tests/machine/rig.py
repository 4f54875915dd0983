# SPDX-License-Identifier: GPL-2.0-or-later
"""A processor with nothing around it: the native core on its engine, driven by a test.

The test places snippets, names the interrupts that are to become due, runs to an address and takes the
difference of the books. Whatever the guest writes to a port is kept.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from ringscope.emulator import books
from ringscope.emulator.cpu.handlers import Handlers
from ringscope.emulator.cpu.x86_64.cpuid import Cpuid
from ringscope.emulator.cpu.x86_64.decode import Decoder
from ringscope.emulator.cpu.x86_64.engine import X86Engine
from ringscope.emulator.native import library as native
from ringscope.emulator.native.library import Stop
from ringscope.emulator.timing import native_config, profile
from ringscope.emulator.timing.cost_table import CostTable
from tests.machine import snippets
from tests.machine.snippets import CODE, ENTRY, HANDLERS, RAM_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

NO_INTERRUPT = -1
LIMIT = 50_000_000  # cycles; no snippet comes near


@cache
def skylake() -> profile.Profile:
    """The bundled profile."""
    return profile.load("skylake")


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


class Rig:
    """One engine. ``cr4`` is added to CR4 before the first snippet; ``flat`` starts at CODE in 32 bits."""

    def __init__(self, *, timing: bool = True, cr4: int = 0, flat: bool = False) -> None:
        self.written: list[tuple[int, int, int]] = []
        self.due: list[tuple[int, int]] = []
        self.raised: list[int] = []
        self.turns: list[tuple[int, int]] = []
        self.taken: list[tuple[int, int]] = []
        self.on_acknowledge: Callable[[], int] = self._acknowledge
        self.on_port: Callable[[int, int, int], int] = self._port
        self.end = CODE
        config = skylake()
        costs = CostTable(config)
        self.engine = X86Engine(
            RAM_BYTES,
            native_config.native_config(native.load(), config),
            self._handlers(Cpuid(config, config.frequency_hz)),
            lambda out: Decoder(costs, out).decode,
            timing=timing,
        )
        if flat:
            self.engine.enter_multiboot(CODE, 0x2BADB002, 0)
            return
        for address, data in snippets.memory(cr4).items():
            self.write(address, data)
        self.engine.enter_multiboot(ENTRY, 0x2BADB002, 0)

    def _handlers(self, cpuid: Cpuid) -> Handlers:
        return Handlers(
            events=self._events,
            acknowledge=lambda: self.on_acknowledge(),  # noqa: PLW0108  a test may put another there
            port_in=lambda port, size: self.on_port(port, size, 0),
            port_out=lambda *access: self.on_port(*access),  # noqa: PLW0108  and here
            mmio_read=lambda _paddr, size: (1 << 8 * size) - 1,
            mmio_write=lambda _paddr, _size, _value: None,
            cpuid=cpuid,
            msr_read=lambda _index: None,
            msr_write=lambda _index, _value: False,
            task_priority=lambda: 0,
            set_task_priority=lambda _value: None,
        )

    def _port(self, port: int, size: int, value: int) -> int:
        self.written.append((port, size, value))
        return (1 << 8 * size) - 1

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
        self.engine.ram[address : address + len(data)] = data

    def read(self, address: int, length: int) -> bytes:
        """Return bytes of RAM."""
        return self.engine.ram[address : address + length]

    def place(self, address: int, source: str, bits: int = 64) -> int:
        """Assemble a snippet to an address; return the address after it."""
        code = snippets.assemble(source, address, bits)
        self.write(address, code)
        return address + len(code)

    def handler(self, vector: int, source: str) -> int:
        """Place an interrupt handler; it has 64 bytes, fewer than 16 instructions."""
        return self.place(HANDLERS + 0x40 * vector, source)

    # ---- running ----

    def run_to(self, *addresses: int) -> int:
        """Run until one of the addresses is next; return it."""
        self.engine.set_breakpoints(addresses)
        stop = self.engine.run(self.engine.time + LIMIT)
        self.engine.set_breakpoints([])
        assert stop is Stop.BREAKPOINT, f"{stop!r} at {self.engine.register('rip'):#x}"
        self.engine.step_over_breakpoint()
        return self.engine.register("rip")

    def books(self) -> books.Books:
        """Return all that was counted so far."""
        return books.Books.at(native.load().core_books(self.engine.core))

    def ledger(self) -> dict[str, books.Entry]:
        """Return the ledger by name."""
        return {entry.name: entry for entry in books.read_ledger(self.engine.library, self.engine.core, {})}

    def measure(self, source: str, *, warm: bool = False) -> Spent:
        """Run a snippet of 64-bit code at CODE and return what all of it spent.

        Afterwards ``end`` is the address behind it. ``warm`` runs it twice and returns what the second time
        took, when its lines are cached.
        """
        self.end = end = self.place(CODE, source)
        self.place(end, "fence; hlt")
        for _ in range(2 if warm else 1):
            self.begin()
            before = self.books()
            self.run_to(end)
        return Spent(before, self.books())

    def begin(self) -> None:
        """Come to CODE in long mode: from the entry for the first time, from wherever it is later."""
        if self.engine.long_mode:
            self.engine.set_register("rip", CODE)
        else:
            self.run_to(CODE)

    def steps_to(self, address: int, most: int = 100_000) -> int:
        """Step until an address is next; return how many steps it took."""
        for steps in range(most):
            if self.engine.register("rip") == address:
                return steps
            assert self.engine.run(steps=1) is Stop.STEPS
        raise AssertionError(f"{address:#x} was not reached in {most} steps")

    def exceptions(self) -> dict[int, int]:
        """Return how many exceptions were delivered, by vector."""
        counts = ctypes.cast(
            native.load().core_exceptions(self.engine.core), ctypes.POINTER(ctypes.c_uint64 * 256)
        ).contents
        return {vector: count for vector, count in enumerate(counts) if count}

    def close(self) -> None:
        """Give the engine back."""
        self.engine.close()
