# SPDX-License-Identifier: GPL-2.0-or-later
"""Syndromes taken apart by hand, as the manual's tables have them."""

from __future__ import annotations

import pytest

from ringscope.emulator.debug import syndrome

FAR = 0xDEAD0000


@pytest.mark.parametrize(
    ("esr", "words"),
    [
        (0x0200_0000, "undefined instruction"),  # class 0
        (0x5600_0007, "SVC"),  # class 0x15, SVC #7
        (0xF200_0001, "BRK"),  # class 0x3c, BRK #1
        (0x8A00_0000, "PC alignment fault for 0xdead0000"),  # class 0x22
        (0x8600_0000, "instruction abort (address size fault, level 0) for 0xdead0000"),  # class 0x21
        (0x9600_0044, "data abort (translation fault, level 0, write) for 0xdead0000"),  # class 0x25
        (0x9200_004F, "data abort (permission fault, level 3, write) for 0xdead0000"),  # class 0x24
        (0x9600_0009, "data abort (access flag fault, level 1) for 0xdead0000"),
        (0x9600_0010, "data abort (external abort) for 0xdead0000"),
        (0x9600_0410, "data abort (external abort)"),  # FnV: FAR_EL1 says nothing
        (0x9600_0021, "data abort (alignment) for 0xdead0000"),
        (0x9600_0030, "data abort (status 0x30) for 0xdead0000"),
        (0xFC00_0000, "exception class 0x3f"),
    ],
)
def test_a_syndrome_is_said_in_words(esr, words):
    assert syndrome.describe(esr, FAR) == words
