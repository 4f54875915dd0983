# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine: processor, memory, board and the host's console, wired together; and the loop that runs it.

    machine = Machine(MachineConfig(), output=print_bytes)
    machine.load(image)                     # a bootimage.LoadedImage
    exit = machine.run()                    # until the guest exits, a limit, ...

The processor runs in the native core until something rare happens; device events run on simulated time
through the board's event queue. Nothing the host does (how fast it is, when it looks) changes what the guest
computes or what is counted; only input from a terminal does, and it is logged.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringscope.emulator import books, marks, systems
from ringscope.emulator import snapshot as snapshots
from ringscope.emulator.devices.event_queue import EventQueue
from ringscope.emulator.devices.interfaces import ExitKind
from ringscope.emulator.devices.state import Stateful
from ringscope.emulator.idle import sleep_until
from ringscope.emulator.native.library import NOWHERE, Stop
from ringscope.emulator.timing import profile as profiles
from ringscope.emulator.timing.cost_table import CostTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringscope.bootimage import LoadedImage
    from ringscope.bootimage.arm64 import LoadedArm64
    from ringscope.emulator.books import Entry
    from ringscope.emulator.devices.disk_image import DiskImage
    from ringscope.emulator.devices.host_input import HostInput
    from ringscope.emulator.platforms.pc import Board
    from ringscope.emulator.platforms.virt import VirtBoard

MIB = 1 << 20
RAM_LEAST, RAM_MOST = 2 * MIB, 3072 * MIB
FIDELITIES = ("timing", "functional")
DEFAULT_CPU = {"x86_64": "skylake", "aarch64": "cortex-a57"}
SLICE_CYCLES = 300_000  # until the host's signals are looked at: some 30 ms of the slowest guests


class ConfigError(ValueError):
    """A machine cannot be built so; the message is one sentence for the user."""


@dataclass(frozen=True)
class MachineConfig:
    """What to build: ``arch`` is a key of DEFAULT_CPU, ``fidelity`` one of FIDELITIES.

    Sizes in bytes; ``cpu`` is a profile's name or file, None for the architecture's default.
    """

    ram_bytes: int = 64 * MIB
    cpu: str | None = None
    fidelity: str = "timing"
    serial: bool = True  # whether what the serial ports send is printed
    arch: str = "x86_64"

    def __post_init__(self) -> None:
        """Refuse what cannot be built."""
        if not RAM_LEAST <= self.ram_bytes <= RAM_MOST or self.ram_bytes % MIB:
            raise ConfigError(
                f"memory of {self.ram_bytes} bytes: give a whole number of MiB from {RAM_LEAST // MIB} "
                f"to {RAM_MOST // MIB}, as in -m 64M"
            )
        if self.arch not in DEFAULT_CPU:
            raise ConfigError(f"architecture {self.arch}: there are {', '.join(DEFAULT_CPU)}")
        if self.fidelity not in FIDELITIES:
            raise ConfigError(f"fidelity {self.fidelity}: there are {', '.join(FIDELITIES)}")


@dataclass(frozen=True)
class Exit:
    """How a run ended: ``reason`` is guest, limit, matched, halted, triple-fault, interrupted or error."""

    reason: str
    status: int
    detail: str = ""


EXIT_STATUS = {"matched": 0, "halted": 0, "limit": 124, "error": 125, "triple-fault": 126, "interrupted": 130}


def _costs(cpu: str, arch: str) -> CostTable:
    """Return what a processor's instructions cost; a file of the user's is read anew for each machine."""
    return CostTable(profiles.load(cpu, arch)) if cpu.endswith(".toml") else _bundled_costs(cpu, arch)


@functools.cache
def _bundled_costs(name: str, arch: str) -> CostTable:
    return CostTable(profiles.load(name, arch))


