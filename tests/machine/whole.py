# SPDX-License-Identifier: GPL-2.0-or-later
# ruff: noqa: S311 (choices are random; nothing is secret)
"""Whole machines run in every way there is to run one, and all that can be seen of the run at its end.

A machine is of the architecture that its image is for.
"""

from __future__ import annotations

import random
import threading
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ringscope.bootimage import BootRequest, LoadedArm64, LoadedImage, architecture
from ringscope.emulator.devices.gic_cpu_interface import REG_IAR
from ringscope.emulator.machine import Exit, Machine, MachineConfig
from ringscope.emulator.native.library import Stop
from tests.machine import snippets
from tests.machine.snippets import CODE, ENTRY, HANDLERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringscope.emulator.books import Books, Entry

    Way = Callable[["Observed"], Exit]
    Image = Path | BootRequest | LoadedImage | LoadedArm64

RAM_BYTES = 32 << 20
PROGRAM_COUNTER = {"x86_64": "rip", "aarch64": "pc"}


class Watched(Machine):
    """A machine that keeps when which interrupt was acknowledged: on ARM, GICC_IAR read."""

    def __init__(self, config: MachineConfig, output: Callable[[bytes], None]) -> None:
        super().__init__(config, output)
        self.interrupts: list[tuple[int, int]] = []
        if config.arch == "aarch64":
            readers = self.board.gic.cpu_interface._readers
            readers[REG_IAR] = self._noted(readers[REG_IAR])
        else:
            self.board.acknowledge = self._noted(self.board.acknowledge)

    def _noted(self, take: Callable[[], int]) -> Callable[[], int]:
        def acknowledge() -> int:
            number = take()
            self.interrupts.append((self.engine.time, number))
            return number

        return acknowledge

    @property
    def pc(self) -> int:
        """The address of the next instruction."""
        return self.engine.register(PROGRAM_COUNTER[self.config.arch])


def arch_of(image: Image) -> str:
    """Return the architecture that an image is for."""
    if isinstance(image, BootRequest):
        image = image.kernel
    if isinstance(image, Path):
        return architecture(image.read_bytes())
    return "aarch64" if isinstance(image, LoadedArm64) else "x86_64"


class Observed:
    """A machine about to run an image, and what is seen of it."""

    def __init__(self, image: Image, fidelity: str = "timing", cpu: str | None = None) -> None:
        self.output = bytearray()
        config = MachineConfig(RAM_BYTES, cpu=cpu, fidelity=fidelity, arch=arch_of(image))
        self.machine = Watched(config, self._print)
        self.on_output: Callable[[], None] | None = None
        self.interrupts = self.machine.interrupts
        if isinstance(image, Path):
            image = BootRequest(image)
        if isinstance(image, BootRequest):
            image = self.machine.system.read_image(image)
        self.machine.load(image)

    def _print(self, text: bytes) -> None:
        self.output += text
        if self.on_output is not None:
            self.on_output()


@dataclass(frozen=True)
class Seen:
    """All that a run shows. Two runs of one image show the same, however they were run."""

    exit: Exit
    output: bytes
    books: Books
    ledger: list[Entry]
    time: int
    idle: int
    lateness: int
    interrupts: list[tuple[int, int]]
    ram: int

    @property
    def instructions(self) -> int:
        """How many were executed."""
        return self.books.total("instructions")


def run(image: Image, way: Way, fidelity: str = "timing", cpu: str | None = None) -> Seen:
    """Run an image in one way from power-on to its end, by the prices of a profile."""
    observed = Observed(image, fidelity, cpu)
    machine = observed.machine
    result = way(observed)
    seen = Seen(
        result,
        bytes(observed.output),
        machine.books(),
        machine.ledger(),
        machine.engine.time,
        machine.engine.idle,
        machine.engine.lateness,
        observed.interrupts,
        zlib.crc32(machine.engine.ram),
    )
    machine.engine.close()
    return seen


# ---- the ways ----


def freely(observed: Observed) -> Exit:
    """Until the guest ends."""
    while (result := observed.machine.advance()) is None:
        pass
    return result


