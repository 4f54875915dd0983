# SPDX-License-Identifier: GPL-2.0-or-later
"""The rigs by the name of their architecture."""

from __future__ import annotations

from tests.machine.arm_rig import ArmRig
from tests.machine.rig import Rig

RIGS = {"x86_64": Rig, "aarch64": ArmRig}
