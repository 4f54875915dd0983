# SPDX-License-Identifier: GPL-2.0-or-later
"""What a run was attributed, in a file that needs nothing else to be read.

It is a ZIP archive: ``head.json`` says of which run, the arrays are the core's own, and the programs that ran
are there as they were booted, so that names, lines and instructions can be told anywhere and later.
"""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ringscope.bootimage import elf
from ringscope.bootimage.files import refuse_devices
from ringscope.emulator.attribution import costs
from ringscope.emulator.attribution.costs import Attribution
from ringscope.emulator.trace.recording import RecordingError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ringscope.emulator.attribution.recorder import RawAttribution
    from ringscope.emulator.machine import Exit, Machine

FORMAT, VERSION = "ringscope-record", 1
HEAD, KERNEL = "head.json", "kernel.elf"
#: What a reader of a damaged archive may meet: NotImplementedError and RuntimeError for what ZIP has besides.
DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, struct.error, ValueError, LookupError, TypeError, EOFError),
    *(NotImplementedError, RuntimeError, OverflowError),
)


@dataclass(frozen=True)
class Head:
    """Of which run it is.

    ``columns`` are the words of a cost: counters, from number ``causes`` on cycles by cause; ``counters`` are
    those that the run had. ``totals`` is the books of the kernel's ring and the user's. ``operations`` are
    (name, how often); ``programs`` the program in each address space, None where it is unknown.
    """

    arch: str
    cpu: str
    what_if: str | None
    fidelity: str
    hz: int
    image: str
    reason: str
    status: int
    columns: tuple[str, ...]
    causes: int
    counters: tuple[str, ...]
    totals: tuple[tuple[int, ...], tuple[int, ...]]
    operations: tuple[tuple[str, int], ...]
    programs: Mapping[int, str | None]


@dataclass(frozen=True)
class Recording:
    """A run's attribution with all that is needed to tell it; ``modules`` are (name, ELF file)."""

    head: Head
    attribution: Attribution
    kernel: bytes | None = field(repr=False)
    modules: tuple[tuple[str, bytes], ...] = field(repr=False)


def head_of(machine: Machine, image: str, end: Exit, programs: Mapping[int, str | None]) -> Head:
    """Return the head for a machine's run."""
    books = machine.books()
    return Head(
        arch=machine.profile.arch,
        cpu=machine.profile.name,
        what_if=machine.profile.what_if,
        fidelity=machine.config.fidelity,
        hz=machine.profile.frequency_hz,
        image=image,
        reason=end.reason,
        status=end.status,
        columns=costs.columns(),
        causes=len(books.kernel),
        counters=tuple(machine.counters.names()),
        totals=(
            (sum(books.kernel_cause), *books.kernel[1:], *books.kernel_cause),
            (sum(books.user_cause), *books.user[1:], *books.user_cause),
        ),
        operations=tuple((entry.name, entry.count) for entry in machine.ledger() if entry.count),
        programs=programs,
    )


def write(
    head: Head, raw: RawAttribution, kernel: bytes | None, modules: Sequence[tuple[str, bytes]]
) -> bytes:
    """Return the file's content; of the modules those that are ELF files."""
    programs = [(name, data) for name, data in modules if elf.is_elf(data)]
    first: dict[str, Any] = {"format": FORMAT, "version": VERSION, **vars(head)}
    first["programs"] = [[root, name] for root, name in head.programs.items()]
    first["modules"] = [name for name, _ in programs]
    first["kept"] = list(raw.operations)
    parts = {HEAD: json.dumps(first).encode(), "places": raw.places, "ways": raw.ways, "costs": raw.costs}
    parts |= {f"operation-{number}": data for number, data in enumerate(raw.operations.values())}
    parts |= {f"module-{number}": data for number, (_, data) in enumerate(programs)}
    if kernel is not None:
        parts[KERNEL] = kernel
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, data in parts.items():
            archive.writestr(
                zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED
            )  # of no date: the same each time
    return content.getvalue()


def read(path: Path) -> Recording:
    """Read a file that ``write`` made. Raises RecordingError."""
    try:
        refuse_devices(path)
        with zipfile.ZipFile(path) as archive:
            return _read(path, archive)
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read: {error.strerror or error}") from error
    except DAMAGE as error:
        raise RecordingError(f"{path}: not a recording of ringscope record, or a damaged one") from error


def _read(path: Path, archive: zipfile.ZipFile) -> Recording:
    first = json.loads(archive.read(HEAD))
    if first["format"] != FORMAT:
        raise ValueError(first["format"])
    if first["version"] != VERSION:
        raise RecordingError(
            f"{path}: a recording of version {first['version']}, and this is version {VERSION}; "
            "record it again"
        )
    head = _head(first)
    words = len(head.columns)

    def cost_table(name: str) -> dict[int, costs.Cost]:
        return costs.read_costs(archive.read(name), words, head.causes)

    kept = {name: cost_table(f"operation-{number}") for number, name in enumerate(first["kept"])}
    attribution = Attribution(
        costs.read_places(archive.read("places")),
        costs.read_ways(archive.read("ways")),
        cost_table("costs"),
        kept,
    )
    modules = tuple(
        (str(name), archive.read(f"module-{number}")) for number, name in enumerate(first["modules"])
    )
    kernel = archive.read(KERNEL) if KERNEL in archive.namelist() else None
    return Recording(head, attribution, kernel, modules)


def _head(first: Mapping[str, Any]) -> Head:
    kernel, user = (tuple(map(int, words)) for words in first["totals"])
    return Head(
        arch=str(first["arch"]),
        cpu=str(first["cpu"]),
        what_if=first["what_if"],
        fidelity=str(first["fidelity"]),
        hz=int(first["hz"]),
        image=str(first["image"]),
        reason=str(first["reason"]),
        status=int(first["status"]),
        columns=tuple(map(str, first["columns"])),
        causes=int(first["causes"]),
        counters=tuple(map(str, first["counters"])),
        totals=(kernel, user),
        operations=tuple((str(name), int(count)) for name, count in first["operations"]),
        programs={int(root): name for root, name in first["programs"]},
    )
