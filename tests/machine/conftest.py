# SPDX-License-Identifier: GPL-2.0-or-later
"""Rigs for tests, and the name ``tests.machine`` for the modules they share."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.append(str(Path(__file__).resolve().parents[2]))

from ringscope.emulator.debug.control import Control
from tests.machine import whole
from tests.machine.debugged import answer, session
from tests.machine.recorded import Recorded, record
from tests.machine.rigs import RIGS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ringscope.bootimage import LoadedArm64, LoadedImage
    from tests.machine.arm_rig import ArmRig
    from tests.machine.processor import Processor
    from tests.machine.rig import Rig


@pytest.fixture(scope="session", params=["x86_64", "aarch64"])
def recorded(request: pytest.FixtureRequest, once: Callable[..., Path]) -> Recorded:
    """The bundled system's recording, once per architecture."""
    return Recorded(once(f"recorded-{request.param}", lambda folder: record(folder, request.param)))


@pytest.fixture(scope="session")
def in_client(once: Callable[..., Path]) -> Callable[..., list[dict[str, object]]]:
    """Debug the bundled system of an architecture from the first instruction of the client's program_main.

    It goes on from a snapshot, taken once: what comes before is not booted again for each session.
    """

    def go_on(*commands: str, arch: str) -> list[dict[str, object]]:
        def save(folder: Path) -> None:
            command = f"save {folder / 'snapshot'}"
            answer(session("run-to client:program_main", command, arch=arch), command)

        snapshot = once(f"in-client-{arch}", save) / "snapshot"
        return session(*commands, arch=arch, options=["--from-snapshot", snapshot])

    return go_on


@pytest.fixture
def make() -> Iterator[Callable[..., Processor]]:
    """Build rigs, of the architecture given first, that are closed when the test ends."""
    with ExitStack() as stack:

        def make(arch: str, **options: object) -> Processor:
            rig = RIGS[arch](**options)
            stack.callback(rig.close)
            return rig

        yield make


@pytest.fixture
def make_rig(make: Callable[..., Processor]) -> Callable[..., Rig]:
    """Build x86 rigs."""
    return partial(make, "x86_64")


@pytest.fixture
def rig(make_rig: Callable[..., Rig]) -> Rig:
    """An x86 rig with all models on."""
    return make_rig()


@pytest.fixture
def make_arm(make: Callable[..., Processor]) -> Callable[..., ArmRig]:
    """Build rigs of AArch64."""
    return partial(make, "aarch64")


@pytest.fixture
def arm(make_arm: Callable[..., ArmRig]) -> ArmRig:
    """An AArch64 rig with all models on."""
    return make_arm()


@pytest.fixture(params=RIGS)
def make_either(make: Callable[..., Processor], request: pytest.FixtureRequest) -> Callable[..., Processor]:
    """Build rigs of one architecture, then of the other."""
    return partial(make, request.param)


@pytest.fixture
def either(make_either: Callable[..., Processor]) -> Processor:
    """A rig with all models on, of one architecture, then of the other."""
    return make_either()


@pytest.fixture
def make_control() -> Iterator[Callable[..., Control]]:
    """Make a Control of a machine with an image loaded; the machines are closed when the test ends."""
    with ExitStack() as stack:

        def make(
            image: Path | LoadedImage | LoadedArm64, fidelity: str = "timing", limit: int | None = None
        ) -> Control:
            machine = whole.Observed(image, fidelity).machine
            stack.callback(machine.engine.close)
            return Control(machine, limit)

        yield make
