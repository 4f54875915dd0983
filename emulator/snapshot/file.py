# SPDX-License-Identifier: GPL-2.0-or-later
"""A snapshot as one file: a zip of a manifest, the state, the core's parts, RAM and what was booted.

    manifest.json   the format, the configuration, the cycle, the disk's digest, which pages of RAM follow
    state.json      registers, chips, events, input
    core/NAME       a part of the native core (native/state.c)
    ram             the pages of RAM that are not all zeroes, one after the other
    image.json, kernel, module/N   what was booted, without what it put into memory

It is written beside its place and moved there when it is whole, and equal machines give equal files.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import tempfile
import zipfile
import zlib
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ringscope.bootimage.files import refuse_devices
from ringscope.emulator.snapshot import image_part
from ringscope.emulator.snapshot.contents import (
    FORMAT,
    Configuration,
    Snapshot,
    SnapshotError,
    installed_version,
)
from ringscope.emulator.snapshot.ram_pages import PAGE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MANIFEST, STATE, RAM, CORE = "manifest.json", "state.json", "ram", "core/"
KIND = "ringscope snapshot"
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say
FAST = 1  # of zlib's levels


# ---- writing ----


def check_writable(path: Path) -> None:
    """Raise SnapshotError where a snapshot could not be written, before a long run."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(_said(path, "written"))
        stack.enter_context(tempfile.TemporaryFile(dir=_target(path).parent))


def _target(path: Path) -> Path:
    """Return the file that is replaced: what a link points to. Raise SnapshotError where it is no file."""
    target = path.resolve()
    if target.exists() and not target.is_file():
        raise SnapshotError(f"snapshot {path} cannot be written: there is something that is not a file")
    return target


def save(snapshot: Snapshot, path: Path) -> None:
    """Write a snapshot, at once after it was taken. Raises SnapshotError, and nothing half is left.

    Raises DiskImageError where the disk's file cannot be read.
    """
    machine = snapshot.made_by
    disk = snapshot.disk if machine is None or machine.disk is None else machine.disk.digest()
    with _said(path, "written"):
        target = _target(path)
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                _write(snapshot, file, disk)
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(0o666 & ~_umask())
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask


def _write(snapshot: Snapshot, file: Any, disk: str | None) -> None:  # noqa: ANN401  a file in bytes
    numbers = sorted(snapshot.pages)
    manifest = {
        "kind": KIND,
        "format": FORMAT,
        "configuration": snapshot.configuration.plain(),
        "cycle": snapshot.cycle,
        "disk": disk,
        "parts": list(snapshot.parts),
        "pages": [list(run) for run in _runs(numbers)],
    }
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=FAST) as archive:
        _add(archive, MANIFEST, json.dumps(manifest, indent=1).encode())
        _add(archive, STATE, json.dumps(snapshot.state, indent=1).encode())
        for name, data in snapshot.parts.items():
            _add(archive, CORE + name, data)
        for name, data in image_part.members(snapshot.image):
            _add(archive, name, data)
        with archive.open(_entry(RAM), "w", force_zip64=True) as ram:
            for number in numbers:
                ram.write(snapshot.pages[number])


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    archive.writestr(_entry(name), data, compresslevel=FAST)


def _runs(numbers: list[int]) -> Iterator[tuple[int, int]]:
    """Return (first, count) of each row of numbers that follow one another."""
    for _, row in itertools.groupby(enumerate(numbers), lambda pair: pair[1] - pair[0]):
        found = [number for _, number in row]
        yield found[0], len(found)


# ---- reading ----


def load(path: Path) -> Snapshot:
    """Read a snapshot. Raises SnapshotError where the file is none, is damaged or of another version."""
    with _said(path, "read"):
        try:
            refuse_devices(path)
            with path.open("rb") as file, zipfile.ZipFile(file) as archive:
                manifest = _manifest(path, archive)
                return _read(archive, manifest)
        except _DAMAGE as error:
            raise SnapshotError(f"snapshot {path} is damaged, or no snapshot at all") from error


#: What reading a file that is damaged or something else can end with.
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, EOFError, KeyError, IndexError, TypeError, ValueError, AttributeError,
    NotImplementedError, RuntimeError, MemoryError, OverflowError,
)  # fmt: skip


def _manifest(path: Path, archive: zipfile.ZipFile) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(archive.read(MANIFEST))
    if manifest["kind"] != KIND:
        raise ValueError(manifest["kind"])
    version, made = installed_version(), manifest["configuration"]["version"]
    if manifest["format"] != FORMAT or made != version:
        raise SnapshotError(
            f"snapshot {path} was made by ringscope {made}, and this is {version}; make it anew"
        )
    return manifest


def _read(archive: zipfile.ZipFile, manifest: Mapping[str, Any]) -> Snapshot:
    said = manifest["configuration"]
    configuration = Configuration(**{entry.name: said[entry.name] for entry in fields(Configuration)})
    pages: dict[int, bytes] = {}
    with archive.open(RAM) as ram:
        for first, count in manifest["pages"]:
            for number in range(first, first + count):
                pages[number] = ram.read(PAGE)
        if ram.read(1) or any(len(page) != PAGE for page in pages.values()):
            raise ValueError(RAM)
    return Snapshot(
        configuration,
        state=json.loads(archive.read(STATE)),
        parts={name: archive.read(CORE + name) for name in manifest["parts"]},
        pages=pages,
        image=image_part.read(archive),
        cycle=int(manifest["cycle"]),
        disk=manifest["disk"],
    )


@contextlib.contextmanager
def _said(path: Path, purpose: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SnapshotError(f"snapshot {path} cannot be {purpose}: {error.strerror or error}") from error
