# SPDX-License-Identifier: GPL-2.0-or-later
# ruff: noqa: S311 (points are random and seeded; nothing is secret)
"""A run handed from machine to machine by snapshots shows the same in every bit as one that was not.

Compared are counters and causes by ring, the ledger, the output, simulated time, the cycle of every interrupt
and the contents of memory. A machine that takes over has done nothing before.
"""

from __future__ import annotations

import dataclasses
import zlib
from random import Random
from typing import TYPE_CHECKING

import pytest

from ringscope.bootimage.bundled import bundled_image
from ringscope.emulator.machine import FIDELITIES, Machine, MachineConfig
from ringscope.emulator.snapshot import SnapshotError
from tests.machine import small_kernels, whole
from tests.machine.guests import free_run, image

if TYPE_CHECKING:
    from pathlib import Path

#: Rewritten code, faults, rings of every kind, each chip that interrupts, marks, copies, floating point.
GUESTS = (
    "troublemaker", "exceptions", "page_fault", "self_modifying", "system_call", "gates32", "process_context",
    "floating_point", "interrupt_shadow", "pit_timer", "local_apic", "io_apic", "serial_port",
    "segment_bases",
    "aarch64/exceptions", "aarch64/page_fault", "aarch64/self_modifying", "aarch64/system_call",
    "aarch64/process_context", "aarch64/single_step", "aarch64/interrupted_user", "aarch64/ledger_copies",
)  # fmt: skip
HANDOVERS = 12
MOST_STEPS = 9  # before a handover: most blocks are shorter, so that some are cut anywhere
BUNDLED_CYCLES = 20_000_000


def seen(observed: whole.Observed, machine: whole.Watched, end, interrupts) -> whole.Seen:
    return whole.Seen(
        end,
        bytes(observed.output),
        machine.books(),
        machine.ledger(),
        machine.engine.time,
        machine.engine.idle,
        machine.engine.lateness,
        interrupts,
        zlib.crc32(machine.engine.ram),
    )


def successor(observed: whole.Observed, machine: whole.Watched) -> whole.Watched:
    """Return a new machine that goes on where one stands, which is closed."""
    saved = machine.snapshot()
    machine.engine.close()
    after = whole.Watched(machine.config, observed._print)
    after.restore(saved)
    return after


def handed_on(name: str, fidelity: str, cycles: list[int], steps: list[int]) -> whole.Seen:
    observed = whole.Observed(image(name), fidelity)
    machine, end, interrupts = observed.machine, None, []
    for cycle, more in zip(cycles, steps, strict=True):
        end = machine.run_until_cycle(cycle)
        for _ in range(more):
            end = end or machine.step()
        if end is not None:
            break
        interrupts += machine.interrupts
        machine = successor(observed, machine)
    while end is None:
        end = machine.advance()
    result = seen(observed, machine, end, interrupts + machine.interrupts)
    machine.engine.close()
    return result


@pytest.mark.parametrize("fidelity", FIDELITIES)
@pytest.mark.parametrize("name", GUESTS)
def test_a_run_handed_on_at_any_instruction_ends_as_one_that_was_not(name: str, fidelity: str) -> None:
    whole_run, choose = free_run(name, fidelity), Random(name + fidelity)
    cycles = sorted(choose.randrange(whole_run.time) for _ in range(HANDOVERS))
    steps = [choose.randrange(MOST_STEPS) for _ in cycles]
    assert handed_on(name, fidelity, cycles, steps) == whole_run


