# SPDX-License-Identifier: GPL-2.0-or-later
"""What the kernel and its servers promise, claimed from inside (servers/selftest), on both machines."""

from __future__ import annotations

import pytest

from tests.guest import claims
from tests.guest.machines import MACHINES, need
from tests.guest.system import systems

#: QEMU's default model has none of the optional features, `max` has those that its emulation knows.
CPUS = ("qemu64", "max", "qemu64,-pge", "qemu64,+smep", "qemu64,+smep,+smap")


@pytest.mark.parametrize("machine", MACHINES)
def test_every_promise_is_kept(machine):
    need(MACHINES[machine])
    outcome = systems.outcome_of(machine, "selftest")
    assert not claims.complaints(machine, "selftest", "exit", outcome), outcome.text + outcome.complaint


def test_both_machines_print_the_same_lines():
    for machine in MACHINES.values():
        need(machine)
    said = [systems.outcome_of(machine, "selftest").lines for machine in MACHINES]
    assert said[0] == said[1]


@pytest.mark.parametrize("cpu", CPUS)
def test_every_promise_is_kept_whatever_the_processor_offers(cpu):
    need(MACHINES["qemu"])
    outcome = systems.outcome_of("qemu", "selftest", cpu)
    assert not claims.complaints("qemu", "selftest", "exit", outcome), outcome.text + outcome.complaint


def test_no_two_promises_have_one_name():
    need(MACHINES["qemu"])
    names = claims.read(systems.outcome_of("qemu", "selftest").lines).ok
    assert len(names) == len(set(names)) > 100


def test_the_frames_of_the_test_come_back():
    need(MACHINES["qemu"])
    lines = systems.outcome_of("qemu", "selftest").lines
    (balance,) = [line for line in lines if "frames taken" in line]
    words = balance.split()
    assert words[words.index("frames") - 1] == words[words.index("given") - 1]
