# SPDX-License-Identifier: GPL-2.0-or-later
# ruff: noqa: S311 (the trace is random and seeded; nothing is secret)
"""The profiles of Arm cores in the native models: what their misses cost, worked out by hand."""

from __future__ import annotations

from random import Random

import pytest
from oracles.hierarchy import Hierarchy
from oracles.native import Probe

from ringscope.emulator.timing.native_config import fields
from ringscope.emulator.timing.profile import load


@pytest.fixture
def probe_of(library):
    """A function that builds the models of a core by its profile's name."""
    return lambda name: Probe(library, fields(load(name)), "aarch64")


@pytest.mark.parametrize(
    ("name", "cycles"),
    [
        ("cortex-a53", 144),  # 15 cycles and 110 ns at 1.2 GHz, less 3
        ("cortex-a57", 189),  # 20 cycles and 100 ns at 1.734 GHz, less 4
        ("cortex-a72", 166),  # 20 cycles and 100 ns at 1.5 GHz, less 4
    ],
)
def test_a_load_that_misses_the_last_of_two_levels_goes_to_memory(probe_of, name, cycles) -> None:
    probe = probe_of(name)
    probe.data(0x1000, 8, 0)
    assert probe.counters() == {
        "L1-dcache-loads": 1,
        "L1-dcache-load-misses": 1,
        "L2-loads": 1,
        "L2-load-misses": 1,
    }
    assert probe.causes() == {"d-miss": cycles}


@pytest.mark.parametrize(
    ("name", "ways", "sets", "cycles"),
    [("cortex-a53", 4, 128, 12), ("cortex-a57", 2, 256, 16), ("cortex-a72", 2, 256, 16)],
)
def test_a_line_that_left_l1_is_served_by_l2(probe_of, name, ways, sets, cycles) -> None:
    probe = probe_of(name)
    for line in range(ways + 1):  # all in one set
        probe.data(line * sets * 64, 8, 0)
    before = probe.causes()["d-miss"]
    probe.data(0, 8, 0)
    assert probe.counters()["L1-dcache-load-misses"] == ways + 2
    assert probe.counters()["L2-load-misses"] == ways + 1
    assert probe.causes()["d-miss"] - before == cycles  # L2's latency beyond L1's


@pytest.mark.parametrize("name", ["cortex-a53", "cortex-a57", "cortex-a72"])
def test_a_trace_larger_than_the_caches_equals_the_oracles(library, name) -> None:
    random, config = Random(1), fields(load(name))
    probe, oracle = Probe(library, config, "aarch64"), Hierarchy(config)
    for _ in range(20_000):
        paddr, size, write = random.randrange(8 << 20), random.choice((1, 4, 8, 16)), random.random() < 0.4
        probe.data(paddr, size, write)
        oracle.data(paddr, size, write=write)
        probe.fetch(paddr)
        oracle.fetch(paddr)
    assert probe.counters() == +oracle.counters
    assert probe.causes() == +oracle.causes
