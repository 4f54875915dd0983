# SPDX-License-Identifier: GPL-2.0-or-later
"""Rigs for tests, and the name ``tests.machine`` for the modules they share."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.append(str(Path(__file__).resolve().parents[2]))

from tests.machine.arm_rig import ArmRig
from tests.machine.rig import Rig

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def make_rig() -> Iterator[Callable[..., Rig]]:
    """Build rigs that are closed when the test ends."""
    with ExitStack() as stack:

        def make(**options: object) -> Rig:
            rig = Rig(**options)
            stack.callback(rig.close)
            return rig

        yield make


@pytest.fixture
def rig(make_rig: Callable[..., Rig]) -> Rig:
    """A rig with all models on."""
    return make_rig()


@pytest.fixture
def make_arm() -> Iterator[Callable[..., ArmRig]]:
    """Build rigs of AArch64 that are closed when the test ends."""
    with ExitStack() as stack:

        def make(**options: object) -> ArmRig:
            rig = ArmRig(**options)
            stack.callback(rig.close)
            return rig

        yield make


@pytest.fixture
def arm(make_arm: Callable[..., ArmRig]) -> ArmRig:
    """An AArch64 rig with all models on."""
    return make_arm()
