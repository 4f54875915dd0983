# SPDX-License-Identifier: GPL-2.0-or-later
"""What an exception is called, from what the processor says of it: one line, as the manuals write it."""

from __future__ import annotations

from ringscope.emulator.debug import syndrome
from ringscope.emulator.debug.raised import EXCEPTION, Raised


def describe(arch: str, vector: int, code: int, address: int) -> str:
    """Return it by vector and error code on x86, by ESR_EL1 (``code``) on AArch64.

    ``address`` is the one that a fault of translation was about: CR2, FAR_EL1.
    """
    if arch == "x86_64":
        return str(Raised(EXCEPTION, vector, code, address))
    return syndrome.describe(code, address)