@pytest.mark.parametrize("fidelity", FIDELITIES)
@pytest.mark.parametrize("name", ["troublemaker", "aarch64/ledger_copies"])
def test_a_run_handed_on_after_every_instruction_of_a_stretch_ends_as_one_that_was_not(
    name: str, fidelity: str
) -> None:
    whole_run = free_run(name, fidelity)
    cycles = [whole_run.time // 3] + [0] * 40
    assert handed_on(name, fidelity, cycles, [1] * len(cycles)) == whole_run


def bundled(arch: str, fidelity: str) -> whole.Observed:
    observed = whole.Observed(bundled_image(arch), fidelity)
    assert observed.machine.config.arch == arch
    return observed


@pytest.mark.parametrize("fidelity", FIDELITIES)
@pytest.mark.parametrize("arch", ["x86_64", "aarch64"])
def test_the_bundled_system_handed_on_is_where_it_would_have_been(arch: str, fidelity: str) -> None:
    alone = bundled(arch, fidelity)
    end = alone.machine.run_until_cycle(BUNDLED_CYCLES)
    expected = seen(alone, alone.machine, end, alone.interrupts)
    alone.machine.engine.close()
    observed = bundled(arch, fidelity)
    machine, interrupts, choose = observed.machine, [], Random(arch)
    for cycle in sorted(choose.randrange(expected.time) for _ in range(HANDOVERS)):
        assert machine.run_until_cycle(cycle) is None
        interrupts += machine.interrupts
        machine = successor(observed, machine)
    end = machine.run_until_cycle(BUNDLED_CYCLES)
    assert seen(observed, machine, end, interrupts + machine.interrupts) == expected
    assert expected.output
    machine.engine.close()


@pytest.mark.parametrize("name", ["pit_timer", "aarch64/interrupted_user"])
def test_a_machine_goes_back_and_does_the_same_again_but_prints_it_once(name: str) -> None:
    observed = whole.Observed(image(name))
    machine = observed.machine
    assert machine.run_until_cycle(free_run(name, "timing").time // 3) is None
    saved, taken = machine.snapshot(), len(machine.interrupts)
    first = seen(observed, machine, whole.freely(observed), list(machine.interrupts))
    del machine.interrupts[taken:]
    machine.restore(saved)
    assert seen(observed, machine, whole.freely(observed), list(machine.interrupts)) == first
    machine.engine.close()


def test_a_machine_that_went_back_foresees_branches_as_it_did_then(tmp_path: Path) -> None:
    """Wherever it was, it may have looked for the next branch by another history."""
    kernel, start, end = small_kernels.write("unforeseen", tmp_path), 20_000, 40_000
    alone, observed = whole.Observed(kernel), whole.Observed(kernel)
    assert alone.machine.run_until_cycle(end) is None
    machine = observed.machine
    for beyond in range(100, 140):
        machine.run_until_cycle(start)
        assert machine.step() is None  # in the middle of a block
        saved = machine.snapshot()
        machine.run_until_cycle(start + beyond)
        for _ in range(beyond % 7):
            machine.step()
        machine.restore(saved)
        start += 41
    machine.run_until_cycle(end)
    assert machine.books() == alone.machine.books()
    alone.machine.engine.close()
    machine.engine.close()


@pytest.mark.parametrize("name", ["floating_point", "aarch64/process_context"])
def test_a_restored_machine_is_the_very_one_that_was_saved(name: str) -> None:
    observed = whole.Observed(image(name))
    assert observed.machine.run_until_cycle(free_run(name, "timing").time // 2) is None
    saved = observed.machine.snapshot()
    observed.machine.engine.close()
    other = Machine(observed.machine.config, observed._print)
    other.restore(saved)
    assert other.snapshot() == saved
    other.engine.close()


def test_a_machine_restored_at_the_guest_s_end_is_at_its_end() -> None:
    observed = whole.Observed(image("system_call"))
    end = whole.freely(observed)
    machine = successor(observed, observed.machine)
    assert machine.advance() == end
    machine.engine.close()


def test_a_page_that_has_not_changed_since_the_snapshot_before_is_kept_once() -> None:
    observed = whole.Observed(image("system_call"))
    first = observed.machine.snapshot()
    observed.machine.run_until_cycle(100_000)
    second = observed.machine.snapshot(first)
    changed = [number for number, page in second.pages.items() if page is not first.pages.get(number)]
    assert 0 < len(changed) < len(second.pages)
    assert all(second.pages[number] != first.pages.get(number) for number in changed)
    observed.machine.engine.close()


OTHERS = {
    "64 MiB": ({"ram_bytes": 64 << 20}, "33554432 bytes of memory"),
    "functional": ({"fidelity": "functional"}, "fidelity timing"),
    "zen4": ({"cpu": "zen4"}, "profile skylake"),
    "arm": ({"arch": "aarch64"}, "architecture x86_64"),
}


@pytest.mark.parametrize("other", OTHERS)
def test_a_machine_of_another_configuration_refuses_a_snapshot_and_says_what_differs(other: str) -> None:
    observed = whole.Observed(image("system_call"))
    saved = observed.machine.snapshot()
    observed.machine.engine.close()
    changes, said = OTHERS[other]
    machine = Machine(MachineConfig(**dataclasses.asdict(observed.machine.config) | changes), lambda _: None)
    with pytest.raises(SnapshotError, match=said):
        machine.restore(saved)
    machine.engine.close()


@pytest.mark.parametrize("field", ["version", "profile", "core"])
def test_a_snapshot_of_another_build_is_refused(field: str) -> None:
    observed = whole.Observed(image("system_call"))
    saved = observed.machine.snapshot()
    older = dataclasses.replace(saved.configuration, **{field: "0.0.1"})
    with pytest.raises(SnapshotError, match="made"):
        observed.machine.restore(dataclasses.replace(saved, configuration=older))
    observed.machine.engine.close()
