# SPDX-License-Identifier: GPL-2.0-or-later
"""What a snapshot holds, and for which machine it is good."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ringscope.bootimage import LoadedImage
    from ringscope.bootimage.arm64 import LoadedArm64
    from ringscope.emulator.machine import Machine
    from ringscope.emulator.timing.profile import Profile

#: Changed with anything that a snapshot says or how it says it.
FORMAT = 1
#: Parts of the core that come and go while it runs.
GROWING = ("ledger.entry[", "ledger.aside[")


#: Of a profile: what is said about its values.
NOT_VALUES = {"description", "sources"}


def installed_version() -> str:
    """Return the version of ringscope that is running."""
    from importlib import metadata  # noqa: PLC0415  it brings what reads e-mail; a run without snapshots does not

    return metadata.version("ringscope")


class SnapshotError(Exception):
    """A snapshot cannot be made, read or restored; the message is one sentence for the user."""


@dataclass(frozen=True)
class Configuration:
    """What must be the same of two machines, so that one can go on where the other one stopped.

    ``core`` stands for what the native core keeps, by name and size; ``profile`` for all values of the
    processor's profile.
    """

    version: str
    arch: str
    ram_bytes: int
    fidelity: str
    cpu: str
    profile: str
    core: str

    @staticmethod
    def of(machine: Machine, parts: dict[str, bytes]) -> Configuration:
        """Return a machine's, of whose core these are the parts."""
        config = machine.config
        sizes = sorted((name, len(data)) for name, data in parts.items() if not name.startswith(GROWING))
        return Configuration(
            version=installed_version(),
            arch=config.arch,
            ram_bytes=config.ram_bytes,
            fidelity=config.fidelity,
            cpu=machine.profile.name,
            profile=_digest(machine.profile),
            core=hashlib.sha256(json.dumps([FORMAT, sizes]).encode()).hexdigest(),
        )

    def refuse_unless(self, other: Configuration) -> None:
        """Raise SnapshotError unless ``other``, the machine that is to be restored, is the same."""
        said = {
            "version": "ringscope {}",
            "arch": "architecture {}",
            "ram_bytes": "{} bytes of memory",
            "fidelity": "fidelity {}",
            "cpu": "profile {}",
        }
        for entry in fields(self):
            mine, theirs = getattr(self, entry.name), getattr(other, entry.name)
            if mine == theirs:
                continue
            if entry.name in said:
                saved, present = said[entry.name].format(mine), said[entry.name].format(theirs)
                raise SnapshotError(f"it was made with {saved}, and this machine has {present}")
            raise SnapshotError(
                f"it was made with other values in profile {self.cpu} than it has now"
                if entry.name == "profile"
                else "it was made by another build of ringscope, whose core keeps other things"
            )

    def plain(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return asdict(self)


@dataclass(frozen=True)
class Snapshot:
    """One machine between two runs.

    ``state`` is plain (as JSON has it): registers, chips, events, input, the block being executed. ``parts``
    are the core's, by name. ``pages`` are those of RAM that are not all zeroes, by number. ``image`` is
    what was booted, for its symbols.
    """

    configuration: Configuration
    state: dict[str, Any]
    parts: dict[str, bytes]
    pages: dict[int, bytes]
    image: LoadedImage | LoadedArm64 | None
    cycle: int
    disk: str | None = None  # the digest of the disk's file, once it is on disk itself
    made_by: Machine | None = field(default=None, compare=False)  # while it is in memory


def _digest(profile: Profile) -> str:
    """Return what stands for all values of a profile."""
    said = [getattr(profile, entry.name) for entry in fields(profile) if entry.name not in NOT_VALUES]
    plain = [sorted(value.items()) if isinstance(value, Mapping) else value for value in said]
    return hashlib.sha256(repr(plain).encode()).hexdigest()