def in_slices(cycles: int) -> Way:
    """Stopped after every so many cycles."""

    def way(observed: Observed) -> Exit:
        machine = observed.machine
        while (result := machine.run_until_cycle(machine.engine.time + cycles)) is None:
            pass
        return result

    return way


def stepped(observed: Observed) -> Exit:
    """Instruction by instruction."""
    while (result := observed.machine.step()) is None:
        pass
    return result


def stepped_in_windows(steps: int, cycles: int) -> Way:
    """So many instructions one by one, so many cycles freely, and again."""

    def way(observed: Observed) -> Exit:
        machine, result = observed.machine, None
        while result is None:
            result = next(filter(None, (machine.step() for _ in range(steps))), None)
            result = result or machine.run_until_cycle(machine.engine.time + cycles)
        return result

    return way


def addresses_executed(image: Image, most: int = 100_000) -> Counter[int]:
    """Step through the beginning of a run and return how often each instruction was executed."""
    observed, found = Observed(image), Counter[int]()
    machine = observed.machine
    for _ in range(most):
        found[machine.pc] += 1
        if machine.step() is not None:
            break
    machine.engine.close()
    return found


def with_breakpoints(addresses: list[int], hits: list[int]) -> Way:
    """Stopped before each instruction at one of the addresses; ``hits`` receives where it stopped."""

    def way(observed: Observed) -> Exit:
        machine = observed.machine
        machine.engine.set_breakpoints(addresses)
        result = None
        while result is None:
            if machine._halted:
                result = machine.advance()
                continue
            stop = machine.engine.run(machine.engine.time + 3_000_000)
            result = machine.judge(stop)
            if stop is Stop.BREAKPOINT:
                hits.append(machine.pc)
                machine.engine.step_over_breakpoint()
        return result

    return way


def interrupted_at_output(every: int) -> Way:
    """Interrupted, as by Ctrl-C, at every so many pieces of output, and continued."""

    def way(observed: Observed) -> Exit:
        machine, pieces = observed.machine, 0

        def printed() -> None:
            nonlocal pieces
            pieces += 1
            if pieces % every == 0:
                machine.interrupt()

        observed.on_output = printed
        while (result := machine.advance()) is None or result.reason == "interrupted":
            if result is not None:
                machine.resume()
        assert pieces >= every
        return result

    return way


def interrupted_by_another_thread(stops: list[int]) -> Way:
    """Interrupted at whatever moments another thread of the host finds, and continued."""

    def way(observed: Observed) -> Exit:
        machine, ended = observed.machine, threading.Event()
        paces = random.Random()  # deliberately not seeded: the host's timing is not either

        def nag() -> None:
            while not ended.wait(paces.random() / 500):
                machine.engine.stop()

        nagging = threading.Thread(target=nag)
        nagging.start()
        try:
            result = None
            while result is None:
                if machine._halted:
                    result = machine.advance()
                    continue
                stop = machine.engine.run(machine.engine.time + 3_000_000)
                result = machine.judge(stop)
                if stop is Stop.REQUEST and result is None:
                    stops.append(machine.engine.time)
                    machine.engine.stop(False)
        finally:
            ended.set()
            nagging.join()
        return result

    return way


def mixed(seed: int, addresses: list[int], steps: int = 400) -> Way:
    """A random sequence of slices, steps, breakpoints and interruptions."""

    def slices(machine: Machine, chance: random.Random) -> Exit | None:
        return machine.run_until_cycle(machine.engine.time + chance.randrange(1, 60_000))

    def some_steps(machine: Machine, chance: random.Random) -> Exit | None:
        return next(filter(None, (machine.step() for _ in range(chance.randrange(1, steps)))), None)

    def breakpoints(machine: Machine, chance: random.Random) -> Exit | None:
        machine.engine.set_breakpoints(chance.sample(addresses, min(8, len(addresses))))
        result = None
        for _ in range(10):
            machine.engine.step_over_breakpoint()
            result = result or machine.advance()
        machine.engine.set_breakpoints([])
        return result

    def interruption(machine: Machine, _: random.Random) -> Exit | None:
        machine.interrupt()
        return machine.advance()

    def way(observed: Observed) -> Exit:
        machine, chance = observed.machine, random.Random(seed)
        result = None
        while result is None:
            result = chance.choice((slices, some_steps, breakpoints, interruption))(machine, chance)
            if result is not None and result.reason == "interrupted":
                machine.resume()
                result = None
        return result

    return way


