# SPDX-License-Identifier: GPL-2.0-or-later
"""A system that was booted, in the hands of a Python program: run it to here and there, and read what it did.

    with boot("kernel.elf", initrd=["server.elf fast"]) as run:
        run.until_text("ready")
        run.to_end()
    print(run.exit.status, run.ledger["ping"].cycles)

``API.md`` beside this file shows all of it. A run shows the same in every respect, however often it was
stopped. When it is closed the machine is gone, and what it printed and counted stays.
"""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from ringscope.bootimage import BootRequest, architecture_of, parse_initrd
from ringscope.bootimage.bundled import bundled_image
from ringscope.emulator.debug import probes
from ringscope.emulator.debug.control import Control, Why
from ringscope.emulator.devices.disk_image import DiskImage
from ringscope.emulator.devices.host_input import byte_interval
from ringscope.emulator.devices.typed_input import TypedInput
from ringscope.emulator.figures import Figures, Ledger
from ringscope.emulator.machine import EXIT_STATUS, ConfigError, Exit, Machine, MachineConfig
from ringscope.emulator.trace.event import Event

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ringscope.emulator.debug.halt import Halt
    from ringscope.emulator.debug.probes import Probe

MIB = 1 << 20


def boot(  # one argument for each of the command's options
    kernel: str | Path | None = None,
    *,
    initrd: Iterable[str] = (),
    append: str = "",
    arch: str | None = None,
    memory_mib: int = 64,
    cpu: str | None = None,
    fidelity: str = "timing",
    disk: str | Path | None = None,
) -> Run:
    """Return a system at power-on, as ``ringscope boot`` starts it: nothing has been executed yet.

    ``kernel`` is a file, None for the bundled system; ``initrd`` has one ``"FILE ARGUMENTS"`` a module;
    ``arch`` is what the file is for unless it is given; ``disk`` is never written. Raises ImageError,
    ConfigError, ProfileError, DiskImageError, each with a sentence.
    """
    file = None if kernel is None else Path(kernel)
    found = None if file is None else architecture_of(file)
    config = MachineConfig(memory_mib * MIB, cpu, fidelity, arch=arch or found or MachineConfig.arch)
    modules = tuple(spec for entry in initrd for spec in parse_initrd(entry.replace(",", ",,")))
    request = BootRequest(file or bundled_image(config.arch), modules, append)
    return Run(config, request, None if disk is None else Path(disk))


