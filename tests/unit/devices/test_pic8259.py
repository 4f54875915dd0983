# SPDX-License-Identifier: GPL-2.0-or-later
"""The 8259A against its data sheet, and its priorities against a slow model that sorts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringscope.emulator.devices.pic8259 import PicPair

MASTER, SLAVE, ELCR = 0x20, 0xA0, 0x4D0
EOI, SPECIFIC_EOI, READ_ISR, READ_IRR, POLL = 0x20, 0x60, 0x0B, 0x0A, 0x0C


def initialised(icw4=0x01, master_icw1=0x11):
    """A pair at vectors 0x20 and 0x28, nothing masked."""
    pair = PicPair(MASTER, SLAVE, ELCR, lambda: None)
    words = ((MASTER, master_icw1, 0x20, 0x04), (SLAVE, 0x11, 0x28, 0x02))
    for base, icw1, icw2, icw3 in words:
        pair.write_port(base, 1, icw1)
        for value in (icw2, icw3, icw4):
            pair.write_port(base + 1, 1, value)
    return pair


def pulse(pair, irq):
    pair.set_line(irq, False)
    pair.set_line(irq, True)


def end(pair, command=EOI, base=MASTER):
    pair.write_port(base, 1, command)


@pytest.fixture
def pair():
    return initialised()


def in_service(pair, base=MASTER):
    pair.write_port(base, 1, READ_ISR)
    return pair.read_port(base, 1)


def test_firmware_leaves_every_line_masked():
    pair = PicPair(MASTER, SLAVE, ELCR, lambda: None)
    pulse(pair, 1)
    assert not pair.interrupt
    assert pair.read_port(MASTER + 1, 1) == 0xFF


def test_initialisation_clears_the_mask(pair):
    assert pair.read_port(MASTER + 1, 1) == 0


@pytest.mark.parametrize(("irq", "vector"), [(0, 0x20), (7, 0x27), (8, 0x28), (15, 0x2F)])
def test_a_request_is_acknowledged_with_the_vector_of_its_line(pair, irq, vector):
    pulse(pair, irq)
    assert pair.interrupt
    assert pair.acknowledge() == vector


def test_a_request_of_the_slave_is_in_service_in_both_chips(pair):
    pulse(pair, 12)
    pair.acknowledge()
    assert in_service(pair) == 1 << 2
    assert in_service(pair, SLAVE) == 1 << 4


def test_the_line_in_service_blocks_itself_and_all_below_but_not_those_above(pair):
    pulse(pair, 3)
    pair.acknowledge()
    pulse(pair, 5)
    pulse(pair, 3)
    assert not pair.interrupt
    pulse(pair, 1)
    assert pair.acknowledge() == 0x21


def test_a_non_specific_end_clears_the_highest_line_in_service(pair):
    pulse(pair, 5)
    pair.acknowledge()
    pulse(pair, 1)
    pair.acknowledge()
    end(pair)
    assert in_service(pair) == 1 << 5


def test_a_specific_end_clears_the_line_it_names(pair):
    pulse(pair, 5)
    pair.acknowledge()
    pulse(pair, 1)
    pair.acknowledge()
    end(pair, SPECIFIC_EOI | 5)
    assert in_service(pair) == 1 << 1


def test_a_masked_request_waits_until_it_is_unmasked(pair):
    pair.write_port(MASTER + 1, 1, 0x02)
    pulse(pair, 1)
    assert not pair.interrupt
    pair.write_port(MASTER + 1, 1, 0)
    assert pair.interrupt


def test_an_edge_asks_once_however_long_the_line_stays_high(pair):
    pulse(pair, 4)
    pair.acknowledge()
    end(pair)
    assert not pair.interrupt


def test_a_level_asks_again_until_it_falls(pair):
    pair.write_port(ELCR, 1, 1 << 5)
    pair.set_line(5, True)
    pair.acknowledge()
    end(pair)
    assert pair.interrupt
    pair.set_line(5, False)
    assert not pair.interrupt


def test_the_lines_of_the_timer_the_keyboard_and_the_clock_stay_edge_triggered(pair):
    pair.write_port(ELCR, 1, 0xFF)
    pair.write_port(ELCR + 1, 1, 0xFF)
    assert (pair.read_port(ELCR, 1), pair.read_port(ELCR + 1, 1)) == (0xF8, 0xDE)


def test_a_request_withdrawn_before_the_acknowledge_gives_spurious_interrupt_7(pair):
    pulse(pair, 3)
    pair.set_line(3, False)
    assert pair.acknowledge() == 0x27
    assert in_service(pair) == 0


def test_in_automatic_end_mode_nothing_stays_in_service():
    pair = initialised(icw4=0x03)
    pulse(pair, 6)
    pair.acknowledge()
    assert in_service(pair) == 0


def test_rotation_on_end_makes_the_line_served_the_lowest(pair):
    pulse(pair, 3)
    pair.acknowledge()
    end(pair, 0xA0)
    for irq in (3, 4):
        pulse(pair, irq)
    assert pair.acknowledge() == 0x24


def test_set_priority_names_the_lowest_line(pair):
    end(pair, 0xC0 | 5)
    for irq in (0, 6):
        pulse(pair, irq)
    assert pair.acknowledge() == 0x26


def test_special_mask_mode_lets_lower_lines_through_a_masked_one_in_service(pair):
    pulse(pair, 1)
    pair.acknowledge()
    pulse(pair, 6)
    assert not pair.interrupt
    pair.write_port(MASTER + 1, 1, 0x02)
    pair.write_port(MASTER, 1, 0x68)
    assert pair.acknowledge() == 0x26


def test_a_poll_answers_with_the_line_and_takes_it_into_service(pair):
    pulse(pair, 4)
    pair.write_port(MASTER, 1, POLL)
    assert pair.read_port(MASTER, 1) == 0x84
    assert in_service(pair) == 1 << 4


def test_a_poll_with_no_request_answers_zero(pair):
    pair.write_port(MASTER, 1, POLL)
    assert pair.read_port(MASTER, 1) == 0


def test_special_fully_nested_mode_lets_a_higher_request_of_the_slave_through():
    pair = initialised(icw4=0x11)
    pulse(pair, 12)
    pair.acknowledge()
    pulse(pair, 9)
    assert pair.acknowledge() == 0x29


def test_without_it_the_slave_waits_for_the_masters_end(pair):
    pulse(pair, 12)
    pair.acknowledge()
    pulse(pair, 9)
    assert not pair.interrupt
    end(pair)
    assert pair.acknowledge() == 0x29


def test_two_requests_of_the_slave_come_one_after_the_other(pair):
    pulse(pair, 9)
    pulse(pair, 11)
    assert pair.acknowledge() == 0x29
    end(pair, base=SLAVE)
    end(pair)
    assert pair.acknowledge() == 0x2B


def test_a_line_high_since_before_initialisation_is_no_request():
    pair = PicPair(MASTER, SLAVE, ELCR, lambda: None)
    pair.set_line(1, True)
    for port, value in ((MASTER, 0x13), (MASTER + 1, 0x20), (MASTER + 1, 0x01)):
        pair.write_port(port, 1, value)
    assert not pair.interrupt


class SortingPic:
    """One chip as a list of inputs from the highest priority to the lowest."""

    def __init__(self):
        self.order = list(range(8))
        self.requests = set()
        self.serving = set()
        self.masked = set()

    def rotate(self, lowest):
        self.order = [(lowest + 1 + step) % 8 for step in range(8)]

    def next(self):
        ranks = {number: rank for rank, number in enumerate(self.order)}
        best = min((ranks[n] for n in self.requests - self.masked), default=99)
        blocked = min((ranks[n] for n in self.serving), default=99)
        return self.order[best] if best < blocked else None

    def acknowledge(self):
        number = self.next()
        self.requests.discard(number)
        self.serving.add(number)
        return number

    def end(self, rotate):
        ended = next((n for n in self.order if n in self.serving), None)
        self.serving.discard(ended)
        if rotate and ended is not None:
            self.rotate(ended)


LINES = [0, 1, 3, 4, 5, 6, 7]
STEPS = st.one_of(
    st.tuples(st.just("pulse"), st.sampled_from(LINES)),
    st.tuples(st.just("mask"), st.integers(0, 255)),
    st.tuples(st.just("acknowledge"), st.none()),
    st.tuples(st.just("end"), st.booleans()),
    st.tuples(st.just("specific"), st.sampled_from(LINES)),
    st.tuples(st.just("lowest"), st.integers(0, 7)),
)


@given(st.lists(STEPS, max_size=60))
def test_priorities_agree_with_a_model_that_sorts(steps):
    pair, model = initialised(), SortingPic()
    for step, argument in steps:
        match step:
            case "pulse":
                pulse(pair, argument)
                model.requests.add(argument)
            case "mask":
                pair.write_port(MASTER + 1, 1, argument)
                model.masked = {n for n in range(8) if argument >> n & 1}
            case "acknowledge":
                if model.next() is not None:
                    assert pair.acknowledge() == 0x20 + model.acknowledge()
            case "end":
                end(pair, 0xA0 if argument else EOI)
                model.end(argument)
            case "specific":
                end(pair, SPECIFIC_EOI | argument)
                model.serving.discard(argument)
            case "lowest":
                end(pair, 0xC0 | argument)
                model.rotate(argument)
        assert pair.interrupt == (model.next() is not None)