# ---- a guest that does everything at once ----


def troublemaker() -> LoadedImage:
    """Return string instructions that fault half-way under a fast timer, and code that rewrites itself.

    Ring 3 fills eight pages that are not there, one `rep stosq` over all of them; the page-fault handler
    supplies one page each. The interval timer interrupts every 2.5 microseconds. After each filling the guest
    patches the constant it adds to a sum, prints a digit, and takes the pages away again.
    """
    page_entry = snippets.PAGE_TABLE + 8 * (snippets.DATA >> 12)
    rounds = 9
    main = f"""
        mov al, 0x11; out 0x20, al; out 0xa0, al; mov al, 0x20; out 0x21, al; mov al, 0x28; out 0xa1, al
        mov al, 4; out 0x21, al; mov al, 2; out 0xa1, al; mov al, 1; out 0x21, al; out 0xa1, al
        mov al, 0xfe; out 0x21, al; mov al, 0xff; out 0xa1, al
        mov al, 0x34; out 0x43, al; mov al, 3; out 0x40, al; xor eax, eax; out 0x40, al
        mov ecx, 0xc0000082; mov eax, {CODE + 0x800}; xor edx, edx; wrmsr
        mov ecx, 0xc0000081; mov edx, 0x180008; xor eax, eax; wrmsr
        mov ecx, 0xc0000084; mov eax, 0x200; xor edx, edx; wrmsr
        push {snippets.USER_SS}; push {snippets.USER_STACK}; push 0x202; push {snippets.USER_CS}
        push {snippets.USER_CODE}; iretq
    """
    system_call = f"""
        push rcx; push r11
        mov al, 0x30; add al, r12b; out 0xe9, al
        mov edi, {page_entry}; mov ecx, 8
        next: and qword ptr [rdi], -2; add rdi, 8; dec ecx; jnz next
        mov rax, cr3; mov cr3, rax
        cmp r12d, {rounds}; jb back; mov eax, r13d; and eax, 0x7f; out 0xf4, al; hlt
        back: pop r11; pop rcx; sysretq
    """
    user = f"""
        xor r12d, r12d; xor r13d, r13d
        again: mov edi, {snippets.DATA}; mov ecx, {8 * 512}; mov rax, r13; rep stosq
        mov esi, {snippets.DATA}; mov ecx, 5000; repe cmpsb
        patch: add r13d, 3
        lea rbx, [rip + patch]; inc byte ptr [rbx + 3]
        inc r12d; syscall; jmp again
    """
    fault = f"""
        push rax; push rbx; mov rax, cr2; shr rax, 12; lea rbx, [rax * 8 + {snippets.PAGE_TABLE}]
        or qword ptr [rbx], 1; pop rbx; pop rax; add rsp, 8; iretq
    """
    timer = "push rax; mov al, 0x20; out 0x20, al; pop rax; inc r14; iretq"
    code = {
        CODE: main,
        CODE + 0x800: system_call,
        snippets.USER_CODE: user,
        HANDLERS + 0x40 * 14: fault,
        HANDLERS + 0x40 * 0x20: timer,
    }
    memory = snippets.memory()
    table = bytearray(memory[snippets.PAGE_TABLE])
    for page in range(8):
        table[8 * ((snippets.DATA >> 12) + page)] &= 0xFE
    memory[snippets.PAGE_TABLE] = bytes(table)
    memory |= {address: snippets.assemble(source, address) for address, source in code.items()}
    return LoadedImage("multiboot1", ENTRY, 0x2BADB002, 0, tuple(memory.items()), (), None, "")
