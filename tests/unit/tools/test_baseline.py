# SPDX-License-Identifier: GPL-2.0-or-later
"""What a baseline finds moved, and what it refuses to be."""

from __future__ import annotations

import json

import pytest

from ringscope.tools.baseline import Baseline, Move
from ringscope.tools.options import UsageError

#: An operation of the ledger that was never carried out, and yet cost something.
NEVER = {"count": 0, "cycles_by_cause": {"issue": 1}}


def run(count=10, causes=None, cpu="skylake", **counters):
    """A run's document with one operation, ping-pong; counters and causes are totals."""
    return {
        "arch": "x86_64",
        "cpu": cpu,
        "ledger": [
            {
                "name": "ping-pong",
                "count": count,
                "total": counters,
                "per_op": {name: value / count for name, value in counters.items()},
                "cycles_by_cause": causes or {},
            }
        ],
    }


@pytest.fixture
def baseline(tmp_path):
    """A function that makes a baseline of runs."""

    def make(*runs):
        file = tmp_path / "before.json"
        file.write_text(json.dumps({"machines": runs}))
        return Baseline(file)

    return make


def moves(before, now, tolerance=0):
    return list(before.moves(now, "ping-pong", tolerance))


def test_nothing_moved_in_a_run_like_the_one_before(baseline):
    before = baseline(run(cycles=1000, causes={"issue": 1000}))
    assert moves(before, run(cycles=1000, causes={"issue": 1000})) == []


def test_each_counter_that_moved_is_named_with_what_it_was_and_is(baseline):
    before = baseline(run(cycles=1000, instructions=70))
    assert moves(before, run(cycles=1010, instructions=70)) == [Move("x86_64 skylake", "cycles", 100, 101)]


def test_cycles_that_only_changed_their_cause_moved(baseline):
    before = baseline(run(cycles=100, causes={"issue": 60, "trap": 40}))
    now = run(cycles=100, causes={"issue": 50, "trap": 50})
    assert [move.figure for move in moves(before, now)] == ["issue cycles", "trap cycles"]


def test_an_operation_carried_out_more_often_moved(baseline):
    before = baseline(run(count=10, cycles=1000))
    assert [move.figure for move in moves(before, run(count=20, cycles=2000))] == ["carried out"]


@pytest.mark.parametrize(("now", "moved"), [(950, []), (949, ["cycles"]), (1050, []), (1051, ["cycles"])])
def test_the_tolerance_is_a_share_of_what_was_before_in_both_directions(baseline, now, moved):
    assert [move.figure for move in moves(baseline(run(cycles=1000)), run(cycles=now), 5)] == moved


def test_no_tolerance_covers_what_was_nothing(baseline):
    before = baseline(run(**{"page-walks": 0}))
    assert [move.figure for move in moves(before, run(**{"page-walks": 1}), 99)] == ["page-walks"]


def test_a_counter_that_only_one_run_has_moved(baseline):
    before = baseline(run(cycles=10, branches=20))
    gone = Move("x86_64 skylake", "branches", 2, None)
    new = Move("x86_64 skylake", "ipc", None, 2)
    assert moves(before, run(cycles=10, ipc=20), 99) == [gone, new]


def test_a_machine_is_compared_with_itself(baseline):
    before = baseline(run(cpu="slow", cycles=9000), run(cpu="skylake", cycles=1000))
    assert moves(before, run(cpu="skylake", cycles=1000)) == []


def test_a_machine_or_operation_that_the_baseline_lacks_is_refused_with_what_it_has(baseline):
    before = baseline(run())
    with pytest.raises(UsageError, match="has no x86_64 other, only x86_64 skylake; write a new"):
        before.check("x86_64 other", "ping-pong")
    with pytest.raises(UsageError, match="has no null-call, only ping-pong; write a new"):
        before.check("x86_64 skylake", "null-call")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "3",
        "{}",
        '{"machines": 1}',
        '{"machines": [1]}',
        '{"machines": [{"arch": "x86_64", "cpu": "skylake", "ledger": [{"name": "ping-pong"}]}]}',
        json.dumps({"machines": [run() | {"ledger": [run()["ledger"][0] | NEVER]}]}),
        "[" * 100_000,
        "\xff",
    ],
)
def test_what_compare_did_not_write_is_refused(tmp_path, text):
    file = tmp_path / "before.json"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError, match=r"before.json: not a baseline; write one with"):
        Baseline(file)


def test_a_baseline_that_is_not_there_is_refused_with_the_hosts_reason(tmp_path):
    with pytest.raises(UsageError, match=r"before.json: cannot be read: No such file"):
        Baseline(tmp_path / "before.json")
