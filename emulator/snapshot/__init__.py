# SPDX-License-Identifier: GPL-2.0-or-later
"""Snapshots: a whole machine saved between two runs, and restored into the same or another one.

    saved = machine.snapshot()
    machine.restore(saved)

A restored machine goes on with the very counters, output and memory that it would have had without. A
``Snapshot`` holds registers by name, the state of every chip and of every model, and RAM in pages that
snapshots of one machine share where they are equal. What the engine and the core make of these by themselves
(translations, decoded blocks) is made again. ``file.py`` keeps one on disk.
"""

from ringscope.emulator.snapshot.contents import Configuration, Snapshot, SnapshotError
from ringscope.emulator.snapshot.file import check_writable, load, save
from ringscope.emulator.snapshot.machine_state import can_be_taken, restore, take

__all__ = [
    "Configuration",
    "Snapshot",
    "SnapshotError",
    "can_be_taken",
    "check_writable",
    "load",
    "restore",
    "save",
    "take",
]
