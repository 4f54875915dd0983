# SPDX-License-Identifier: GPL-2.0-or-later
"""Where everything was spent: all of it somewhere, to the last cycle and event, and nothing else changes."""

from __future__ import annotations

import functools
import itertools

import pytest

from ringscope.emulator.attribution.costs import columns, total
from ringscope.emulator.attribution.recorder import Recorder
from ringscope.emulator.snapshot import SnapshotError
from tests.machine import whole
from tests.machine.guests import free_run, image

#: Devices with interrupts, rewritten code, faults in string instructions, marks, 32- and 64-bit rings.
GUESTS = (
    "troublemaker", "exceptions", "page_fault", "self_modifying", "system_call", "two_spaces",
    "ledger_marks", "ledger_strings", "gates32",
    "aarch64/exceptions", "aarch64/page_fault", "aarch64/self_modifying", "aarch64/system_call",
    "aarch64/two_spaces", "aarch64/ledger_marks", "aarch64/ledger_copies",
)  # fmt: skip
#: A cycle of that guest with an operation done and another one open.
AMIDST = 12_811
#: Without models a block is booked in one way: it goes on, is cut, is rewritten, crosses or is marked.
FUNCTIONAL = (
    "troublemaker", "exceptions", "self_modifying", "system_call", "ledger_marks", "gates32",
    "aarch64/exceptions", "aarch64/system_call", "aarch64/ledger_copies",
)  # fmt: skip
RUNS = sorted([*itertools.product(GUESTS, ["timing"]), *itertools.product(FUNCTIONAL, ["functional"])])


@functools.cache
def attributed(name: str, fidelity: str):
    """A run's end with attribution, and what was attributed."""
    kept = []

    def way(observed):
        with Recorder(observed.machine.engine, observed.machine.mark_names) as recorder:
            result = whole.freely(observed)
            kept.append(recorder.read().read())
        return result

    return whole.run(image(name), way, fidelity), kept[0]


def words(books):
    """The books of both rings as a cost has them: counters, then cycles by cause."""
    sums = (map(sum, zip(*pair, strict=True)) for pair in _pairs(books))
    return tuple(itertools.chain.from_iterable(sums))


def _pairs(books):
    return (books.kernel, books.user), (books.kernel_cause, books.user_cause)


def ring_words(books, *, user):
    counters, causes = (pair[user] for pair in _pairs(books))
    return (sum(causes), *counters[1:], *causes)


@pytest.mark.parametrize(("name", "fidelity"), RUNS)
def test_attribution_changes_nothing_that_can_be_seen(name, fidelity) -> None:
    assert attributed(name, fidelity)[0] == free_run(name, fidelity)


@pytest.mark.parametrize("user", [False, True], ids=["kernel", "user"])
@pytest.mark.parametrize(("name", "fidelity"), RUNS)
def test_all_that_a_ring_was_booked_has_a_place_in_that_ring(name, fidelity, user) -> None:
    seen, where = attributed(name, fidelity)
    found = [cost for place, cost in where.costs.items() if where.places[place].user == user]
    nothing = (0,) * len(columns())
    assert total([nothing, *found]) == ring_words(seen.books, user=user)


@pytest.mark.parametrize(("name", "fidelity"), RUNS)
def test_all_that_an_operation_took_has_a_place_in_it(name, fidelity) -> None:
    seen, where = attributed(name, fidelity)
    found = {operation: total(costs.values()) for operation, costs in where.operations.items()}
    nothing = (0,) * len(columns())
    wanted = {
        entry.name: tuple(
            map(
                sum, zip(ring_words(entry.books, user=False), ring_words(entry.books, user=True), strict=True)
            )
        )
        for entry in seen.ledger
    }
    assert found == {name: cost for name, cost in wanted.items() if cost != nothing}


@pytest.mark.parametrize(("name", "fidelity"), RUNS)
def test_no_place_was_booked_less_than_nothing(name, fidelity) -> None:
    where = attributed(name, fidelity)[1]
    assert not {place: cost for place, cost in where.costs.items() if min(cost) < 0}


@pytest.fixture
def attributing():
    """A machine whose costs are attributed."""
    observed = whole.Observed(image("ledger_marks"))
    with Recorder(observed.machine.engine, {}):
        yield observed.machine
    observed.machine.engine.close()


def test_a_machine_whose_costs_are_attributed_is_not_saved(attributing) -> None:
    with pytest.raises(SnapshotError, match="attributed can be neither saved nor restored"):
        attributing.snapshot()


def test_a_machine_whose_costs_are_attributed_is_not_restored() -> None:
    observed = whole.Observed(image("ledger_marks"))
    saved = observed.machine.snapshot()
    with (
        Recorder(observed.machine.engine, {}),
        pytest.raises(SnapshotError, match="attributed can be neither saved nor restored"),
    ):
        observed.machine.restore(saved)
    observed.machine.engine.close()


def test_a_machine_whose_costs_were_attributed_is_saved_and_goes_on_the_same() -> None:
    observed = whole.Observed(image("ledger_marks"))
    machine = observed.machine
    with Recorder(machine.engine, machine.mark_names) as recorder:
        assert machine.run_until_cycle(AMIDST) is None
        assert recorder.read().operations
    after = whole.Watched(machine.config, observed._print)
    after.restore(machine.snapshot())
    machine.engine.close()
    while after.advance() is None:
        pass
    assert after.ledger() == attributed("ledger_marks", "timing")[0].ledger
    after.engine.close()
