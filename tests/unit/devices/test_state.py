# SPDX-License-Identifier: GPL-2.0-or-later
"""A chip's state is plain, and the way back gives the same; what the state cannot hold is refused."""

from __future__ import annotations

import json
from collections import deque
from datetime import UTC, datetime

import pytest

from ringscope.emulator.devices.ata_disk import Phase
from ringscope.emulator.devices.interfaces import Event, ExitKind, ExitRequest
from ringscope.emulator.devices.pl011 import Pl011
from ringscope.emulator.devices.state import Loader, Saver, Stateful, parts_of

VALUES = (
    None, True, 7, "text", b"\x00\xff", bytearray(b"abc"), [1, [2]], (1, "a"), deque([1, 2]),
    frozenset({"b", "a"}), {0x10: bytearray(b"x"), 0x20: 3}, datetime(2026, 11, 27, 4, 30, tzinfo=UTC),
    ExitRequest(ExitKind.POWER_OFF, 3, "PSCI"),
)  # fmt: skip


class Half(Stateful):
    __slots__ = ("value", "wire")
    STATE = ("value",)

    def __init__(self, value):
        self.value = value
        self.wire = object()


class Whole(Stateful):
    __slots__ = ("event", "halves", "name")
    STATE = ("event", "halves", "name")

    def __init__(self, name, *values):
        self.name = name
        self.event = None
        self.halves = tuple(Half(value) for value in values)


def through_json(value, before=None):
    return Loader({}).load(json.loads(json.dumps(Saver({}).save(value))), before)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_value_comes_back_through_json(value):
    assert through_json(value) == value
    assert type(through_json(value)) is type(value)


def test_one_of_an_enumeration_comes_back_as_one():
    assert through_json(Phase.OFFER, Phase.DONE) is Phase.OFFER


def test_a_part_is_changed_in_place_and_keeps_its_wires():
    saved, other = Whole("a", 1, 2), Whole("b", 3, 4)
    halves, wires = other.halves, [half.wire for half in other.halves]
    other.set_state(saved.state(Saver({})), Loader({}))
    assert other.name == "a"
    assert [half.value for half in other.halves] == [1, 2]
    assert all(now is before for now, before in zip(other.halves, halves, strict=True))
    assert [half.wire for half in other.halves] == wires


def test_a_pending_event_is_known_by_its_number_and_one_that_ran_is_held_as_such():
    chip, pending, gone = Whole("a"), Event(5, print), Event(4, print, pending=False)
    chip.event = pending
    saver = Saver({id(pending): 17})
    other, again = Whole("b"), Event(5, print)
    other.set_state(chip.state(saver), Loader({17: again}))
    assert other.event is again
    chip.event = gone
    other.set_state(chip.state(saver), Loader({}))
    assert other.event is not None
    assert not other.event.pending


def test_a_part_that_a_machine_does_not_have_is_refused():
    with pytest.raises(ValueError, match="does not have"):
        Loader({}).load(Saver({}).save(Half(1)), None)


def test_what_is_not_plain_is_refused():
    with pytest.raises(TypeError, match="cannot be part of a state"):
        Saver({}).save(object())


def test_parts_have_paths():
    assert [path for path, _ in parts_of(Whole("a", 1, 2), "top")] == ["top", "top.halves.0", "top.halves.1"]


def test_a_byte_on_the_wire_is_sent_once_by_the_chip_that_takes_over(make_clock, wire):
    """Half of a frame has passed; the other chip's clock has the rest of it."""
    clock, sent = make_clock(1_000_000), []
    chips = [
        Pl011(
            clock, 0x9000000, wire, lambda byte, n=n: sent.append((n, byte)), 24_000_000, programmed_rate=True
        )
        for n in range(2)
    ]
    chips[0].write_mmio(0, 1, ord("x"))
    ((cycle, number, event),) = clock.pending()
    state = chips[0].state(Saver({id(event): number}))
    taken_over = Event(cycle, chips[1]._end_frame)
    chips[1].set_state(state, Loader({number: taken_over}))
    clock.replace([(cycle, number, taken_over)], clock.asked)
    clock.run_to(cycle - 1)
    assert sent == []
    clock.run_to(cycle)
    assert sent == [(1, ord("x"))]
