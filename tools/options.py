# SPDX-License-Identifier: GPL-2.0-or-later
"""The options that every command which boots a machine shares, after QEMU's, and what they mean together.

``add_boot_options`` declares them, ``BootOptions.of`` checks what one alone cannot show and returns the
frozen result. What is wrong is a ``UsageError`` or argparse's own, one sentence each.
"""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ringscope.bootimage import BootRequest, architecture_of, parse_initrd
from ringscope.bootimage.bundled import bundled_image
from ringscope.emulator import snapshot
from ringscope.emulator.debug.gdb.address import DEFAULT, Address, BadAddress, parse
from ringscope.emulator.machine import DEFAULT_CPU, FIDELITIES, MachineConfig

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ringscope.emulator.snapshot import Snapshot

MIB = 1 << 20
ARCHITECTURES = tuple(DEFAULT_CPU)
SERIAL = ("stdio", "none")
MEMORY_UNITS = {"K": 1 << 10, "": MIB, "M": MIB, "G": 1 << 30}  # a bare number is in MiB, as QEMU has it
CYCLE_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


class UsageError(Exception):
    """The options cannot be carried out; the message is one sentence for the user."""


class Once(argparse.Action):
    """An option with a value that may be given once."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        """Store the value; refuse a second one."""
        seen: set[str] = namespace.__dict__.setdefault("_seen", set())
        if self.dest in seen:
            parser.error(f"{option_string} is given twice; give it once")
        seen.add(self.dest)
        setattr(namespace, self.dest, values)


def memory_size(text: str) -> int:
    """Read QEMU's ``-m``: a number of MiB, or one with K, M or G. Returns bytes."""
    match = re.fullmatch(r"(\d{1,9})([KMG]?)", text.upper())
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size; write 64M, 2G, or a number of MiB")
    return int(match[1]) * MEMORY_UNITS[match[2]]


def cycle_count(text: str) -> int:
    """Read a number of cycles, at least 1, with an optional K, M, G or T (powers of 1000)."""
    match = re.fullmatch(r"(\d{1,18})([KMGT]?)", text.upper())
    cycles = int(match[1]) * CYCLE_UNITS[match[2]] if match is not None else 0
    if not 0 < cycles < 1 << 63:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of cycles; write 500000, 10M or 2G")
    return cycles


def file_path(text: str) -> Path:
    """Read a file's name."""
    if not text:
        raise argparse.ArgumentTypeError("an empty name is no file")
    return Path(text)


def some_text(text: str) -> str:
    """Read what must not be empty."""
    if not text:
        raise argparse.ArgumentTypeError("an empty name names nothing")
    return text


def serial_end(text: str) -> str:
    """Read where the serial port ends: one of SERIAL, or QEMU's ``null``, which is none."""
    word = "none" if text == "null" else text
    if word not in SERIAL:
        raise argparse.ArgumentTypeError(f"{text!r} is not one of {', '.join(SERIAL)}")
    return word


def gdb_address(text: str) -> Address:
    """Read where gdb may attach."""
    try:
        return parse(text)
    except BadAddress as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def one_of(choices: Sequence[str]) -> dict[str, Any]:
    """Return what makes an option take one of some words."""

    def word(text: str) -> str:
        if text not in choices:
            raise argparse.ArgumentTypeError(f"{text!r} is not one of {', '.join(choices)}")
        return text

    return {"type": word, "metavar": "|".join(choices)}


