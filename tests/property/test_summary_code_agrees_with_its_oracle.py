# SPDX-License-Identifier: GPL-2.0-or-later
# ruff: noqa: S311 (summaries are random and seeded; nothing is secret)
"""Host code made of summaries against their definition: random, smallest, and too large for registers."""

from __future__ import annotations

from random import Random

import pytest
from oracles.pipeline import FRONT, RETIRED
from oracles.summary import HostCode, Result, Row, Summary

from ringscope.emulator.timing.micro_ops import REGISTERS, TEMPORARY, TIMES

MOST = 0xFFFF  # what a term or a result can add
#: Registers and slots below the stack pointer, less one to compute in and that of retirement.
PLACES = 8 + 16 - 2
ROUNDS = 20


@pytest.fixture
def code() -> HostCode:
    return HostCode()


def random_row(random: Random, latest: int = 1 << 40) -> Row:
    """Times that lie near one another, as those of a running machine do, or anywhere."""
    start = random.choice((0, latest))
    return [start + random.randrange(random.choice((1, 100, 2 * MOST))) for _ in range(TIMES)]


def random_plus(random: Random) -> int:
    return random.choice((0, 0, 80, 80, 160, 320, random.randrange(MOST + 1), MOST))


def random_summary(random: Random, forms: int, terms: int, results: int) -> Summary:
    """Results take the place of times that forms read, their own and others', forwards and backwards."""
    times = random.sample([t for t in range(TIMES) if t not in (RETIRED, TEMPORARY)], max(terms, results) + 2)
    made = [
        {start: random_plus(random) for start in random.sample(times, random.randrange(1, terms + 1))}
        for _ in range(forms)
    ]
    if random.random() < 0.9:
        made[0][RETIRED] = 0
    into = [
        Result(to, random.randrange(1, forms), random_plus(random), random.random() < 0.5)
        for to in random.sample(times, random.randrange(results + 1))
        if forms > 1
    ]
    return Summary(made, into)


def agrees(code: HostCode, summary: Summary, random: Random) -> None:
    move = code.make(summary)
    assert move
    for row in (random_row(random) for _ in range(ROUNDS)):
        assert move(row) == summary.move(row)


@pytest.mark.parametrize("seed", range(300))
def test_code_of_a_random_summary_moves_the_times_as_its_forms_say(seed: int, code: HostCode) -> None:
    random = Random(seed)
    size = random.choice((2, 5, 10))
    agrees(code, random_summary(random, random.randrange(1, size + 1), size, size), random)


@pytest.mark.parametrize("seed", range(60))
def test_forms_that_need_more_than_all_registers_wait_in_memory(seed: int, code: HostCode) -> None:
    """Each form reads every time that a result replaces, so that all results wait for the last form."""
    random = Random(seed)
    count = random.randrange(8, PLACES)
    times = list(range(REGISTERS, REGISTERS + count))
    forms = [{start: random_plus(random) for start in times} for _ in range(count + 1)]
    results = [Result(to, form, random_plus(random), True) for form, to in enumerate(times, 1)]
    agrees(code, Summary([{RETIRED: 0}, *forms[1:]], results), random)


@pytest.mark.parametrize("seed", range(10))
def test_forms_for_which_memory_does_not_suffice_either_become_no_code(seed: int, code: HostCode) -> None:
    random = Random(seed)
    times = list(range(REGISTERS, REGISTERS + PLACES + 3))
    forms = [{start: random_plus(random) for start in times} for _ in times]
    results = [Result(to, form, random_plus(random)) for form, to in enumerate(times, 1)]
    assert code.make(Summary([{RETIRED: 0}, *forms], results)) is None
    assert code.used == 0


@pytest.mark.parametrize("plus", [0, 1, MOST])
@pytest.mark.parametrize("add", [0, 1, MOST])
@pytest.mark.parametrize("time", [FRONT, REGISTERS, TIMES - 1])
def test_a_form_of_one_term_is_that_term(time: int, plus: int, add: int, code: HostCode) -> None:
    summary = Summary([{RETIRED: 0}, {time: plus}], [Result(TIMES - 2, 1, add, True)])
    row = [1000 + at for at in range(TIMES)]
    assert code.make(summary)(row)[TIMES - 2] == row[time] + plus + add


def test_without_results_a_block_retires_with_what_it_waited_for(code: HostCode) -> None:
    row = [100 * at for at in range(TIMES)]
    after = code.make(Summary([{RETIRED: 0, REGISTERS: 5, REGISTERS + 1: MOST}], []))(row)
    assert after == [row[0], 100 * (REGISTERS + 1) + MOST, *row[2:]]


def test_two_times_change_places(code: HostCode) -> None:
    a, b = REGISTERS, REGISTERS + 1
    summary = Summary([{RETIRED: 0}, {a: 0}, {b: 0}], [Result(b, 1, 7), Result(a, 2, 9)])
    row = [0] * TIMES
    row[a], row[b] = 100, 200
    after = code.make(summary)(row)
    assert (after[a], after[b]) == (209, 107)


def test_a_time_that_a_larger_constant_is_taken_from_may_be_the_smallest_there_is(code: HostCode) -> None:
    """The form is computed less what most of its terms add, which is more than the time at 0."""
    late = {REGISTERS + n: MOST for n in range(3)}
    summary = Summary([{RETIRED: 0}, {FRONT: 0, **late}], [Result(FRONT, 1, 0)])
    assert code.make(summary)([0] * TIMES)[FRONT] == MOST


# ---- the memory that code lies in ----

SMALL = Summary([{RETIRED: 0}, {FRONT: 0}], [Result(FRONT, 1, 80)])


def test_code_for_which_there_is_no_room_is_not_made(code: HostCode) -> None:
    code.make(SMALL)
    code.leave(16)
    before = code.used
    assert code.make(SMALL) is None
    assert code.used == before


def test_code_that_was_made_before_there_was_no_room_goes_on_working(code: HostCode) -> None:
    move = code.make(SMALL)
    code.leave(16)
    code.make(SMALL)
    assert move([5] * TIMES)[FRONT] == 85


def test_the_last_bytes_are_used(code: HostCode) -> None:
    code.make(SMALL)
    size = code.used
    code.leave(size + 16)
    assert code.make(SMALL)([5] * TIMES)[FRONT] == 85


def test_when_all_code_is_forgotten_its_room_is_used_again(code: HostCode) -> None:
    code.make(SMALL)
    size = code.used
    code.make(SMALL)
    code.forget()
    assert code.used == 0
    assert code.make(SMALL)([5] * TIMES)[FRONT] == 85
    assert code.used == size


def test_the_memory_is_executable_and_not_writable_when_code_is_in_it(code: HostCode) -> None:
    code.make(SMALL)
    with open("/proc/self/maps", encoding="utf-8") as maps:  # noqa: PTH123  no file on a disk
        at = {line.split()[0].partition("-")[0]: line.split()[1] for line in maps}
    assert at[f"{code.words[0]:x}"] == "r-xp"
