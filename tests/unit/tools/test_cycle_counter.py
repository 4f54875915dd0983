# SPDX-License-Identifier: GPL-2.0-or-later
"""The host's counters: the core's where there is one, and what else tells cycles."""

from __future__ import annotations

import pytest

from ringscope.tools.validation.cycle_counter import SOFTWARE, TASK_CLOCK, Counter, NoCounter
from ringscope.tools.validation.host import Programs, by_counter, by_ticks
from ringscope.tools.validation.suite import CASES, build

NO_SUCH_EVENT = 9999


def counted(kind: int, event: int) -> Counter:
    try:
        return Counter(kind, event)
    except NoCounter as reason:
        pytest.skip(f"this kernel lends no counter: {reason}")


def test_a_counter_goes_on_with_what_the_process_does() -> None:
    counter = counted(SOFTWARE, TASK_CLOCK)
    first = counter.read()
    sum(range(100_000))
    assert counter.read() > first
    counter.close()


def test_a_counter_that_does_not_exist_is_refused_with_the_reason() -> None:
    with pytest.raises(NoCounter, match=r"\w"):
        Counter(SOFTWARE, NO_SUCH_EVENT)


class Hundreds:
    """A counter of which every reading is a hundred on."""

    def __init__(self) -> None:
        self._count = 0

    def read(self) -> int:
        self._count += 100
        return self._count


def test_what_calling_a_program_takes_by_itself_is_taken_off() -> None:
    programs, case = Programs(build()), next(case for case in CASES if case.name == "fibonacci")
    runs = list(by_counter(programs, Hundreds(), "program_fibonacci", case.count))
    assert set(runs) == {(0, 2584)}


def test_both_ways_run_the_program_and_have_its_result() -> None:
    programs, case = Programs(build()), next(case for case in CASES if case.name == "fibonacci")
    assert {result for _, result in by_ticks(programs, "program_fibonacci", case.count)} == {2584}