class Run:
    """A machine with a system on it. ``exit`` is None until the run has ended."""

    def __init__(self, config: MachineConfig, request: BootRequest, disk: Path | None = None) -> None:
        """Power on and load; ``boot`` is the shorter way."""
        self._console = bytearray()
        self._disk = None if disk is None else DiskImage(disk, writable=False)
        self._closed: tuple[Figures, Ledger, int] | None = None
        self._probes: list[Probe] = []
        self.exit: Exit | None = None
        self.machine = Machine(config, self._print, self._disk)
        self.image = self.machine.system.read_image(request)
        self.machine.load(self.image)
        interval = byte_interval(self.machine.profile.frequency_hz)
        self._typed = TypedInput(self.machine.board.receiver, interval)

    def _print(self, text: bytes) -> None:
        self._console += text

    # ---- running ----

    def to_end(self, limit: int | None = None) -> Exit:
        """Run until the guest ends, or to simulated time ``limit`` in cycles, and return how it ended."""
        self._check_open()
        self.exit = self.machine.run(limit)
        return self.exit

    def until_cycle(self, cycle: int) -> bool:
        """Run to the first block's end at or after a simulated time; False if the guest ended before."""
        self._check_open()
        self.exit = self.machine.run_until_cycle(cycle)
        return self.exit is None

    def until_text(self, pattern: str, limit: int | None = None) -> bool:
        """Run until what is printed from now on matches a regular expression; False if it never does.

        ``limit`` is a simulated time in cycles. Raises ConfigError for what is no expression.
        """
        self._check_open()
        try:
            wanted = re.compile(pattern.encode())
        except re.error as error:
            raise ConfigError(f"{pattern}: not a regular expression: {error}") from error
        begin = len(self._console)
        self.exit = None
        while wanted.search(self._console, begin) is None:
            self.exit = self.machine.advance(limit)
            if self.exit is not None:
                return wanted.search(self._console, begin) is not None
        return True

    def until_symbol(self, symbol: str | int, program: str | None = None, limit: int | None = None) -> bool:
        """Run until the instruction at a symbol is next; False if it never is. See ``probe`` for the names.

        Raises PlaceError.
        """
        self._check_open()
        place = probes.find(self.image, symbol, program)
        breakpoint_there = self.control.add_breakpoint(
            place.address, condition=lambda control: place.is_next(control.engine)
        )
        try:
            return self._resume(limit).detail is breakpoint_there
        finally:
            self.control.remove(breakpoint_there)

    def until_event(self, kind: str, limit: int | None = None) -> Event | None:
        """Run until something happens, and return it as a trace would tell it; None if it never does.

        ``kind`` is crossing (of rings), ipc, space-switch, page-fault or interrupt. Raises ValueError.
        """
        self._check_open()
        self.control.stop_on = (kind,)
        try:
            detail = self._resume(limit).detail
        finally:
            self.control.stop_on = ()
        return detail if isinstance(detail, Event) else None

    def _resume(self, limit: int | None) -> Halt:
        halt = self.control.resume(limit)
        self.exit = self.control.ended
        if halt.why is Why.CYCLE:
            self.exit = Exit("limit", EXIT_STATUS["limit"])
        return halt

    @cached_property
    def control(self) -> Control:
        """What a debugger does to the machine: breakpoints, watchpoints, steps, registers, memory."""
        return Control(self.machine)

    def type(self, text: str) -> None:
        """Type at the console; the guest gets each byte when it is ready for it."""
        self._check_open()
        idle = self._typed.exhausted
        self._typed.type(text.encode(), self.machine.engine.time)
        if idle:  # else it is being looked at already
            self.machine.attach_input(lambda _: self._typed)

    def probe(
        self, symbol: str | int, *, until: str | int | None = None, program: str | None = None
    ) -> Probe:
        """Book every execution of a function, under its name in the ledger; no guest needs a change for it.

        It begins at ``symbol``, of the kernel or of the module called ``program``, and ends at the return,
        or at ``until``. All of that may be one text, ``"program:symbol..until"``, by which it then stands in
        the ledger. Raises PlaceError.
        """
        self._check_open()
        if isinstance(symbol, str) and until is None and program is None:
            words = probes.Words.read(symbol)
        else:
            words = probes.Words("", symbol, until, program)
        probe = probes.Probe(self.machine, self.image, words)
        self._probes.append(probe)
        return probe

    # ---- what it did ----

    @property
    def console(self) -> str:
        """All that the guest has printed; bytes that are not UTF-8 as escapes."""
        return self._console.decode("utf-8", "backslashreplace")

    @property
    def counters(self) -> Figures:
        """Everything counted since power-on."""
        if self._closed is not None:
            return self._closed[0]
        return Figures.of(self.machine.books(), self.machine.counters)

    @property
    def ledger(self) -> Ledger:
        """What each marked or probed operation cost."""
        if self._closed is not None:
            return self._closed[1]
        return Ledger(self.machine.ledger(), self.machine.counters)

    @property
    def cycle(self) -> int:
        """Simulated time: cycles worked and slept."""
        return self._closed[2] if self._closed is not None else self.machine.engine.time

    # ---- the end of it ----

    def _check_open(self) -> None:
        if self._closed is not None:
            raise ValueError("this run is closed; boot the system again to run it further")

    def close(self) -> None:
        """Give the machine back. What was printed and counted can still be read."""
        if self._closed is None:
            self._closed = self.counters, self.ledger, self.cycle
            for probe in self._probes:
                probe.close()
            self.machine.engine.close()
            self.__dict__.pop("control", None)
            del self.machine, self._typed  # and with them the guest's memory
            if self._disk is not None:
                self._disk.close()

    def __enter__(self) -> Self:
        """Use it within a ``with`` block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()
