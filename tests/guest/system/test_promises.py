# SPDX-License-Identifier: GPL-2.0-or-later
"""What the kernel and its servers promise, claimed from inside (servers/selftest), on both machines."""

from __future__ import annotations

import re

import pytest

from ringscope.tools.build.compiler import ROOT
from tests.guest import claims
from tests.guest.machines import need
from tests.guest.system import systems
from tests.guest.system.systems import MACHINES

ATTEMPTS = ROOT / "servers" / "selftest" / "arch"

#: QEMU's default model has none of the optional features, `max` has those that its emulation knows.
CPUS = (
    *(("qemu", cpu) for cpu in ("qemu64", "max", "qemu64,-pge", "qemu64,+smep", "qemu64,+smep,+smap")),
    *(("qemu-virt", cpu) for cpu in ("cortex-a53", "cortex-a72", "max")),
)

#: The machines that have one board, by architecture.
BOARDS = {
    arch: [name for name in MACHINES if systems.arch_of(name) == arch] for arch in ("x86_64", "aarch64")
}


@pytest.mark.parametrize("machine", MACHINES)
def test_every_promise_is_kept(machine):
    need(MACHINES[machine])
    outcome = systems.outcome_of(machine, "selftest")
    assert not claims.complaints(machine, "selftest", "exit", outcome), outcome.text + outcome.complaint


@pytest.mark.parametrize(("arch", "machines"), BOARDS.items())
def test_every_machine_of_a_board_prints_the_same_lines(arch, machines):
    for machine in machines:
        need(MACHINES[machine])
    first = 1 if arch == "aarch64" else 0  # QEMU's virt has more memory, and the first line says how much
    said = [systems.outcome_of(machine, "selftest").lines[first:] for machine in machines]
    assert all(lines == said[0] for lines in said)


def attempts_of(arch):
    """What user mode attempts on this architecture."""
    return set(re.findall(r'FAULT_\w+\)?, "(.*)" }', (ATTEMPTS / arch / "attempts.h").read_text("utf-8")))


def test_both_architectures_keep_the_same_promises_but_for_what_only_one_has():
    for machine in ("qemu", "qemu-virt"):
        need(MACHINES[machine])
    kept = [
        set(claims.read(systems.outcome_of(machine, "selftest").lines).ok)
        for machine in ("qemu", "qemu-virt")
    ]
    assert len(kept[0] & kept[1]) > 100
    assert kept[0] ^ kept[1] <= attempts_of("x86_64") | attempts_of("aarch64")


@pytest.mark.parametrize(("machine", "cpu"), CPUS)
def test_every_promise_is_kept_whatever_the_processor_offers(machine, cpu):
    need(MACHINES[machine])
    outcome = systems.outcome_of(machine, "selftest", cpu)
    assert not claims.complaints(machine, "selftest", "exit", outcome), outcome.text + outcome.complaint


@pytest.mark.parametrize("machine", ["qemu", "qemu-virt"])
def test_no_two_promises_have_one_name(machine):
    need(MACHINES[machine])
    names = claims.read(systems.outcome_of(machine, "selftest").lines).ok
    assert len(names) == len(set(names)) > 100


@pytest.mark.parametrize("machine", ["qemu", "qemu-virt"])
def test_the_frames_of_the_test_come_back(machine):
    need(MACHINES[machine])
    lines = systems.outcome_of(machine, "selftest").lines
    (balance,) = [line for line in lines if "frames taken" in line]
    words = balance.split()
    assert words[words.index("frames") - 1] == words[words.index("given") - 1]
