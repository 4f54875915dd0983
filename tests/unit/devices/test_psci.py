# SPDX-License-Identifier: GPL-2.0-or-later
"""Firmware's calls against the Power State Coordination Interface 1.0 (ARM DEN 0022)."""

from __future__ import annotations

import pytest

from ringscope.emulator.platforms.psci import Psci

VERSION, SUSPEND, OFF, ON, INFO = (0x8400_0000 + index for index in range(5))
MIGRATE_TYPE, SYSTEM_OFF, SYSTEM_RESET, FEATURES = 0x8400_0006, 0x8400_0008, 0x8400_0009, 0x8400_000A
WIDE = 0x4000_0000
SUCCESS, NOT_SUPPORTED, INVALID, ALREADY_ON = 0, -1, -2, -4


@pytest.fixture
def heard():
    return []


@pytest.fixture
def psci(heard):
    return Psci(lambda source: heard.append(("off", source)), lambda source: heard.append(("reset", source)))


@pytest.mark.parametrize(
    ("function", "args", "result"),
    [
        (VERSION, (), 0x0001_0000),
        (ON, (0, 0x4000_0000, 0), ALREADY_ON),
        (ON | WIDE, (1, 0x4000_0000, 0), INVALID),
        (INFO, (0, 0), 0),
        (INFO | WIDE, (0x100, 0), INVALID),
        (INFO, (0, 1), INVALID),
        (MIGRATE_TYPE, (), 2),
        (SUSPEND, (0, 0, 0), SUCCESS),
        (SUSPEND | WIDE, (0x1_0000, 0, 0), INVALID),
        (FEATURES, (SYSTEM_OFF,), SUCCESS),
        (FEATURES, (ON | WIDE,), SUCCESS),
        (FEATURES, (SYSTEM_OFF | WIDE,), NOT_SUPPORTED),
        (FEATURES, (0x8400_0099,), NOT_SUPPORTED),
        (0x8400_0099, (), NOT_SUPPORTED),
        (VERSION | WIDE, (), NOT_SUPPORTED),
    ],
)
def test_a_call_answers_as_the_interface_says(psci, heard, function, args, result):
    assert psci.call(function, args) == result
    assert not heard


@pytest.mark.parametrize(
    ("function", "wish"),
    [
        (SYSTEM_OFF, ("off", "PSCI SYSTEM_OFF")),
        (SYSTEM_RESET, ("reset", "PSCI SYSTEM_RESET")),
        (OFF, ("off", "PSCI CPU_OFF")),
    ],
)
def test_a_call_that_ends_the_machine_says_which_it_was(psci, heard, function, wish):
    psci.call(function, ())
    assert heard == [wish]


def test_the_upper_half_of_the_register_names_no_other_function(psci):
    assert psci.call(0xFFFF_FFFF_8400_0000, ()) == 0x0001_0000
