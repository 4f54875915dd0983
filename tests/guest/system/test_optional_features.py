# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel uses what CPUID offers and nothing else, and keeps its promises whatever that is.

QEMU's emulation has no PCID (test_promises.py has what it has); here our machine keeps features to itself.
"""

from __future__ import annotations

import pytest

from ringscope.bootimage import BootRequest
from ringscope.emulator.cpu.x86_64 import cpuid
from ringscope.emulator.machine import Machine, MachineConfig
from tests.guest import claims
from tests.guest.system import systems

#: Where CPUID has each feature, and its bit of CR4 (Intel SDM volume 3A, 2.5); INVPCID needs none.
FEATURES = {
    "pge": (cpuid.LEAF_1_EDX, 1 << 7),
    "pcid": (cpuid.LEAF_1_ECX, 1 << 17),
    "invpcid": (cpuid.LEAF_7_EBX, 0),
    "smep": (cpuid.LEAF_7_EBX, 1 << 20),
    "smap": (cpuid.LEAF_7_EBX, 1 << 21),
}
WITHOUT = [(), ("invpcid",), ("pcid",), tuple(FEATURES)]


@pytest.fixture
def run_without(monkeypatch):
    """A function that runs the self-test on a processor without some features: claims, and CR4 at the end."""

    def run(names):
        for name in names:
            monkeypatch.delitem(FEATURES[name][0], name)
        printed = bytearray()
        machine = Machine(MachineConfig(64 << 20, fidelity="functional"), printed.extend)
        machine.load(machine.system.read_image(BootRequest(systems.image("selftest"))))
        result = machine.run(20_000_000_000)
        cr4 = machine.engine.register("cr4")
        machine.engine.close()
        assert (result.reason, result.status) == ("guest", 0), printed.decode()
        return claims.read(printed.decode().splitlines()), cr4

    return run


@pytest.mark.parametrize("names", WITHOUT, ids=lambda names: " ".join(names) or "none of them")
def test_without_a_feature_the_kernel_leaves_it_off_and_keeps_every_promise(names, run_without):
    said, cr4 = run_without(names)
    assert said.count == (len(said.ok), 0, 0)
    assert len(said.ok) > 100
    assert {name for name, (_, bit) in FEATURES.items() if bit & cr4} == set(FEATURES) - {"invpcid", *names}
