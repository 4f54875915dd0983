# SPDX-License-Identifier: GPL-2.0-or-later
"""A snapshot and the disk: sectors that the guest wrote over a file are in it, the file itself is not.

The file must be the one that it was: known by its digest from a snapshot on disk, and from one in memory by
how often it was written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringscope.emulator.snapshot.contents import SnapshotError

if TYPE_CHECKING:
    from ringscope.emulator.devices.disk_image import DiskImage
    from ringscope.emulator.machine import Machine
    from ringscope.emulator.snapshot.contents import Snapshot


def read(disk: DiskImage | None) -> dict[str, int] | None:
    """Return what is checked of a disk."""
    return None if disk is None else {"sectors": disk.sectors, "written": disk.written}


def check(machine: Machine, snapshot: Snapshot) -> None:
    """Raise SnapshotError unless the machine has the disk that the snapshot goes on with."""
    saved, disk = snapshot.state["disk"], machine.disk
    if saved is None and disk is None:
        return
    if saved is None:
        raise SnapshotError("it was made without a disk, and this machine has one; leave it out")
    if disk is None:
        raise SnapshotError("it was made with a disk, and this machine has none; give the same one")
    if snapshot.made_by is machine:
        if saved["written"] != disk.written:
            raise SnapshotError(f"the guest has written to {disk.path} since, which cannot be undone")
    elif saved["sectors"] != disk.sectors or snapshot.disk not in (None, disk.digest()):
        raise SnapshotError(f"it was made with a disk that held something else than {disk.path} does")