def add_boot_options(parser: argparse.ArgumentParser) -> None:
    """Declare what to boot, on which machine, with which consoles, and until when."""
    boot = parser.add_argument_group("what to boot")
    boot.add_argument(
        "image",
        metavar="IMAGE",
        nargs="?",
        type=file_path,
        help="a packed image, or a kernel: multiboot, arm64 Image, AArch64 ELF (default: the bundled system)",
    )
    once(boot, "-kernel", metavar="FILE", type=file_path, help="boot this kernel with -initrd's modules")
    once(boot, "-initrd", metavar="'FILE ARGS,...'", help="its modules; a doubled comma stands for itself")
    once(boot, "-append", metavar="LINE", help="the kernel's command line")

    machine = parser.add_argument_group("the machine")
    default_arch = f"default: what the file is for, or {ARCHITECTURES[0]}"
    once(machine, "--arch", **one_of(ARCHITECTURES), default=None, help=default_arch)
    once(
        machine,
        "-m",
        metavar="SIZE",
        dest="memory",
        type=memory_size,
        default=64 * MIB,
        help="memory, 2M to 3G; default: 64M",
    )
    once(
        machine,
        "--cpu",
        metavar="PROFILE",
        type=some_text,
        default=None,
        help="a profile's name (see 'ringscope cpu list') or its .toml file; default: "
        + ", ".join(f"{cpu} ({arch})" for arch, cpu in DEFAULT_CPU.items()),
    )
    once(
        machine,
        "--fidelity",
        **one_of(FIDELITIES),
        default=FIDELITIES[0],
        help="all models (the default), or none",
    )
    once(
        machine,
        "-hda",
        metavar="FILE",
        type=file_path,
        help="the disk; what the guest writes is forgotten",
    )
    machine.add_argument(
        "-snapshot", action="store_true", help="forget what the guest writes to the disk (the default)"
    )
    machine.add_argument("--disk-write", action="store_true", help="let the guest change the disk's file")

    console = parser.add_argument_group(
        "consoles and input", "At a terminal Ctrl-C ends the run: the guest cannot receive it."
    )
    once(
        console,
        "--serial",
        "-serial",
        type=serial_end,
        metavar="|".join(SERIAL),
        default=SERIAL[0],
        help="stdio: the serial port prints on stdout, and stdin is typed; none: neither. Default: stdio",
    )
    console.add_argument("-nographic", action="store_true", help="changes nothing: there are no graphics")
    once(console, "--replay", metavar="LOG", type=file_path, help="type what an input log says, when it says")
    once(
        console,
        "--log-input",
        metavar="FILE",
        type=file_path,
        help="log what is typed at a terminal here (default: a new file in ~/.local/state/ringscope)",
    )

    end = parser.add_argument_group("when to end")
    once(
        end,
        "--limit-cycles",
        metavar="N",
        type=cycle_count,
        help="end with status 124 at this cycle; 10M and 2G work",
    )
    once(end, "--exit-on", metavar="REGEX", help="end with status 0 once the guest's output matches")

    saved = parser.add_argument_group("snapshots")
    once(saved, "--from-snapshot", metavar="FILE", type=file_path, help="go on where a saved machine stood")
    once(
        saved,
        "--save-snapshot",
        metavar="FILE",
        type=file_path,
        help="save the machine here, at the end or --at-cycle",
    )
    once(saved, "--at-cycle", metavar="N", type=cycle_count, help="save at this simulated cycle, and go on")

    debug = parser.add_argument_group("debugging")
    debug.add_argument("-s", action="store_true", dest="gdb_default", help=argparse.SUPPRESS)
    debug.add_argument("-S", action="store_true", dest="gdb_frozen", help=argparse.SUPPRESS)
    once(
        debug,
        "--gdb",
        "-gdb",
        metavar=":PORT",
        type=gdb_address,
        help="let gdb attach; -s: at :1234, -S: wait for it",
    )


def add_json_option(group: argparse._ArgumentGroup) -> None:
    """Declare where the counters and the ledger go as JSON."""
    once(
        group, "--json", metavar="FILE", type=file_path, help="write counters and ledger as JSON; - is stdout"
    )


def once(
    group: argparse._ArgumentGroup,
    *names: str,
    **properties: Any,  # noqa: ANN401  handed on to argparse
) -> None:
    """Declare an option with a value that may be given once."""
    group.add_argument(*names, action=Once, **properties)


@dataclass(frozen=True)
class BootOptions:
    """One boot, checked: what to boot, on which machine, with which input, and until when (cycles)."""

    request: BootRequest
    machine: MachineConfig
    disk: Path | None = None
    disk_write: bool = False
    replay: Path | None = None
    log_input: Path | None = None
    limit: int | None = None
    exit_on: str | None = None
    start: Snapshot | None = None  # what to go on from, instead of booting
    save: Path | None = None
    save_at: int | None = None  # cycle; None: at the end
    gdb: Address | None = None
    frozen: bool = False

    @staticmethod
    def of(given: argparse.Namespace) -> BootOptions:
        """Check the options together. Raises UsageError, ConfigError, ImageError, SnapshotError."""
        _refuse_contradictions(given)
        start = None if given.from_snapshot is None else snapshot.load(given.from_snapshot)
        serial = given.serial == "stdio"
        if start is None:
            arch = _architecture(given)
            request = _request(given, arch)
            machine = MachineConfig(given.memory, given.cpu, given.fidelity, serial=serial, arch=arch)
        else:
            request = BootRequest(given.from_snapshot)
            machine = _configuration_of(start, given, serial=serial)
        return BootOptions(
            request=request,
            machine=machine,
            disk=given.hda,
            disk_write=given.disk_write,
            replay=given.replay,
            log_input=given.log_input,
            limit=given.limit_cycles,
            exit_on=given.exit_on,
            start=start,
            save=given.save_snapshot,
            save_at=given.at_cycle,
            gdb=gdb_address(DEFAULT) if given.gdb_default else given.gdb,
            frozen=given.gdb_frozen,
        )


