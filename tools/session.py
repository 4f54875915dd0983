# SPDX-License-Identifier: GPL-2.0-or-later
"""One run of a machine, from checked options to its end, with the host's consoles and signals attached."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ringscope.emulator.debug.gdb.address import Address, BadAddress, Listener
from ringscope.emulator.devices.disk_image import DiskImage
from ringscope.emulator.devices.host_input import PipedInput, TerminalInput, byte_interval
from ringscope.emulator.devices.replay_input import ReplayInput
from ringscope.emulator.machine import Exit, Machine
from ringscope.tools import snapshots
from ringscope.tools.console import ConsoleOutput
from ringscope.tools.host_signals import HostSignals
from ringscope.tools.input_log import KeptLog
from ringscope.tools.options import BootOptions, UsageError
from ringscope.tools.progress import Progress
from ringscope.tools.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringscope.bootimage import LoadedImage
    from ringscope.bootimage.arm64 import LoadedArm64
    from ringscope.emulator.devices.host_input import HostInput
    from ringscope.emulator.platforms.pc import Board
    from ringscope.emulator.platforms.virt import VirtBoard

    Image = LoadedImage | LoadedArm64
    Watch = Callable[[Machine, Image, contextlib.ExitStack], Callable[[], None]]

STDIN, STDOUT = 0, 1


@dataclass(frozen=True)
class Outcome:
    """A run that has ended, and the machine as it was left; ``host_seconds`` is real time."""

    machine: Machine
    image: LoadedImage | LoadedArm64
    exit: Exit
    host_seconds: float
    console: ConsoleOutput


def run(options: BootOptions, watch: Watch | None = None) -> Outcome:
    """Boot and run to the end. Raises what the options' files and values are refused with.

    ``watch`` is given the loaded machine and a stack for what must be undone at the end, and returns what it
    wants done between two slices of the guest.
    """
    console = ConsoleOutput(STDOUT)
    with contextlib.ExitStack() as stack:
        listener = None if options.gdb is None else _listen(options.gdb, stack)
        disk = _open_disk(options, stack)
        machine = Machine(options.machine, console.print, disk)
        if machine.engine.slow_because is not None:
            print(f"ringscope: slower than usual: {machine.engine.slow_because}", file=sys.stderr)
        image = snapshots.booted(machine, options)
        if options.exit_on is not None:
            machine.exit_on(options.exit_on)
        progress = Progress(machine, options.limit)
        if console.is_terminal:
            console.before_print = progress.erase
        signals = stack.enter_context(HostSignals(machine.interrupt))
        console.is_ending = signals.pending
        console.on_closed = lambda: signals.end(signal.SIGPIPE)
        _attach_input(machine, console, signals, options, stack)
        stack.callback(console.end_line)
        stack.callback(progress.erase)
        snapshots.go_on(machine, options)
        look = _nothing if watch is None else watch(machine, image, stack)

        def pause() -> None:
            look()
            _pause(console, progress)

        machine.on_slice = pause
        started = time.monotonic()
        if listener is None:
            end = snapshots.run(machine, options)
        else:
            end = _as_gdb_says(machine, image, listener, options)
        seconds = time.monotonic() - started
        console.flush()
        if end.reason == "interrupted" and signals.status is not None:
            end = replace(end, status=signals.status)
        return Outcome(machine, image, end, seconds, console)


def _listen(address: Address, stack: contextlib.ExitStack) -> Listener:
    try:
        listener = Listener(address)
    except BadAddress as error:
        raise UsageError(f"{error}; take another place") from error
    stack.callback(listener.close)
    print(f"ringscope: gdb may attach: target remote {listener.address}", file=sys.stderr, flush=True)
    return listener


def _as_gdb_says(machine: Machine, image: Image, listener: Listener, options: BootOptions) -> Exit:
    # Half of what a run without gdb would have to import.
    from ringscope.emulator.debug.gdb.server import Server  # noqa: PLC0415

    return Server(machine, image, listener, options.limit).run(frozen=options.frozen)


def _nothing() -> None:
    """Nobody watches."""


def _open_disk(options: BootOptions, stack: contextlib.ExitStack) -> DiskImage | None:
    if options.disk is None:
        return None
    disk = DiskImage(options.disk, writable=options.disk_write)
    stack.callback(disk.close)
    return disk


def _pause(console: ConsoleOutput, progress: Progress) -> None:
    """Do what the host does between two slices of the guest."""
    console.flush()
    progress.update(room=console.at_line_start or not console.is_terminal)


def _check_readable() -> None:
    try:
        os.read(STDIN, 0)
    except OSError as error:
        raise UsageError(
            f"standard input cannot be read: {error.strerror}; take it from /dev/null"
        ) from error


def _attach_input(
    machine: Machine,
    console: ConsoleOutput,
    signals: HostSignals,
    options: BootOptions,
    stack: contextlib.ExitStack,
) -> None:
    if not options.machine.serial:
        return
    hz = machine.profile.frequency_hz
    interval = byte_interval(hz)
    replay = options.replay
    if replay is not None:
        machine.attach_input(lambda board: ReplayInput(replay, board.receiver, hz))
        return
    _check_readable()
    if os.isatty(STDIN):
        log = stack.enter_context(KeptLog(options.log_input, hz))
        signals.suspend = stack.enter_context(Terminal(STDIN))

        def typed(board: Board | VirtBoard) -> HostInput:
            return TerminalInput(STDIN, board.receiver, interval, log)

        machine.attach_input(typed)
    elif options.log_input is not None:
        raise UsageError(
            "--log-input logs what is typed at a terminal, and standard input is none; "
            "what comes from a file or a pipe is the same in every run without a log"
        )
    else:

        def gives_up() -> bool:
            console.flush()
            return signals.pending()

        machine.attach_input(lambda board: PipedInput(STDIN, board.receiver, interval, gives_up))
