# SPDX-License-Identifier: GPL-2.0-or-later
"""Moments are found by the point that they lie before, and given up where the least is lost by it."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import pytest

from ringscope.emulator.debug.moments import PAGE_ENTRY_BYTES, Moment, Moments, Point

PAGE = 4096
ROOM = 6 * (PAGE + PAGE_ENTRY_BYTES)  # for six moments that share nothing


def moment(instructions, *, pinned=False, page=None):
    """A moment with one page of its own, or a shared one."""
    pages = {0: page or bytes([instructions % 251]) * PAGE}
    return Moment(Point(instructions, instructions, 0), SimpleNamespace(parts={}, pages=pages), pinned)


def kept(*instructions, room=ROOM, pinned=()):
    moments = Moments(moment(instructions[0]), room)
    for number in instructions[1:]:
        moments.add(moment(number, pinned=number in pinned))
    return moments


def numbers(moments):
    return [each.point.instructions for each in moments]


def test_moments_are_in_the_order_of_their_points_however_they_came():
    assert numbers(kept(0, 30, 10, 20)) == [0, 10, 20, 30]


def test_a_moment_takes_the_place_of_one_at_the_same_point():
    moments = kept(0, 10, 20)
    other = moment(10)
    moments.add(other)
    assert numbers(moments) == [0, 10, 20]
    assert other in moments


@pytest.mark.parametrize(("strictly", "found"), [(False, [20, 10, 0]), (True, [10, 0])])
def test_the_latest_before_a_point_comes_first(strictly, found):
    assert numbers(kept(0, 10, 20, 30).until(Point(20, 20, 0), strictly=strictly)) == found


def test_points_of_one_instruction_are_ordered_by_cycle_and_then_by_what_was_delivered():
    assert Point(1, 1, 0) < Point(1, 1, 1) < Point(1, 2, 0) < Point(2, 0, 0)


def test_a_run_leads_to_a_point_from_no_moment_before_a_change():
    moments = kept(0, 10, 20, 30, pinned={20})
    assert numbers(moments.leading_to(Point(35, 35, 0))) == [30, 20]
    assert numbers(moments.leading_to(Point(20, 20, 0))) == [20]
    assert numbers(moments.leading_to(Point(20, 20, 0), strictly=True)) == [10, 0]


def test_what_lies_behind_a_point_is_forgotten_but_never_the_beginning():
    moments = kept(5, 10, 20)
    moments.forget_after(Point(10, 10, 0))
    assert numbers(moments) == [5, 10]
    moments.forget_after(Point(0, 0, 0))
    assert numbers(moments) == [5]


def test_a_change_behind_a_point_is_forgotten_with_all_behind_it():
    moments = kept(0, 10, 20, 30, pinned={20})
    assert moments.forget_changes_after(Point(20, 20, 0)) is None
    assert moments.forget_changes_after(Point(15, 15, 0)).point.instructions == 20
    assert numbers(moments) == [0, 10]


def test_the_first_the_last_and_the_pinned_are_never_given_up():
    moments = kept(*range(0, 200, 10), pinned={70, 80})
    assert {0, 70, 80, 190} <= set(numbers(moments))
    assert moments.bytes <= ROOM


def test_moments_lie_farther_apart_the_longer_ago_they_are():
    found = numbers(kept(*range(0, 2000, 10)))
    gaps = [after - before for before, after in itertools.pairwise(found)]
    assert len(found) == 6
    assert gaps[0] > 4 * gaps[-1]


def test_a_page_that_moments_share_takes_room_once():
    page = bytes(PAGE)
    moments = Moments(moment(0, page=page), ROOM)
    for number in range(1, 20):
        moments.add(moment(number, page=page))
    assert moments.bytes == PAGE + 20 * PAGE_ENTRY_BYTES
