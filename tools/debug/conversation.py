# SPDX-License-Identifier: GPL-2.0-or-later
"""A whole session: the machine or the recording it is about, and the lines that are carried out in it."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import TYPE_CHECKING, Final

from ringscope.emulator.debug.control import Control
from ringscope.emulator.debug.history import History
from ringscope.emulator.debug.live import Live
from ringscope.emulator.debug.programs import Programs
from ringscope.emulator.debug.recorded import Recorded
from ringscope.emulator.devices.disk_image import DiskImage
from ringscope.emulator.devices.host_input import byte_interval
from ringscope.emulator.devices.replay_input import ReplayInput
from ringscope.emulator.devices.typed_input import TypedInput
from ringscope.emulator.machine import Machine
from ringscope.emulator.trace.recording import Recording
from ringscope.tools import snapshots
from ringscope.tools.debug import (
    backwards,
    breakpoints,
    guest_console,
    kernel,
    looking,
    memory,
    running,
    saving,
    translation,
    variables,
)
from ringscope.tools.debug import help as help_command
from ringscope.tools.debug.help import Leave
from ringscope.tools.debug.live_session import LiveSession
from ringscope.tools.debug.recorded_session import RecordedSession
from ringscope.tools.debug.reply import JsonPrinter, Printer, TextPrinter
from ringscope.tools.debug.shell import INTERRUPTED, Shell, at_terminal
from ringscope.tools.options import BootOptions, UsageError
from ringscope.tools.trace import names_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable
    from pathlib import Path

STDIN: Final = 0
REFUSED: Final = 2
#: The files whose functions are the commands.
GROUPS: Final = (
    *(running, backwards, breakpoints, looking, variables, memory, translation, kernel),
    *(guest_console, saving, help_command),
)


def converse(arguments: argparse.Namespace) -> int:
    """Hold a session as the command line asks for, and return the exit status."""
    options = BootOptions.of(arguments)
    _refuse_what_a_session_does_otherwise(options)
    script = _script(arguments)
    printer: Printer = JsonPrinter() if arguments.json else TextPrinter()
    with contextlib.ExitStack() as stack:
        if arguments.trace is not None:
            session: LiveSession | RecordedSession = _recorded(arguments.trace, options, printer)
        else:
            session = _live(options, printer, stack)
        try:
            return _converse(Shell(session), script)
        except KeyboardInterrupt:
            printer.finish()
            return INTERRUPTED


def _refuse_what_a_session_does_otherwise(options: BootOptions) -> None:
    if options.log_input is not None:
        raise UsageError(
            "--log-input logs what is typed to the guest, and here commands are typed; try --replay, "
            "or the command type"
        )
    if options.gdb is not None:
        raise UsageError("-s and --gdb let gdb steer the machine, and here commands do; try them with boot")
    if options.save is not None:
        raise UsageError(
            "--save-snapshot saves at a run's end or at a cycle; in a session the command save does"
        )


def _script(arguments: argparse.Namespace) -> list[str] | None:
    """Return the commands of the command line; None where it has none."""
    if arguments.script is None and not arguments.commands:
        return None
    lines = [] if arguments.script is None else _read(arguments.script)
    return lines + list(arguments.commands)


def _read(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UsageError(f"{path}: cannot be read: {reason}") from error


def _converse(shell: Shell, script: list[str] | None) -> int:
    """Carry out the script, then what comes at the terminal or through the pipe."""
    at_a_terminal = os.isatty(STDIN)
    try:
        if script is not None:
            shell.script(script, stop_at_refusal=True)
        elif not at_a_terminal:
            shell.script(_piped(), stop_at_refusal=False)
        if at_a_terminal:
            return at_terminal(shell)
    except Leave:
        pass
    return REFUSED if shell.refused else 0


def _piped() -> Iterable[str]:
    """Return the lines on standard input; what is no text in them is no command either."""
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
    return sys.stdin or ()


def _recorded(path: Path, options: BootOptions, printer: Printer) -> RecordedSession:
    recording = Recording(path)
    if not recording.length:
        raise UsageError(f"{path}: the recording has no events: there is nothing to go through")
    names, image = names_of(recording, options)
    programs = Programs(image.kernel_elf, [(module.name, module.data) for module in image.modules])
    session = RecordedSession(Recorded(recording, names), programs, printer)
    printer.reply("", session.stopped())
    return session


def _attach_input(machine: Machine, log: Path | None) -> None:
    """Have a log typed to the guest, or what the command ``type`` says."""
    hz = machine.profile.frequency_hz
    if log is not None:
        machine.attach_input(lambda board: ReplayInput(log, board.receiver, hz))
    else:
        machine.attach_input(lambda board: TypedInput(board.receiver, byte_interval(hz)))


def _live(options: BootOptions, printer: Printer, stack: contextlib.ExitStack) -> LiveSession:
    disk = None
    if options.disk is not None:
        disk = DiskImage(options.disk, writable=False)
        stack.callback(disk.close)
        print(
            f"ringscope: debugging does not write {options.disk}: the guest's writes are forgotten",
            file=sys.stderr,
        )
    machine = Machine(options.machine, printer.guest, disk)
    image = snapshots.booted(machine, options)
    if options.exit_on is not None:
        machine.exit_on(options.exit_on)
    _attach_input(machine, options.replay)
    snapshots.go_on(machine, options)
    control = Control(machine, options.limit)
    session = LiveSession(Live(machine, image, control), control, History(control), printer)
    printer.reply("", session.stopped(control.here()))
    return session
