# SPDX-License-Identifier: GPL-2.0-or-later
"""The programs on the machine: a processor, 64 MiB, 4 KiB pages, and nothing that interrupts."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringscope.emulator import books
from ringscope.emulator.cpu.handlers import Handlers
from ringscope.emulator.cpu.x86_64.cpuid import Cpuid
from ringscope.emulator.cpu.x86_64.decode import Decoder
from ringscope.emulator.cpu.x86_64.engine import X86Engine
from ringscope.emulator.native import library as native
from ringscope.emulator.native.library import Stop
from ringscope.emulator.timing import native_config
from ringscope.emulator.timing.cost_table import CostTable
from ringscope.tools.validation.suite import memory_at_start

if TYPE_CHECKING:
    from ringscope.emulator.timing.profile import Profile
    from ringscope.tools.validation.suite import Case, Image

RAM_BYTES = 64 << 20
#: harness.S has the addresses of the tables, of the descriptors, and of the code that is 64-bit first.
DESCRIPTORS, DESCRIPTORS_IMAGE, LONG_MODE = 0x2F00, 0x2FF0, 0x3000
RETURN, STACK, MEMORY = 0x3800, 0x3F0000, 0x400000
FENCE = bytes((0x0F, 0x1F, 0x84, 0x00, 0x00, 0x20, 0x53, 0x52))  # a mark that counts nothing: a block begins
HALT, LFENCE = b"\xf4", b"\x0f\xae\xe8"
RUNS = 8
LIMIT = 2_000_000_000  # cycles; no program comes near


@dataclass(frozen=True)
class Run:
    """One execution: cycles, instructions, the cycles by cause, and what the program returned."""

    cycles: int
    instructions: int
    causes: dict[str, int]
    result: int


class Processor:
    """An x86 processor of a profile with the programs in its memory."""

    def __init__(self, profile: Profile, image: Image) -> None:
        """Boot it into long mode."""
        costs = CostTable(profile)
        self._image = image
        self.engine = X86Engine(
            RAM_BYTES,
            native_config.native_config(native.load(), profile),
            Handlers(
                events=lambda: None,
                acknowledge=lambda: -1,
                mmio_read=lambda _paddr, size: (1 << 8 * size) - 1,
                mmio_write=lambda _paddr, _size, _value: None,
                port_in=lambda _port, size: (1 << 8 * size) - 1,
                port_out=lambda _port, _size, _value: None,
                cpuid=Cpuid(profile, profile.frequency_hz),
                msr_read=lambda _index: None,
                msr_write=lambda _index, _value: False,
                task_priority=lambda: 0,
                set_task_priority=lambda _value: None,
            ),
            lambda out: Decoder(costs, out).decode,
            timing=True,
        )
        code, data = 0x00AF9B000000FFFF, 0x00CF93000000FFFF
        self._write(DESCRIPTORS, struct.pack("<3Q", 0, code, data))
        self._write(DESCRIPTORS_IMAGE, struct.pack("<HI", 0x17, DESCRIPTORS))
        self._write(LONG_MODE, HALT)
        self._write(RETURN, LFENCE + FENCE + HALT)  # nothing of a run overlaps with the next
        self._write(image.base, image.data)
        self.engine.enter_multiboot(image.functions["machine_start"], 0, 0)
        self._run_to(LONG_MODE)
        self.engine.set_register("ss", 16)

    def _write(self, address: int, data: bytes) -> None:
        self.engine.ram[address : address + len(data)] = data

    def _run_to(self, address: int) -> None:
        self.engine.set_breakpoints([address])
        stop = self.engine.run(self.engine.time + LIMIT)
        if stop is not Stop.BREAKPOINT:
            raise RuntimeError(f"stopped by {stop.name} at {self.engine.register('rip'):#x}")
        self.engine.step_over_breakpoint()

    def _call(self, name: str, count: int) -> int:
        self._write(STACK, struct.pack("<Q", RETURN))
        registers = {"rip": self._image.functions[name], "rsp": STACK, "rdi": MEMORY, "rsi": count}
        for register, value in registers.items():
            self.engine.set_register(register, value)
        self._run_to(RETURN + len(LFENCE))
        return self.engine.register("rax")

    def _books(self) -> books.Books:
        return books.Books.at(native.load().core_books(self.engine.core))

    def measure(self, case: Case) -> Run:
        """Run a program so many times as its predictor needs, and return the run of the fewest cycles.

        On the host it is the best of many runs, too.
        """
        self._write(MEMORY, memory_at_start())
        if case.prepare is not None:
            self._call(f"prepare_{case.prepare}", case.count)
        self._call(f"program_{case.function}", case.count)
        return min((self._run(case) for _ in range(RUNS)), key=lambda run: run.cycles)

    def _run(self, case: Case) -> Run:
        before = self._books()
        result = self._call(f"program_{case.function}", case.count)
        after = self._books()
        causes = {name: cycles - before.causes()[name] for name, cycles in after.causes().items()}
        return Run(
            after.total("cycles") - before.total("cycles"),
            after.total("instructions") - before.total("instructions"),
            causes,
            result,
        )

    def close(self) -> None:
        """Give the engine back."""
        self.engine.close()
