# SPDX-License-Identifier: GPL-2.0-or-later
"""A second thread that charges what the first executes changes nothing but how long a run takes."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.machine import small_kernels, whole
from tests.machine.guests import image
from tests.machine.test_short_cuts import GUESTS

if TYPE_CHECKING:
    from ringscope.emulator.machine import Exit


@pytest.fixture
def loop(tmp_path: Path) -> Path:
    return small_kernels.write("sum-of-random", tmp_path)


def threads() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


def with_charger(observed: whole.Observed) -> Exit:
    observed.machine.engine.allow_charger(True)
    return whole.freely(observed)


def without_charger(observed: whole.Observed) -> Exit:
    observed.machine.engine.allow_charger(False)
    return whole.freely(observed)


def by_stops(observed: whole.Observed) -> Exit:
    """With the thread, stopped again and again, so that it is caught with pages to do."""
    machine, result = observed.machine, None
    machine.engine.allow_charger(True)
    while result is None:
        result = machine.run_until_cycle(machine.engine.time + 77_777)
    return result


@pytest.mark.parametrize("name", GUESTS)
def test_a_guest_is_the_same_with_it(name: str) -> None:
    assert whole.run(image(name), with_charger) == whole.run(image(name), without_charger)


@pytest.mark.parametrize("way", [with_charger, by_stops])
def test_a_long_loop_is_the_same_with_it(loop: Path, way: whole.Way) -> None:
    assert whole.run(loop, way) == whole.run(loop, without_charger)


def test_it_comes_with_enough_to_do_and_goes_with_the_machine(loop: Path) -> None:
    observed = whole.Observed(loop)
    observed.machine.engine.allow_charger(True)
    assert not observed.machine.engine.has_charger
    whole.freely(observed)
    assert observed.machine.engine.has_charger
    gc.collect()  # machines of other tests, and what they have
    before = threads()
    observed.machine.engine.close()
    assert threads() == before - 1


def test_it_does_not_come_where_it_is_not_allowed(loop: Path) -> None:
    observed = whole.Observed(loop)
    without_charger(observed)
    assert not observed.machine.engine.has_charger
    observed.machine.engine.close()


def test_a_process_with_one_processor_has_none(loop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0})
    observed = whole.Observed(loop)
    whole.freely(observed)
    assert not observed.machine.engine.has_charger
    observed.machine.engine.close()


def test_a_machine_goes_on_in_a_process_that_was_forked(loop: Path) -> None:
    """There the thread is not, and is not waited for."""
    observed = whole.Observed(loop)
    machine = observed.machine
    machine.engine.allow_charger(True)
    assert machine.run_until_cycle(machine.engine.time + 1_000_000) is None
    assert machine.engine.has_charger
    child = os.fork()
    if child == 0:
        whole.freely(observed)
        os._exit(machine.books().total("instructions") % 251)
    whole.freely(observed)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == machine.books().total("instructions") % 251
    machine.engine.close()
