# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line: parse it, call one command, say what went wrong in one sentence."""

from __future__ import annotations

import argparse
import errno
import io
import os
import re
import signal
import sys
import traceback
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

from ringscope.tools import endings
from ringscope.tools.host_signals import STATUS_BASE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

BAD_INPUT, INTERNAL_ERROR = 2, 125
#: Errors whose message is a sentence for the user, by module: what was not imported was not raised.
REFUSALS = (
    ("ringscope.tools.options", "UsageError"),
    ("ringscope.bootimage.types", "ImageError"),
    ("ringscope.emulator.machine", "ConfigError"),
    ("ringscope.emulator.timing.parameters", "ProfileError"),
    ("ringscope.emulator.devices.disk_image", "DiskImageError"),
    ("ringscope.emulator.devices.host_input", "InputLogError"),
    ("ringscope.emulator.native.library", "LibraryMissing"),
    ("ringscope.emulator.cpu.markers", "UnknownEngine"),
    ("ringscope.emulator.trace.recording", "RecordingError"),
    ("ringscope.emulator.snapshot", "SnapshotError"),
    ("ringscope.emulator.debug.probes", "PlaceError"),
)
#: What the host may run out of at any point.
HOST_LIMITS = {
    errno.ENOSPC: "the output cannot be written",
    errno.EDQUOT: "the output cannot be written",
    errno.EFBIG: "the output cannot be written",
    errno.EIO: "the output cannot be written",
    errno.ENOMEM: "this computer has too little memory free; give the guest less with -m",
}
LONG_OPTION = re.compile("-[A-Za-z]{3,}(=.*)?")
#: Where each command is. Only the one that is asked for is imported: a run begins that much sooner.
COMMANDS = {
    "boot": "ringscope.tools.boot",
    "stat": "ringscope.tools.stat",
    "ipc": "ringscope.tools.ipc",
    "trace": "ringscope.tools.trace",
    "record": "ringscope.tools.record",
    "report": "ringscope.tools.report",
    "annotate": "ringscope.tools.annotate",
    "debug": "ringscope.tools.debug.command",
    "compare": "ringscope.tools.compare",
    "image": "ringscope.tools.image",
    "cpu": "ringscope.tools.cpu",
}


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are one sentence and a hint, with status 2."""

    def __init__(self, **properties: Any) -> None:  # noqa: ANN401  handed on to argparse
        """Know QEMU's ``-help`` too."""
        super().__init__(**properties, add_help=False, allow_abbrev=False)
        self.add_argument("-h", "-help", "--help", action="help", help="show this")

    def parse_known_args(  # type: ignore[override]  # one signature of argparse's two
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Refuse QEMU's other options by their names: -smp is not -s with an argument."""
        for word in args or () if self._subparsers is None else ():
            if LONG_OPTION.fullmatch(word) and word.partition("=")[0] not in self._option_string_actions:
                self.error(self.unknown(word))
        return super().parse_known_args(args, namespace)

    def unknown(self, word: str) -> str:
        """Complain of an option, and name the one that has more dashes, or fewer."""
        bare = word.partition("=")[0].lstrip("-")
        meant = next((name for name in self._option_string_actions if name.lstrip("-") == bare), None)
        return f"unknown option {word}" + (f"; there is {meant}" if meant else "")

    def error(self, message: str) -> NoReturn:
        """Complain and exit."""
        print(f"ringscope: {message}\nTry '{self.prog} --help'.", file=sys.stderr)
        raise SystemExit(BAD_INPUT)


class Version(argparse.Action):
    """``--version``: what is installed, and the engine that it runs on."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Say so and exit."""
        from importlib import metadata  # noqa: PLC0415  it needs what reads e-mail, and nothing else here does

        try:
            here = metadata.version("ringscope")
        except metadata.PackageNotFoundError:
            here = "(a checkout that is not installed)"
        print(f"ringscope {here}, on unicorn {metadata.version('unicorn')}")
        parser.exit()


def parser(commands: Iterable[str] = COMMANDS) -> argparse.ArgumentParser:
    """Return the parser of the command line, with some of its commands."""
    top = Parser(
        prog="ringscope",
        description="An oscilloscope for protection rings: boot a system, see what it costs.",
        epilog=endings.ALL_STATUSES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", "-version", action=Version, nargs=0, help="show the version")
    subparsers = top.add_subparsers(metavar="COMMAND", required=True)
    for command in commands:
        import_module(COMMANDS[command]).register(subparsers)
    for name, sub in subparsers.choices.items():
        sub.set_defaults(command_name=name, command_parser=sub)
    return top


def parse(argv: list[str]) -> argparse.Namespace:
    """Return what the command line says. Exits with status 2 where it makes no sense."""
    whole = parser(argv[:1] if argv and argv[0] in COMMANDS else COMMANDS)
    arguments, extra = whole.parse_known_args(_joined(argv))
    if extra:
        unknown = next((word for word in extra if word.startswith("-")), None)
        complaint = (
            f"{extra[0]!r} is one argument too many"
            if unknown is None
            else arguments.command_parser.unknown(unknown)
        )
        whole.prog += f" {arguments.command_name}"
        whole.error(complaint)
    return arguments


def _joined(argv: list[str]) -> list[str]:
    """Join ``-append`` to what follows, which may look like an option: kernels' options often do."""
    words, joined = iter(argv), []
    for word in words:
        value = next(words, None) if word == "-append" else None
        joined.append(word if value is None else f"{word}={value}")
    return joined


def run(argv: list[str]) -> int:
    """Run a command line and return the exit status; lets only KeyboardInterrupt out."""
    _print_any_name()
    try:
        arguments = parse(argv)
        status = int(arguments.func(arguments))
        sys.stdout.flush()
    except SystemExit as end:
        return int(end.code or 0)
    except Exception as error:  # noqa: BLE001  whatever it is, the user gets a sentence
        return _explain(error)
    return status


def _print_any_name() -> None:
    """Have what the locale cannot say, such as bytes of a file's name, be printed as an escape."""
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")


def _explain(error: Exception) -> int:
    """Say on stderr what went wrong, and return the exit status."""
    if isinstance(error, BrokenPipeError):  # nobody reads any more, and that is no news
        _give_up_stdout()
        return STATUS_BASE + signal.SIGPIPE
    if isinstance(error, _refusals()):
        print(f"ringscope: {error}", file=sys.stderr)
        return BAD_INPUT
    if isinstance(error, MemoryError):
        error = OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
    if isinstance(error, OSError) and error.errno in HOST_LIMITS:
        _give_up_stdout()
        print(f"ringscope: {HOST_LIMITS[error.errno]}: {error.strerror}", file=sys.stderr)
        return BAD_INPUT
    if isinstance(error, OSError) and error.filename is not None and error.strerror is not None:
        print(f"ringscope: {os.fsdecode(error.filename)}: {error.strerror}", file=sys.stderr)
        return BAD_INPUT
    if os.environ.get("RINGSCOPE_DEBUG") == "1":
        traceback.print_exception(error)
    print(
        f"ringscope: internal error: {type(error).__name__}: {error}; this is a bug in ringscope: please "
        "report it with the command line and what RINGSCOPE_DEBUG=1 adds",
        file=sys.stderr,
    )
    return INTERNAL_ERROR


def _refusals() -> tuple[type[Exception], ...]:
    return tuple(getattr(sys.modules[module], name) for module, name in REFUSALS if module in sys.modules)


def _give_up_stdout() -> None:
    """Keep Python from failing again at its end, over what it could not print."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
