# SPDX-License-Identifier: GPL-2.0-or-later
"""An x86-64 processor for snippets. Whatever the guest writes to a port is kept."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from ringscope.emulator.cpu.handlers import Handlers
from ringscope.emulator.cpu.x86_64.cpuid import Cpuid
from ringscope.emulator.cpu.x86_64.decode import Decoder
from ringscope.emulator.cpu.x86_64.engine import X86Engine
from ringscope.emulator.native import library as native
from ringscope.emulator.timing import native_config, profile
from ringscope.emulator.timing.cost_table import CostTable
from tests.machine import snippets
from tests.machine.processor import LIMIT, NO_INTERRUPT, Processor, Spent
from tests.machine.snippets import CODE, ENTRY, HANDLERS, RAM_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LIMIT", "NO_INTERRUPT", "Rig", "Spent", "skylake"]


def skylake() -> profile.Profile:
    """The bundled profile of the processor that the machine has by default."""
    return profile.load("skylake")


@cache
def costs(of: Callable[[], profile.Profile]) -> CostTable:
    """The prices of a profile, made once."""
    return CostTable(of())


class Rig(Processor):
    """One engine. ``cr4`` is added to CR4 before the first snippet; ``flat`` starts at CODE in 32 bits."""

    snippets = snippets
    profile = staticmethod(skylake)
    pc_name = "rip"
    asleep = "hlt"

    def __init__(self, *, timing: bool = True, cr4: int = 0, flat: bool = False) -> None:
        super().__init__()
        self.on_port: Callable[[int, int, int], int] = self._port
        config = self.profile()
        self.engine = X86Engine(
            RAM_BYTES,
            native_config.native_config(native.load(), config),
            self._handlers(Cpuid(config, config.frequency_hz)),
            lambda out: Decoder(costs(self.profile), out).decode,
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
            events=lambda: self.on_events(),  # noqa: PLW0108  a test may put another there
            acknowledge=lambda: self.on_acknowledge(),  # noqa: PLW0108  and here
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

    def handler(self, vector: int, source: str) -> int:
        """Place an interrupt handler; it has 64 bytes, fewer than 16 instructions."""
        return self.place(HANDLERS + 0x40 * vector, source)
