# SPDX-License-Identifier: GPL-2.0-or-later
# ruff: noqa: S311 (choices are random and seeded; nothing is secret)
"""Two runs of one image show the same in every bit, in whatever way each of them was run.

Compared are all counters and causes by ring, the ledger, the output, simulated time, the cycle at which every
interrupt was acknowledged, and the contents of memory.
"""

from __future__ import annotations

import functools
from random import Random
from typing import TYPE_CHECKING

import pytest

from ringscope.tools.build.compiler import ROOT
from tests.machine import whole
from tests.machine.guests import free_run, image

if TYPE_CHECKING:
    from pathlib import Path

#: Devices with interrupts, rewritten code, faults, 32- and 64-bit rings.
GUESTS = (
    "troublemaker", "exceptions", "page_fault", "self_modifying", "system_call", "gates32", "pit_timer",
    "local_apic", "io_apic",
    "aarch64/exceptions", "aarch64/page_fault", "aarch64/self_modifying", "aarch64/system_call",
    "aarch64/process_context", "aarch64/single_step", "aarch64/interrupted_user", "aarch64/ledger_copies",
)  # fmt: skip
WITHOUT_A_CLOCK = (
    "exceptions", "page_fault", "self_modifying", "system_call", "two_spaces", "gates32",
    "aarch64/exceptions", "aarch64/page_fault", "aarch64/self_modifying", "aarch64/system_call",
    "aarch64/two_spaces",
)  # fmt: skip


@functools.cache
def some_addresses(name: str) -> list[int]:
    """At most 64 instructions that are executed, but not so often that stopping at each takes for ever."""
    executed = whole.addresses_executed(image(name), 30_000)
    rare = sorted(pc for pc, times in executed.items() if times < 300)
    return Random(name).sample(rare, min(64, len(rare) // 2))


def test_the_troublemaker_has_faults_interrupts_and_patched_code_in_string_instructions() -> None:
    seen = free_run("troublemaker")
    assert seen.output == b"123456789"
    assert seen.books.total("page-faults") == 9 * 8
    assert len(seen.interrupts) > 5
    assert seen.exit.status == sum(range(3, 12))  # the patched constant grows by one each round
    filled, patches = 9 * 8 * 512, 9
    compared = 5000 + 8 * 1  # all is equal in the first round, nothing later
    assert seen.books.counter("L1-dcache-stores")[1] == filled + patches
    assert seen.books.counter("L1-dcache-loads")[1] == 2 * compared + patches


@pytest.mark.parametrize("name", GUESTS)
def test_a_second_run_repeats_the_first(name: str) -> None:
    assert whole.run(image(name), whole.freely) == free_run(name)
    assert free_run(name).exit.reason == "guest"


@pytest.mark.parametrize("name", GUESTS)
def test_slices_change_nothing(name: str) -> None:
    assert whole.run(image(name), whole.in_slices(9973)) == free_run(name)


@pytest.mark.parametrize("name", GUESTS)
def test_stepping_changes_nothing(name: str) -> None:
    """Through all of it, or, where the guest waits too long for that, in a dozen places."""
    free = free_run(name)
    way = whole.stepped if free.instructions < 100_000 else whole.stepped_in_windows(4000, free.time // 12)
    assert whole.run(image(name), way) == free


@pytest.mark.parametrize("name", GUESTS)
def test_breakpoints_in_the_middle_of_blocks_change_nothing(name: str) -> None:
    hits: list[int] = []
    assert whole.run(image(name), whole.with_breakpoints(some_addresses(name), hits)) == free_run(name)
    assert set(hits) == set(some_addresses(name))


@pytest.mark.parametrize("name", GUESTS)
def test_interruptions_and_continuing_change_nothing(name: str) -> None:
    every = 3 if name == "troublemaker" else 50
    assert whole.run(image(name), whole.interrupted_at_output(every)) == free_run(name)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", GUESTS)
def test_any_mixture_of_ways_changes_nothing(name: str, seed: int) -> None:
    assert whole.run(image(name), whole.mixed(seed, some_addresses(name))) == free_run(name)


def test_being_stopped_at_whatever_moments_the_host_finds_changes_nothing() -> None:
    stops: list[int] = []
    for name in ("pit_timer", "self_modifying", "troublemaker", "aarch64/ledger_copies"):
        assert whole.run(image(name), whole.interrupted_by_another_thread(stops)) == free_run(name)
    assert stops


@pytest.mark.parametrize("name", WITHOUT_A_CLOCK)
def test_without_a_clock_the_guest_computes_the_same_with_the_models_and_without(name: str) -> None:
    timing, functional = free_run(name), free_run(name, "functional")
    assert functional.output == timing.output
    assert functional.ram == timing.ram
    assert functional.instructions == timing.instructions == functional.books.total("cycles")
    for counter in ("mode-switches", "address-space-switches", "page-faults", "interrupts"):
        assert functional.books.counter(counter) == timing.books.counter(counter)


@pytest.mark.parametrize("name", ["troublemaker", "self_modifying", "aarch64/self_modifying"])
def test_without_models_stepping_and_breakpoints_change_nothing_either(name: str) -> None:
    free = free_run(name, "functional")
    ways = (
        whole.stepped_in_windows(4000, free.time // 8),
        whole.with_breakpoints(some_addresses(name), []),
        whole.in_slices(997),
    )
    for number, way in enumerate(ways):
        assert whole.run(image(name), way, "functional") == free, number


# ---- the bundled systems: too long to be stepped through as a whole ----

WAYS = (
    "again",
    "in slices",
    "with breakpoints",
    "with other breakpoints",
    "interrupted",
    "stepped in places",
)


def system(arch: str) -> Path:
    return ROOT / "build" / "images" / arch / "default.img"


@functools.cache
def free_system(arch: str) -> whole.Seen:
    seen = whole.run(system(arch), whole.freely)
    assert (seen.exit.reason, seen.exit.status) == ("guest", 0)
    assert len(seen.ledger) >= 2
    assert seen.books.total("interrupts") > 0
    return seen


@functools.cache
def system_ways(arch: str) -> dict[str, whole.Way]:
    executed = whole.addresses_executed(system(arch), 30_000)
    rare = sorted(pc for pc, times in executed.items() if times < 300)
    chance = Random(2)
    ways = (
        whole.freely,
        whole.in_slices(10_007),
        whole.with_breakpoints(chance.sample(rare, 64), []),
        whole.with_breakpoints(chance.sample(rare, 64), []),
        whole.interrupted_at_output(25),
        whole.mixed(3, rare, steps=4000),
    )
    return dict(zip(WAYS, ways, strict=True))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("arch", ["x86_64", "aarch64"])
def test_a_bundled_system_runs_the_same_in_every_way(arch: str, way: str) -> None:
    assert whole.run(system(arch), system_ways(arch)[way]) == free_system(arch)
