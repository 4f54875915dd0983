# SPDX-License-Identifier: GPL-2.0-or-later
"""The native models, built once, and configurations to build them from."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))  # tests/, for the oracles

from oracles.native import Probe, load_library

from ringscope.emulator.timing.native_config import fields
from ringscope.emulator.timing.profile import load

if TYPE_CHECKING:
    import ctypes
    from collections.abc import Callable


@pytest.fixture(scope="session")
def library() -> ctypes.CDLL:
    """The native models as a library of their own."""
    return load_library()


@pytest.fixture(scope="session")
def skylake() -> dict[str, int]:
    """The bundled profile's native configuration, by field."""
    return fields(load("skylake"))


@pytest.fixture
def probe(library: ctypes.CDLL, skylake: dict[str, int]) -> Callable[..., Probe]:
    """Build a probe from the bundled profile with some fields changed."""
    return lambda changes=None: Probe(library, skylake | (changes or {}))
