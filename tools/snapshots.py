# SPDX-License-Identifier: GPL-2.0-or-later
"""A session's snapshots: going on from one instead of booting, and saving one on the way or at the end."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

from ringscope.emulator import snapshot
from ringscope.emulator.snapshot import SnapshotError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringscope.bootimage import LoadedImage
    from ringscope.bootimage.arm64 import LoadedArm64
    from ringscope.emulator.machine import Exit, Machine
    from ringscope.tools.options import BootOptions

NEVER = 1 << 63  # a cycle


@contextlib.contextmanager
def _named(options: BootOptions) -> Iterator[None]:
    """Say which file cannot be gone on from."""
    try:
        yield
    except SnapshotError as error:
        raise SnapshotError(f"snapshot {options.request.kernel}: {error}") from error


def booted(machine: Machine, options: BootOptions) -> LoadedImage | LoadedArm64:
    """Load what the options boot, or return what was booted when their snapshot was made.

    Raises ImageError, and SnapshotError also where a snapshot is to be saved and could not be.
    """
    if options.save is not None:
        snapshot.check_writable(options.save)
    if options.start is None:
        image = machine.system.read_image(options.request)
        machine.load(image)
        return image
    with _named(options):
        if options.start.image is None:
            raise SnapshotError("nothing had been booted when it was made")
        return options.start.image


def go_on(machine: Machine, options: BootOptions) -> None:
    """Become what was saved, once the machine has its input. Raises SnapshotError."""
    if options.start is not None:
        with _named(options):
            machine.restore(options.start)


def run(machine: Machine, options: BootOptions) -> Exit:
    """Run to the end and save the machine where the options say. Raises SnapshotError."""
    if options.save is None:
        return machine.run(options.limit)
    until = next(cycle for cycle in (options.save_at, options.limit, NEVER) if cycle is not None)
    end = machine.run_until_cycle(until)
    if end is not None and options.save_at is not None:
        now = machine.engine.time
        print(
            f"ringscope: the run ended at cycle {now}, before --at-cycle {until}; the snapshot is of its end",
            file=sys.stderr,
        )
    snapshot.save(machine.snapshot(), options.save)
    if end is None:
        return machine.run(options.limit)
    machine.system.finish()
    return end
