# SPDX-License-Identifier: GPL-2.0-or-later
# ruff: noqa: S311 (blocks are random and seeded; nothing is secret)
"""The native issue model against the clear one: blocks by summary, by code, one by one, and with misses."""

from __future__ import annotations

from random import Random

import pytest
from oracles.pipeline import FILL, RETIRED, UNITS, Native, Oracle
from oracles.summary import HostCode

from ringscope.emulator.native import library as native
from ringscope.emulator.timing.micro_ops import BRANCH, LOAD, PLAIN, REGISTERS, STORE, TEMPORARY, MicroOp

OUT_OF_ORDER = {
    "in_order": 0, "blocking": 0, "window": 64, "fill_buffers": 4, "store_buffer": 6, "forward": 4,
    "taken_interval": 1, "call_interval": 2, "code_line": 0, "line_interval": 3,
}  # fmt: skip
IN_ORDER = OUT_OF_ORDER | {"in_order": 1, "window": 0}
BLOCKING = IN_ORDER | {"blocking": 1, "fill_buffers": 1}
CORES = {"out of order": OUT_OF_ORDER, "in order": IN_ORDER, "blocking": BLOCKING}


def random_block(random: Random) -> list[MicroOp]:
    times = list(range(REGISTERS, REGISTERS + 7))
    ops = []
    for _ in range(random.randrange(1, 14)):
        kind = random.choice((PLAIN, PLAIN, LOAD, STORE))
        into = random.sample([*times, BRANCH], random.randrange(0, 3)) if kind != STORE else []
        ops.append(
            MicroOp(
                kind,
                tuple(random.sample(times, random.randrange(0, 4))),
                tuple(into),
                latency=UNITS * random.randrange(0, 20),
                port=random.randrange(0, 4),
                occupancy=UNITS // 4 * random.randrange(0, 9),
                slot=random.choice((0, UNITS // 4, UNITS // 2, UNITS)),
                accesses=0 if kind == PLAIN else random.choice((1, 1, 2)),
            )
        )
    return ops


def random_misses(random: Random, ops: list[MicroOp]) -> dict[int, int]:
    """Short ones too, behind which a port or another result retires later."""
    accesses = sum(op.accesses for op in ops)
    return {
        number: UNITS * random.choice((1, 1, random.randrange(1, 200)))
        for number in range(accesses)
        if random.random() < 0.2
    }


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("seed", range(20))
def test_summaries_their_code_and_single_operations_give_the_oracles_times(core: str, seed: int) -> None:
    random, config, memory = Random(seed), CORES[core], HostCode()
    oracle, short, long = Oracle(config), Native(config), Native(config)
    code = Native(config, memory.words)
    for _ in range(60):
        ops, instructions = random_block(random), random.randrange(1, 20)
        spent = oracle.block(ops, {}, instructions)
        assert short.block(ops, {}, instructions, summary=True) == {-1: spent}
        used = memory.used
        assert code.block(ops, {}, instructions, summary=True) == {-1: spent}
        assert memory.used > used
        assert long.block(ops, {}, instructions, summary=False)[-1] == spent
        live = [number for number in range(len(oracle.time)) if number != TEMPORARY]
        for pipeline in (short, code, long):
            assert [pipeline.time[n] for n in live] == [oracle.time[n] for n in live]


@pytest.mark.parametrize("by_code", [False, True])
@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("seed", range(20))
def test_with_misses_the_times_are_the_oracles_and_the_causes_sum_to_the_block(
    core: str, seed: int, by_code: bool
) -> None:
    random, config, memory = Random(seed), CORES[core], HostCode()
    oracle, pipeline = Oracle(config), Native(config, memory.words if by_code else None)
    for _ in range(60):
        ops, instructions = random_block(random), random.randrange(1, 20)
        misses = random_misses(random, ops)
        spent, used = oracle.block(ops, misses, instructions), memory.used
        cost = pipeline.block(ops, misses, instructions, summary=True)
        live = [number for number in range(len(oracle.time)) if number != TEMPORARY]
        assert [pipeline.time[n] for n in live] == [oracle.time[n] for n in live]
        assert cost[-1] == spent
        if misses:
            assert sum(units for cause, units in cost.items() if cause >= 0) == spent
            assert (memory.used > used) == (by_code and not config["in_order"])


def test_by_code_a_block_with_a_miss_retires_no_sooner_than_its_port_is_free() -> None:
    memory = HostCode()
    pipeline = Native(OUT_OF_ORDER, memory.words)
    load = MicroOp(LOAD, (), (REGISTERS,), UNITS, port=1, occupancy=50 * UNITS, accesses=1)
    pipeline.block([load], {0: UNITS}, 1, summary=True)
    assert memory.used
    assert pipeline.time[RETIRED] == 50 * UNITS


LOADS = [MicroOp(LOAD, (), (REGISTERS,), 4 * UNITS, slot=UNITS // 4, accesses=1)]


@pytest.mark.parametrize(
    ("ops", "misses"),
    [
        pytest.param(LOADS, {3: 50 * UNITS}, id="an access that is no operation's"),
        pytest.param(LOADS * 33, {32: 50 * UNITS}, id="more accesses than code keeps in mind"),
        pytest.param(
            [*LOADS, MicroOp(PLAIN, (FILL,), (REGISTERS,), UNITS)], {0: 50 * UNITS}, id="a reader of buffers"
        ),
    ],
)
def test_misses_that_code_does_not_know_are_done_operation_by_operation(
    ops: list[MicroOp], misses: dict[int, int]
) -> None:
    memory = HostCode()
    code, long = Native(OUT_OF_ORDER, memory.words), Native(OUT_OF_ORDER)
    for _ in range(3):
        assert code.block(ops, misses, 1, summary=True) == long.block(ops, misses, 1, summary=True)
    assert code.time == long.time


def test_when_the_memory_for_code_is_full_the_times_are_the_same() -> None:
    """No room for it: all goes by list and one by one."""
    random, memory = Random(1), HostCode()
    code, long = Native(OUT_OF_ORDER, memory.words), Native(OUT_OF_ORDER)
    code.block(LOADS, {}, 1, summary=True)
    long.block(LOADS, {}, 1, summary=True)
    memory.leave(16)
    used = memory.used
    for _ in range(20):
        ops = random_block(random)
        misses = random_misses(random, ops)
        assert code.block(ops, misses, 3, summary=True) == long.block(ops, misses, 3, summary=True)
    assert code.time == long.time
    assert memory.used == used


@pytest.mark.parametrize(("kind", "other"), [(LOAD, STORE), (STORE, LOAD), (LOAD, LOAD)])
def test_lines_for_loads_and_for_stores_come_one_behind_the_other(kind: int, other: int) -> None:
    """Misses of two cycles: the lines' way is what they wait for, not their share of four buffers."""
    pipeline = Native(OUT_OF_ORDER | {"store_buffer": 1})
    ops = [MicroOp(which, (), (), UNITS, accesses=1) for which in (kind, other) * 10]
    pipeline.block(ops, dict.fromkeys(range(20), 2 * UNITS), 20, summary=True)
    at = pipeline.time[FILL]
    assert at == 20 * OUT_OF_ORDER["line_interval"] * UNITS
    assert at - UNITS <= pipeline.time[RETIRED] <= at


def test_what_only_a_miss_adds_is_the_misss() -> None:
    pipeline = Native(OUT_OF_ORDER)
    load = MicroOp(LOAD, (), (REGISTERS,), 4 * UNITS, slot=UNITS // 4, accesses=1)
    cost = pipeline.block([load], {0: 100 * UNITS}, 1, summary=True)
    causes = native.cause_names()
    assert cost[causes.index("issue")] == 4 * UNITS
    assert cost[causes.index("d-miss")] == 100 * UNITS
    assert cost[-1] == 104 * UNITS
