# SPDX-License-Identifier: GPL-2.0-or-later
"""Sums over places and ways made by hand: what each function spent, with and without those it called."""

from __future__ import annotations

import pytest

from ringscope.emulator.attribution.costs import ROOT, Attribution, Kind, Place, Way
from ringscope.emulator.attribution.names import THE_KERNEL, Function, Names
from ringscope.emulator.attribution.summary import Summary

#: Without symbols a page is a function.
MAIN, HELPER, HANDLER = 0x1000, 0x2000, 0x3000
SPACE = 0x9000
CALLED, RECURSED, CROSSED = 1, 2, 3
WAYS = (
    Way(0, 0, 0, 0, ROOT, Kind.CALL, user=False),
    Way(MAIN + 0x10, HELPER, SPACE, 5, ROOT, Kind.CALL, user=True),
    Way(HELPER + 0x10, HELPER, SPACE, 7, CALLED, Kind.CALL, user=True),
    Way(HELPER + 0x20, HANDLER, SPACE, 2, RECURSED, Kind.SYNCHRONOUS, user=True),
)
#: (place, cost), where a cost is of cycles and of one event.
SPENT = (
    (Place(SPACE, MAIN, ROOT, user=True), (100, 1)),
    (Place(SPACE, MAIN + 4, ROOT, user=True), (50, 0)),
    (Place(SPACE, HELPER, CALLED, user=True), (20, 3)),
    (Place(SPACE, HELPER, RECURSED, user=True), (8, 4)),
    (Place(SPACE, HANDLER, CROSSED, user=False), (1, 9)),
)


def function(page, *, user=True):
    return Function("server" if user else THE_KERNEL, f"[unknown] {page:#x}", page, user)


main, helper, handler = function(MAIN), function(HELPER), function(HANDLER, user=False)


@pytest.fixture
def names():
    return Names({SPACE: "server.elf"}, None, [], ())


@pytest.fixture
def summary(names):
    places = tuple(place for place, _ in SPENT)
    costs = {number: cost for number, (_, cost) in enumerate(SPENT)}
    return Summary(Attribution(places, WAYS, costs, {}), names)


def test_a_function_has_what_was_spent_in_it_on_every_way(summary):
    assert summary.functions == {main: (150, 1), helper: (28, 7), handler: (1, 9)}


def test_functions_come_by_cycles(summary):
    assert list(summary.functions) == [main, helper, handler]


def test_with_callees_a_function_has_each_cycle_once_however_often_it_is_on_the_way(summary):
    assert summary.inclusive == {main: 179, helper: 29, handler: 1}


def test_stacks_are_the_functions_of_the_way_and_the_last(summary):
    assert summary.stacks() == {
        (main,): (150, 1),
        (main, helper): (20, 3),
        (main, helper, helper): (8, 4),
        (main, helper, helper, handler): (1, 9),
    }


def test_passages_say_how_often_and_what_was_spent_beyond_them(summary):
    found = {(one.caller, one.callee, one.kind): passed for one, passed in summary.passages().items()}
    assert {key: (passed.count, tuple(passed.cost)) for key, passed in found.items()} == {
        (main, helper, Kind.CALL): (5, (29, 16)),
        (helper, helper, Kind.CALL): (7, (9, 13)),
        (helper, handler, Kind.SYNCHRONOUS): (2, (1, 9)),
    }


def test_a_passage_within_itself_counts_its_cost_once(names):
    deeper = (*WAYS[:3], Way(HELPER + 0x10, HELPER, SPACE, 1, RECURSED, Kind.CALL, user=True))
    places = (Place(SPACE, HELPER, 3, user=True),)
    found = Summary(Attribution(places, deeper, {0: (10, 0)}, {}), names).passages()
    recursion = next(passed for one, passed in found.items() if one.caller == one.callee)
    assert (recursion.count, recursion.cost) == (8, [10, 0])


def test_some_of_what_was_spent_can_be_summed_alone(names):
    places = tuple(place for place, _ in SPENT)
    attribution = Attribution(places, WAYS, {number: cost for number, (_, cost) in enumerate(SPENT)}, {})
    assert Summary(attribution, names, {2: (20, 3)}).functions == {helper: (20, 3)}


def test_a_process_is_called_by_its_program_or_its_root(names):
    assert (names.process(SPACE), names.process(0x77000)) == ("server", "space 0x77000")