class Machine(Stateful):
    """One machine. ``output`` receives what the guest prints on any console, as bytes."""

    STATE = ("_halted", "_marks", "_recent", "mark_names", "printed")

    def __init__(
        self, config: MachineConfig, output: Callable[[bytes], None], disk: DiskImage | None = None
    ) -> None:
        """Power on. Raises ConfigError, ProfileError, UnknownEngine."""
        self.config = config
        costs = _costs(config.cpu or DEFAULT_CPU[config.arch], config.arch)
        self.profile = costs.profile
        self.timing = config.fidelity == "timing"
        self.disk = disk
        self._output = output
        self._wanted: re.Pattern[bytes] | None = None
        self._recent = bytearray()
        self._pending_exit: Exit | None = None
        self.clock = EventQueue(self.profile.frequency_hz)
        self.system = systems.build(
            config.arch,
            systems.Surroundings(
                clock=self.clock,
                costs=costs,
                ram_bytes=config.ram_bytes,
                timing=self.timing,
                disk=disk,
                print_serial=self._print_byte if config.serial else _drop_byte,
                print_debug=self._print_byte,
                print_text=lambda text: self._print(text.encode()),
            ),
        )
        self.engine, self.board = self.system.engine, self.system.board
        self.clock.on_earlier = self.engine.set_next_event
        self.engine.set_next_event(self.clock.next_due())
        self.board.on_interrupt_change = self._interrupt_changed
        self.board.on_exit = self._guest_asks_to_end
        self._input: HostInput | None = None
        self.mark_names: dict[int, str] = {}  # of marked operations, by number
        self._marks: frozenset[str] = frozenset()
        self._halted = False
        self.printed = 0  # bytes, by the guest
        self._shown = 0  # of them, handed on
        self.stop: Stop | None = None
        self.on_slice: Callable[[], None] | None = None
        self.image: LoadedImage | LoadedArm64 | None = None  # what was loaded

    def _interrupt_changed(self) -> None:
        self.engine.set_interrupt(self.board.interrupt_pending())

    # ---- consoles ----

    def _print_byte(self, byte: int) -> None:
        self._print(bytes((byte,)))

    def _print(self, text: bytes) -> None:
        """Print what was not printed before the machine was put back."""
        start, self.printed = self.printed, self.printed + len(text)
        if self.printed > self._shown:
            self._output(text[max(0, self._shown - start) :])
            self._shown = self.printed
        if self._wanted is not None:
            self._recent = (self._recent + text)[-4096:]
            if self._wanted.search(self._recent):
                self._end(Exit("matched", EXIT_STATUS["matched"]))

    def exit_on(self, pattern: str) -> None:
        """End the run when the guest's output matches a regular expression (over its last 4096 bytes)."""
        try:
            self._wanted = re.compile(pattern.encode())
        except re.error as error:
            raise ConfigError(f"--exit-on {pattern}: not a regular expression: {error}") from error

    def attach_input(self, make: Callable[[Board | VirtBoard], HostInput]) -> None:
        """Feed the host's input to the guest; ``make`` gets the board, whose ``receiver`` takes the bytes."""
        self._input = make(self.board)
        self.schedule_input()

    @property
    def host_input(self) -> HostInput | None:
        """Where the host's input comes from."""
        return self._input

    def schedule_input(self) -> None:
        """Look at the host's input when it is due next."""
        due = self._input.next_due() if self._input is not None else None
        if due is not None:
            self.clock.at(due, self._poll_input)

    def _poll_input(self, cycle: int) -> None:
        if self._input is not None:
            self._input.poll(cycle)
            self.schedule_input()

    # ---- booting and running ----

    def load(self, image: LoadedImage | LoadedArm64) -> None:
        """Put a boot image into memory, what firmware leaves beside it, and the processor at its entry."""
        self.image = image
        programs = [module.data for module in image.modules]
        if image.kernel_elf is not None:
            programs.insert(0, image.kernel_elf)
        self.mark_names, self._marks = marks.survey(programs)
        self.system.load(image)

    def _guest_asks_to_end(self) -> None:
        request = self.board.exit_request
        if request is None:
            return
        if request.kind is ExitKind.RESET:
            self._end(Exit("guest", 0, f"the guest asked for a reset through {request.source}"))
        else:
            self._end(Exit("guest", request.status & 0xFF, request.source))

    def _end(self, result: Exit) -> None:
        if self._pending_exit is None:
            self._pending_exit = result
        self.engine.stop()

    def interrupt(self) -> None:
        """End the run at the next block boundary, as Ctrl-C does. May be called from a signal handler."""
        self._end(Exit("interrupted", EXIT_STATUS["interrupted"]))

    @property
    def ending(self) -> Exit | None:
        """How the run is to end, once somebody decided that it does."""
        return self._pending_exit

    def resume(self) -> None:
        """Let a run that ended by ``interrupt`` go on."""
        self._pending_exit = None
        self.engine.stop(False)

    def run(self, limit: int | None = None) -> Exit:
        """Run until the end: the guest's, a match, Ctrl-C, or simulated time ``limit`` in cycles."""
        result = None
        while result is None:
            result = self.advance(limit)
        self.system.finish()
        return result

    def advance(self, limit: int | None = None, steps: int | None = None) -> Exit | None:
        """Run for at most a slice, or ``steps`` instructions of it; return the end of the run if it came.

        ``stop`` then says why the processor stopped, None if it slept.
        """
        self.stop = None
        if self._halted:
            return self._sleep(limit)
        now = self.engine.time
        until = now + SLICE_CYCLES if limit is None else min(limit, now + SLICE_CYCLES)
        stop = self.stop = self.engine.run(until, steps)
        if self.on_slice is not None:
            self.on_slice()
        return self.judge(stop, limit)

    def judge(self, stop: Stop, limit: int | None = None) -> Exit | None:
        """Say whether a stop of the processor ends the run."""
        if self._pending_exit is not None:
            return self._pending_exit
        match stop:
            case Stop.TRIPLE_FAULT:
                return Exit("triple-fault", EXIT_STATUS["triple-fault"])
            case Stop.ENGINE:
                return Exit("error", EXIT_STATUS["error"], f"the engine gave up: {self.engine.engine_error}")
            case Stop.HALT:
                self._halted = True
            case _:
                pass
        if limit is not None and self.engine.time >= limit:
            return Exit("limit", EXIT_STATUS["limit"])
        return None

    def _sleep(self, limit: int | None) -> Exit | None:
        """Let the halted processor sleep to the next event, or to the interrupt that wakes it."""
        if self.engine.nmi_pending or (self.board.interrupt_pending() and self.engine.interrupt_wakes):
            self._halted = False
            return None
        due = self.clock.next_due()
        typing = self._input is not None and not self._input.exhausted
        wakes = self.engine.interrupt_wakes and self.board.wake_possible(input_alive=typing)
        if due is None or not wakes:
            return Exit("halted", EXIT_STATUS["halted"], "the guest halted and no interrupt can wake it")
        if limit is not None and due >= limit:
            self.engine.skip_idle(limit)
            return Exit("limit", EXIT_STATUS["limit"])
        awake = due if self._input is None else sleep_until(self._input, self.engine.time, due, self.clock.hz)
        self.engine.skip_idle(awake)
        self.clock.run_due(self.engine.time)
        self.engine.set_next_event(self.clock.next_due())
        if self._input is not None and awake < due:
            self._input.poll(self.engine.time)  # woken by a key
        if self.on_slice is not None:
            self.on_slice()
        return self._pending_exit

    # ---- saved and restored ----

    def snapshot(self, before: snapshots.Snapshot | None = None) -> snapshots.Snapshot:
        """Save the whole machine between two runs; what is as in ``before`` takes no more room."""
        return snapshots.take(self, before)

    def restore(self, saved: snapshots.Snapshot) -> None:
        """Become what was saved, from a machine of the same configuration. Raises SnapshotError."""
        snapshots.restore(self, saved)
        self.image = saved.image
        self._shown = max(self._shown, self.printed)
        self.resume()
        self._guest_asks_to_end()

    def print_from(self, printed: int) -> None:
        """Print all that the guest prints behind its first bytes: it will be something else than before."""
        self._shown = printed

    @property
    def halted(self) -> bool:
        """Whether the processor sleeps."""
        return self._halted

    # ---- what was counted ----

    @property
    def counters(self) -> books.Counters:
        """Which counters this run has."""
        return books.Counters(self.timing, self._marks)

    def books_here(self) -> books.Books:
        """Return what `books` would be, were the block left that the processor is in the middle of."""
        return books.Books.at(self.engine.library.core_books_here(self.engine.core))

    def books(self) -> books.Books:
        """Return a copy of everything counted so far."""
        return books.Books.at(self.engine.library.core_books(self.engine.core))

    @property
    def dropped_marks(self) -> int:
        """How many marks could not be booked: begun again before the end, never begun, too many open."""
        return int(self.engine.library.core_dropped_marks(self.engine.core))

    def ledger(self) -> list[Entry]:
        """Return the marked operations carried out so far."""
        return books.read_ledger(self.engine.library, self.engine.core, self.mark_names)

    def run_until_cycle(self, cycle: int) -> Exit | None:
        """Run to a point in simulated time; None when it was reached. The run can go on."""
        while self.engine.time < cycle:
            result = self.advance(cycle)
            if result is not None:
                return None if result.reason == "limit" else result
        return None

    def step(self, instructions: int = 1) -> Exit | None:
        """Execute instructions one by one; None when the run can go on."""
        if self._halted:
            return self._sleep(None)
        return self.judge(self.engine.run(NOWHERE, instructions))


def _drop_byte(_: int) -> None:
    """Print nothing."""
