# SPDX-License-Identifier: GPL-2.0-or-later
"""The machine. What other people's programs use of it is named here, and shown in API.md.

Names are found when they are first used: to import one part of the machine is not to import all.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ringscope.bootimage import ImageError
    from ringscope.emulator.debug.probes import PlaceError, Probe
    from ringscope.emulator.figures import Cost, Figures, Ledger
    from ringscope.emulator.machine import ConfigError, Exit, Machine, MachineConfig
    from ringscope.emulator.run import Run, boot

_HOME = {
    "ConfigError": "emulator.machine",
    "Cost": "emulator.figures",
    "Exit": "emulator.machine",
    "Figures": "emulator.figures",
    "ImageError": "bootimage",
    "Ledger": "emulator.figures",
    "Machine": "emulator.machine",
    "MachineConfig": "emulator.machine",
    "PlaceError": "emulator.debug.probes",
    "Probe": "emulator.debug.probes",
    "Run": "emulator.run",
    "boot": "emulator.run",
}

__all__ = [
    "ConfigError",
    "Cost",
    "Exit",
    "Figures",
    "ImageError",
    "Ledger",
    "Machine",
    "MachineConfig",
    "PlaceError",
    "Probe",
    "Run",
    "boot",
]


def __getattr__(name: str) -> object:
    """Return one of the names of ``__all__``."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"ringscope.{_HOME[name]}"), name)
