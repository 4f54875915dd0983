# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel against a program that calls it with arguments drawn by lot."""

from __future__ import annotations

import re

import pytest

from tests.guest.machines import need
from tests.guest.system import systems
from tests.guest.system.systems import MACHINES

SERVERS = [("root", ""), ("pager", "name=pager serves=yes priority=20")]
RUNS = [
    *(("qemu", seed) for seed in (1, 2, 3)),
    ("ringscope", 4),
    *(("qemu-virt", seed) for seed in (5, 6)),
    ("ringscope-virt", 7),
]
BALANCE = re.compile(r"ended with status 0; (\d+) frames taken, (\d+) given back")


@pytest.mark.parametrize(("machine", "seed"), RUNS)
def test_the_kernel_survives_every_call_and_every_frame_comes_back(machine, seed, tmp_path):
    need(MACHINES[machine])
    plan = f"name=scrambler{seed} memory=64 quota=2"
    arch = systems.arch_of(machine)
    modules = [*SERVERS, ("console", systems.CONSOLE[arch]), ("scrambler", plan)]
    outcome = systems.run(machine, systems.image_of(modules, tmp_path, arch))
    found = BALANCE.search(outcome.text)
    assert found is not None, outcome.text + outcome.complaint
    assert found[1] == found[2]
    assert (outcome.ended, outcome.status) == ("exit", 0)
