# SPDX-License-Identifier: GPL-2.0-or-later
"""Guests by name, and what they show when they run freely, once for all who hold other runs against it."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from ringscope.bootimage import BootRequest
from tests.guest import catalogue
from tests.machine import whole

if TYPE_CHECKING:
    from tests.machine.whole import Image


@functools.cache
def image(name: str) -> Image:
    """Build a guest of the catalogue; the troublemaker is made here (whole.py)."""
    if name == "troublemaker":
        return whole.troublemaker()
    program = catalogue.by_name(name)
    file = catalogue.build(program)
    return BootRequest(file, command_line=program.command_line) if program.command_line else file


@functools.cache
def free_run(name: str, fidelity: str = "timing") -> whole.Seen:
    """Return what a guest's run to its end shows."""
    return whole.run(image(name), whole.freely, fidelity)