def _architecture(given: argparse.Namespace) -> str:
    """Return the architecture asked for, or the one that the file to be booted is for."""
    kernel: Path | None = given.kernel or given.image
    found = architecture_of(kernel) if kernel is not None and kernel.is_file() else None
    if found is None:
        return str(given.arch or ARCHITECTURES[0])
    if given.arch not in (None, found):
        raise UsageError(f"{kernel}: a kernel for {found}, and --arch says {given.arch}; leave that out")
    return found


def _refuse_contradictions(given: argparse.Namespace) -> None:
    silent = given.serial == "none"
    booted = given.image or given.kernel or given.initrd is not None or given.append is not None
    start, save, save_at, limit = given.from_snapshot, given.save_snapshot, given.at_cycle, given.limit_cycles
    rules = (
        (start and booted, "--from-snapshot goes on with what was booted; leave out what to boot"),
        (save_at and not save, "--at-cycle says when to save; give --save-snapshot too"),
        (save_at and limit and save_at >= limit, "--at-cycle is not before --limit-cycles: it never comes"),
        (given.image and given.kernel, "IMAGE and -kernel name two things to boot; give one of them"),
        (
            given.initrd is not None and not given.kernel,
            "-initrd brings modules for a -kernel; give that too",
        ),
        (given.disk_write and given.snapshot, "-snapshot and --disk-write contradict each other; give one"),
        (given.disk_write and not given.hda, "--disk-write is about the disk of -hda; give that too"),
        (given.replay and given.log_input, "--replay types what a log says: there is no input to log"),
        (given.gdb_default and given.gdb, "-s and --gdb name two places for gdb; give one of them"),
        (
            given.save_snapshot and (given.gdb_default or given.gdb),
            "--save-snapshot saves a run that nobody stops, and gdb stops it; give one of them",
        ),
        (
            given.gdb_frozen and not (given.gdb_default or given.gdb),
            "-S waits for gdb, which cannot come; say where it may attach, by -s or --gdb",
        ),
        (given.replay and silent, "--replay types at the console, which --serial none takes away"),
        (given.log_input and silent, "--log-input logs what is typed, and --serial none takes no input"),
        (
            given.exit_on is not None and _matches_nothing(given.exit_on),
            f"--exit-on {given.exit_on!r} matches before anything is printed; give one that needs some text",
        ),
    )
    for is_broken, sentence in rules:
        if is_broken:
            raise UsageError(sentence)


def _configuration_of(start: Snapshot, given: argparse.Namespace, *, serial: bool) -> MachineConfig:
    """Return the machine that was saved, but for what is given anew: the snapshot itself refuses that."""
    was, said = start.configuration, given.__dict__.get("_seen", set())
    same_arch = given.arch in (None, was.arch)
    return MachineConfig(
        ram_bytes=given.memory if "memory" in said else was.ram_bytes,
        cpu=given.cpu or (was.cpu if same_arch else None),
        fidelity=given.fidelity if "fidelity" in said else was.fidelity,
        serial=serial,
        arch=given.arch or was.arch,
    )


def _matches_nothing(pattern: str) -> bool:
    """Return whether a regular expression matches the empty text; what is none is the machine's to refuse."""
    try:
        return re.search(pattern.encode(), b"") is not None
    except re.error:
        return False
    except UnicodeEncodeError as error:
        raise UsageError("--exit-on holds bytes that are not UTF-8; write them as \\xNN") from error


def _request(given: argparse.Namespace, arch: str) -> BootRequest:
    kernel = given.kernel or given.image or bundled_image(arch)
    return BootRequest(kernel, parse_initrd(given.initrd or ""), given.append or "")
