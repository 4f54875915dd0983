# SPDX-License-Identifier: GPL-2.0-or-later
"""Stopping a machine leaves no trace in what it counts: a run with stops is the run without them."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from ringscope.emulator.debug.control import Control, Halt, Why
from tests.machine import whole
from tests.machine.controlled import Stopped
from tests.machine.guests import free_run, image

if TYPE_CHECKING:
    from ringscope.emulator.books import Books

FIDELITIES = ("timing", "functional")
GUESTS = (
    "troublemaker", "exceptions", "page_fault", "self_modifying", "system_call", "pit_timer",
    "aarch64/exceptions", "aarch64/page_fault", "aarch64/self_modifying", "aarch64/system_call",
)  # fmt: skip
EVERYWHERE = 1 << 62
STEPS = 2000


@pytest.mark.parametrize("fidelity", FIDELITIES)
@pytest.mark.parametrize("name", GUESTS)
def test_stopping_after_accesses_changes_nothing(name: str, fidelity: str) -> None:
    way = Stopped(lambda control: control.add_watchpoint(0, EVERYWHERE, read=True))
    assert whole.run(image(name), way, fidelity) == free_run(name, fidelity)
    assert len(way.halts) > 100
    assert {halt.why for halt in way.halts} == {Why.WATCHPOINT}


@pytest.mark.parametrize("fidelity", FIDELITIES)
@pytest.mark.parametrize("name", GUESTS)
def test_stopping_at_events_changes_nothing(name: str, fidelity: str) -> None:
    def prepare(control: Control) -> None:
        control.stop_on = ("crossing", "ipc", "space-switch", "page-fault", "interrupt")

    way = Stopped(prepare)
    assert whole.run(image(name), way, fidelity) == free_run(name, fidelity)
    assert {halt.why for halt in way.halts} <= {Why.EVENT}


@pytest.mark.parametrize("name", GUESTS)
def test_stopping_at_misses_changes_nothing(name: str) -> None:
    def prepare(control: Control) -> None:
        control.stop_on = ("miss",)

    way = Stopped(prepare)
    assert whole.run(image(name), way) == free_run(name, "timing")
    assert len(way.halts) > 10


@pytest.mark.parametrize("fidelity", FIDELITIES)
@pytest.mark.parametrize("name", GUESTS)
def test_stopping_at_instructions_changes_nothing_and_misses_none(name: str, fidelity: str) -> None:
    executed = whole.addresses_executed(image(name), 20_000)
    entry = next(iter(executed))
    chosen = sorted(pc for pc, times in executed.items() if times < 50 and pc != entry)[:60:3]
    way = Stopped(lambda control: [control.add_breakpoint(pc) for pc in chosen], most=10**6)
    assert whole.run(image(name), way, fidelity) == free_run(name, fidelity)
    assert {halt.pc for halt in way.halts} == set(chosen)


@pytest.mark.parametrize("fidelity", FIDELITIES)
@pytest.mark.parametrize("name", GUESTS)
def test_steps_short_runs_and_watching_in_turn_change_nothing(name: str, fidelity: str) -> None:
    turns = 0

    def go(control: Control) -> Halt:
        nonlocal turns
        turns += 1
        for place in control.watchpoints:
            control.remove(place)
        if turns % 4 > 1:
            control.add_watchpoint(0, EVERYWHERE, write=True)
        return control.step(1 + turns % 50) if turns % 2 else control.resume(control.cycle + 97 * turns)

    way = Stopped(lambda _: None, go, most=10**6)
    assert whole.run(image(name), way, fidelity) == free_run(name, fidelity)
    assert {Why.STEP, Why.CYCLE, Why.WATCHPOINT} <= {halt.why for halt in way.halts}


@pytest.mark.parametrize("fidelity", FIDELITIES)
@pytest.mark.parametrize("name", GUESTS)
def test_the_books_go_on_by_what_each_step_did_also_within_a_block(name: str, fidelity: str) -> None:
    seen: list[Books] = []
    charged: list[int] = []

    def go(control: Control) -> Halt:
        if len(seen) == STEPS:
            return control.resume()
        halt = control.step()
        seen.append(control.machine.books_here())
        charged.append(control.machine.books().total("cycles"))
        assert halt.instructions == seen[-1].total("instructions")
        return halt

    way = Stopped(lambda _: None, go, most=10**6)
    assert whole.run(image(name), way, fidelity) == free_run(name, fidelity)
    steps = list(itertools.pairwise(seen))
    assert {after.total("instructions") - before.total("instructions") for before, after in steps} <= {0, 1}
    spent = [after.total("cycles") - before.total("cycles") for before, after in steps]
    assert min(spent) >= 0
    within = [
        here
        for here, (before, after) in zip(spent, itertools.pairwise(charged), strict=True)
        if before == after
    ]
    assert sum(within) > 0
