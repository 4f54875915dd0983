# SPDX-License-Identifier: GPL-2.0-or-later
"""Any configuration, any trace: native caches count as the slow ones, which keep their kind's promises."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from oracles.cache import EXCLUSIVE, INCLUSIVE, LRU, NEITHER, RANDOM, TREE_PLRU
from oracles.hierarchy import Hierarchy
from oracles.machines import PRICES
from oracles.native import Probe

if TYPE_CHECKING:
    from collections.abc import Callable

MEMORY, LINE = 1024, 16
ANY = settings(
    derandomize=True,
    deadline=None,
    max_examples=150,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@st.composite
def level(draw: st.DrawFn, name: str, *, may_be_absent: bool, inclusion: tuple[int, ...]) -> dict[str, int]:
    """Return the fields of one cache of at most 32 lines."""
    replacement = draw(st.sampled_from((LRU, TREE_PLRU, RANDOM)))
    values = {
        "sets": draw(st.sampled_from((0, 1, 2, 4) if may_be_absent else (1, 2, 4))),
        "ways": draw(st.sampled_from((1, 2, 4, 8) if replacement == TREE_PLRU else (1, 2, 3, 5, 8))),
        "line_bytes": LINE,
        "replacement": replacement,
        "seed": draw(st.integers(1, 2**32 - 1)),
        "write_through": draw(st.integers(0, 1)),
        "write_allocate": draw(st.integers(0, 1)),
        "inclusion": draw(st.sampled_from(inclusion)),
    }
    return {f"{name}.{key}": value for key, value in values.items()}


@st.composite
def configurations(
    draw: st.DrawFn, inclusion: tuple[int, ...] = (NEITHER, INCLUSIVE, EXCLUSIVE)
) -> dict[str, int]:
    """Return the fields of a hierarchy."""
    values = dict(PRICES)
    values |= draw(level("l1i", may_be_absent=True, inclusion=(NEITHER,)))
    values |= draw(level("l1d", may_be_absent=False, inclusion=(NEITHER,)))
    for name in ("l2", "llc"):
        values |= draw(level(name, may_be_absent=True, inclusion=inclusion))
    return values


ADDRESSES = st.integers(0, MEMORY - 1)
STEPS = st.one_of(
    st.tuples(st.sampled_from(("load", "store")), ADDRESSES, st.sampled_from((1, 8, 16, 40))),
    st.tuples(st.sampled_from(("fetch", "walk_load")), ADDRESSES),
    st.tuples(st.just("flush_line"), ADDRESSES),
    st.tuples(st.just("flush_all")),
)
TRACES = st.lists(STEPS, min_size=20, max_size=120)


def in_oracle(oracle: Hierarchy, step: tuple) -> int | None:
    name, *arguments = step
    if name in ("load", "store"):
        return oracle.data(*arguments, write=name == "store")
    return getattr(oracle, name)(*arguments)


def in_native(probe: Probe, step: tuple) -> int | None:
    name, *arguments = step
    if name in ("load", "store"):
        return probe.data(*arguments, name == "store")
    return getattr(probe, "flush_caches" if name == "flush_all" else name)(*arguments)


@ANY
@given(config=configurations(), trace=TRACES)
def test_native_caches_of_any_configuration_count_as_the_oracle_does(library, skylake, config, trace) -> None:
    probe, oracle = Probe(library, skylake | config), Hierarchy(config)
    for step in trace:
        assert in_native(probe, step) == in_oracle(oracle, step)
    assert probe.counters() == +oracle.counters
    assert probe.causes() == +oracle.causes


def held(levels) -> set[int]:
    return {line.number for level in levels for line in level.lines()}


def inclusive_levels_hold_all_before_them(oracle: Hierarchy) -> None:
    for depth, outer in enumerate(oracle.outer):
        if outer.level.inclusion == INCLUSIVE:
            before = [*oracle.firsts, *(inner.level for inner in oracle.outer[:depth])]
            assert held(before) <= held([outer.level])


def lines_are_held_once(oracle: Hierarchy) -> None:
    held_by_all = [line.number for level in oracle.levels() for line in level.lines()]
    assert len(held_by_all) == len(set(held_by_all))


@pytest.mark.parametrize(
    ("inclusion", "promise"),
    [(INCLUSIVE, inclusive_levels_hold_all_before_them), (EXCLUSIVE, lines_are_held_once)],
)
@ANY
@given(data=st.data(), trace=TRACES)
def test_the_levels_keep_what_their_kind_promises(
    data, trace, inclusion: int, promise: Callable[[Hierarchy], None]
) -> None:
    config = data.draw(configurations((inclusion,)))
    if inclusion == EXCLUSIVE:  # two first levels may both hold a line
        config["l1i.sets"] = 0
    oracle = Hierarchy(config)
    for step in trace:
        in_oracle(oracle, step)
        promise(oracle)


@ANY
@given(config=configurations(), trace=TRACES)
def test_a_dirty_line_is_never_lost(config, trace) -> None:
    """With write-back levels alone, a line stored to is dirty somewhere until a writeback to memory."""
    config |= {f"{name}.write_through": 0 for name in ("l1i", "l1d", "l2", "llc")}
    config |= {f"{name}.write_allocate": 1 for name in ("l1i", "l1d", "l2", "llc")}
    oracle = Hierarchy(config)
    owed: set[int] = set()
    for step in trace:
        before = oracle.counters["writebacks"]
        in_oracle(oracle, step)
        if step[0] == "store":
            first, last = step[1] // LINE, (step[1] + step[2] - 1) // LINE
            owed |= set(range(first, last + 1))
        dirty = {line.number for level in oracle.levels() for line in level.lines() if line.dirty}
        assert dirty <= owed
        assert oracle.counters["writebacks"] - before >= len(owed - dirty)
        owed = dirty
