# SPDX-License-Identifier: GPL-2.0-or-later
"""An AArch64 processor for snippets. Whatever the guest writes outside of RAM is kept."""

from __future__ import annotations

from functools import cache

from ringscope.emulator.cpu.aarch64.decode import Decoder
from ringscope.emulator.cpu.aarch64.engine import ArmEngine
from ringscope.emulator.cpu.handlers import Handlers
from ringscope.emulator.native import library as native
from ringscope.emulator.timing import native_config, profile
from ringscope.emulator.timing.cost_table import CostTable
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
from tests.machine.processor import Processor, Spent

EL0_MASKED, EL0_OPEN = 0x3C0, 0x000  # PSTATE: EL0 with interrupts masked, and with them open
LEAVE = 0x123  # the SVC by which a visit to EL0 ends
BACK = CODE + 0x800  # where EL1 goes on after it


@cache
def costs() -> CostTable:
    """The prices of the processor that the machine has by default."""
    return CostTable(profile.load("cortex-a57", "aarch64"))


def cortex_a57() -> profile.Profile:
    """The bundled profile that the machine runs by default."""
    return costs().profile


class ArmRig(Processor):
    """One engine. ``sctlr`` and ``tcr`` are in force when the first snippet runs."""

    snippets = arm_snippets
    profile = staticmethod(cortex_a57)
    pc_name = "pc"
    asleep = "wfi"

    def __init__(
        self,
        *,
        timing: bool = True,
        sctlr: int = arm_snippets.SCTLR,
        tcr: int = arm_snippets.TCR,
    ) -> None:
        super().__init__()
        self.engine = ArmEngine(
            RAM_BYTES,
            native_config.native_config(native.load("aarch64"), cortex_a57()),
            self._handlers(),
            lambda out: Decoder(costs(), out).decode,
            timing=timing,
            ram_base=RAM,
        )
        for address, data in arm_snippets.memory(sctlr, tcr).items():
            self.write(address, data)
        self.engine.enter_arm64(ENTRY, TREE, 0)

    def _handlers(self) -> Handlers:
        return Handlers(
            events=lambda: self.on_events(),  # noqa: PLW0108  a test may put another there
            acknowledge=lambda: self.on_acknowledge(),  # noqa: PLW0108  and here
            mmio_read=lambda _paddr, size: (1 << 8 * size) - 1,
            mmio_write=lambda *access: self.written.append(access),
            firmware=lambda *_: 2**64 - 1,  # PSCI: not supported
            timer_read=lambda _name: self.engine.time,
            timer_write=lambda _name, _value: None,
        )

    def handler(self, vector: int, source: str) -> int:
        """Place the code of a vector: at most 32 instructions."""
        end = self.place(VECTORS + vector, source)
        assert end <= VECTORS + vector + 0x80
        return end

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
        self.place_end(BACK)
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


#: Instructions at EL1 of a visit to EL0: the mark, ERET, and four of the handler.
VISIT = 2 + 4
