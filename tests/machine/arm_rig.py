# SPDX-License-Identifier: GPL-2.0-or-later
"""An AArch64 machine for snippets: a test places code, runs it, and takes the difference of the books."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import TYPE_CHECKING

from ringscope.bootimage.arm64 import LoadedArm64
from ringscope.emulator.machine import Machine, MachineConfig
from ringscope.emulator.native.library import Stop
from ringscope.emulator.timing import profile
from tests.machine import arm_snippets
from tests.machine.arm_snippets import (
    CODE,
    ENTRY,
    RAM,
    RAM_BYTES,
    TREE,
    USER_CODE,
    USER_STACK,
    USER_SYNC,
    VECTORS,
)
from tests.machine.rig import Spent

if TYPE_CHECKING:
    from ringscope.emulator import books

LIMIT = 50_000_000  # cycles; no snippet comes near
EL0_MASKED, EL0_OPEN = 0x3C0, 0x000  # PSTATE: EL0 with interrupts masked, and with them open
LEAVE = 0x123  # the SVC by which a visit to EL0 ends
BACK = CODE + 0x800  # where EL1 goes on after it


@cache
def cortex_a57() -> profile.Profile:
    """The bundled profile that the machine runs by default."""
    return profile.load("cortex-a57", "aarch64")


class ArmRig:
    """One machine. ``sctlr`` and ``tcr`` are in force when the first snippet runs."""

    def __init__(
        self,
        *,
        timing: bool = True,
        sctlr: int = arm_snippets.SCTLR,
        tcr: int = arm_snippets.TCR,
    ) -> None:
        self.output = bytearray()
        fidelity = "timing" if timing else "functional"
        config = MachineConfig(RAM_BYTES, arch="aarch64", fidelity=fidelity)
        self.machine = Machine(config, self.output.extend)
        self.engine = self.machine.engine
        writes = tuple(arm_snippets.memory(sctlr, tcr).items())
        self.machine.load(LoadedArm64(ENTRY, TREE, writes, (), None, ""))
        self.end = CODE
        self._begun = False

    # ---- memory and code ----

    def write(self, address: int, data: bytes) -> None:
        """Put bytes into RAM."""
        self.engine.ram[address - RAM : address - RAM + len(data)] = data

    def read(self, address: int, length: int) -> bytes:
        """Return bytes of RAM."""
        return self.engine.ram[address - RAM : address - RAM + length]

    def write_word(self, address: int, value: int) -> None:
        """Put a word of 64 bits into RAM."""
        self.write(address, value.to_bytes(8, "little"))

    def read_word(self, address: int) -> int:
        """Return a word of 64 bits."""
        return int.from_bytes(self.read(address, 8), "little")

    def place(self, address: int, source: str) -> int:
        """Assemble a snippet to an address; return the address after it."""
        code = arm_snippets.assemble(source, address)
        self.write(address, code)
        return address + len(code)

    def handler(self, vector: int, source: str) -> int:
        """Place the code of a vector: at most 32 instructions."""
        end = self.place(VECTORS + vector, source)
        assert end <= VECTORS + vector + 0x80
        return end

    # ---- running ----

    def run_to(self, *addresses: int) -> int:
        """Run, asleep or awake, until one of the addresses is next; return it."""
        self.engine.set_breakpoints(addresses)
        limit, result = self.engine.time + LIMIT, None
        while result is None:
            if self.machine._halted:
                result = self.machine.advance(limit)
                continue
            stop = self.engine.run(limit)
            if stop is Stop.BREAKPOINT:
                break
            result = self.machine.judge(stop, limit)
        self.engine.set_breakpoints([])
        assert result is None, f"{result} at {self.register('pc'):#x}"
        self.engine.step_over_breakpoint()
        return self.register("pc")

    def begin(self) -> None:
        """Come to CODE with the MMU on: from the entry for the first time, from wherever it is later."""
        if self._begun:
            self.engine.set_register("pc", CODE)
        else:
            self.run_to(CODE)
            self._begun = True

    def measure(self, source: str, *, warm: bool = False) -> Spent:
        """Run a snippet at EL1 and return what all of it spent; ``end`` is the address behind it.

        ``warm`` runs it twice and returns what the second time took, when its lines are cached.
        """
        self.end = end = self.place(CODE, source)
        self.place(end, "fence; wfi")
        for _ in range(2 if warm else 1):
            self.begin()
            before = self.books()
            self.run_to(end)
        return Spent(before, self.books())

    def visit_user(
        self, user: str, *, lower: str = "eret", pstate: int = EL0_MASKED, warm: bool = True
    ) -> Spent:
        """Go to EL0, run a snippet there and come back by an SVC of LEAVE; return what that took.

        ``lower`` handles every other synchronous exception from EL0, with ESR in x16. The visit itself takes
        VISIT instructions at EL1, and one at EL0 beside the snippet's.
        """
        way = f"mrs x16, esr_el1; ubfx w17, w16, #0, #16; cmp w17, #{LEAVE}; b.eq {BACK:#x}; {lower}"
        self.handler(USER_SYNC, way)
        self.place(USER_CODE, f"{user}; svc #{LEAVE}")
        self.place(BACK, "fence; wfi")
        ready = self.place(
            CODE,
            f"set x0, {USER_CODE}; msr elr_el1, x0; set x0, {pstate}; msr spsr_el1, x0; set x0, {USER_STACK};"
            "msr sp_el0, x0; fence",
        )
        self.place(ready, "eret")
        for _ in range(2 if warm else 1):
            self.begin()
            self.run_to(ready - 4)
            before = self.books()
            self.run_to(BACK)
        return Spent(before, self.books())

    # ---- reading ----

    def register(self, name: str) -> int:
        """Return a register by its name."""
        return self.engine.register(name)

    def books(self) -> books.Books:
        """Return all that was counted so far."""
        return self.machine.books()

    def exceptions(self) -> dict[int, int]:
        """Return how many exceptions were delivered, by the engine's number."""
        address = self.engine.library.core_exceptions(self.engine.core)
        counts = ctypes.cast(address, ctypes.POINTER(ctypes.c_uint64 * 256)).contents
        return {number: count for number, count in enumerate(counts) if count}

    def close(self) -> None:
        """Give the engine back."""
        self.engine.close()


#: Instructions at EL1 of a visit to EL0: the mark, ERET, and four of the handler.
VISIT = 2 + 4
