# SPDX-License-Identifier: GPL-2.0-or-later
"""Branch sequences worked out by hand."""

from __future__ import annotations

from oracles.native import CALL, CONDITIONAL, DIRECT, INDIRECT, INDIRECT_CALL, RETURN

BIMODAL = {"predictor.history_bits": 0}
PC, TARGET, OTHER = 0x1000, 0x2000, 0x3000


def conditional(p, *outcomes: bool, pc: int = PC) -> list[bool]:
    """Return which of these outcomes were mispredicted."""
    return [bool(p.branch(CONDITIONAL, pc, pc + 2, TARGET, taken)) for taken in outcomes]


def test_a_branch_never_seen_is_expected_not_to_be_taken(probe) -> None:
    assert conditional(probe(BIMODAL), False) == [False]
    assert conditional(probe(BIMODAL), True) == [True]


def test_one_exception_does_not_change_a_settled_mind(probe) -> None:
    p = probe(BIMODAL)
    conditional(p, True, True, True)
    assert conditional(p, False, True, True) == [True, False, False]


def test_history_learns_an_alternating_branch_that_a_counter_cannot(probe) -> None:
    alternating = [bool(n % 2) for n in range(64)]
    assert not any(conditional(probe(), *alternating)[-32:])
    assert any(conditional(probe(BIMODAL), *alternating)[-32:])


def test_a_misprediction_is_counted_and_charged(probe, skylake) -> None:
    p = probe(BIMODAL)
    conditional(p, True)
    assert p.counters() == {"branches": 1, "branch-misses": 1}
    assert p.causes() == {"branch": skylake["predictor.mispredict"]}


def test_a_direct_jump_is_steered_late_the_first_time_and_never_a_miss(probe, skylake) -> None:
    p = probe()
    for _ in range(3):
        assert not p.branch(DIRECT, PC, PC + 5, TARGET, 1)
    assert p.counters() == {"branches": 3}
    assert p.causes() == {"branch": skylake["predictor.redirect"]}


def test_an_indirect_jump_is_a_miss_when_its_target_changes(probe) -> None:
    p = probe()
    targets = (TARGET, TARGET, OTHER, OTHER, TARGET)
    assert [p.branch(INDIRECT, PC, PC + 2, target, 1) for target in targets] == [1, 0, 1, 0, 1]


def test_the_target_used_longest_ago_leaves_a_full_set(probe) -> None:
    p = probe({"predictor.btb_sets": 1, "predictor.btb_ways": 2})
    for pc in (1, 2, 1, 3):  # 3 takes the place of 2
        p.branch(INDIRECT, pc, pc + 2, TARGET, 1)
    assert not p.branch(INDIRECT, 1, 3, TARGET, 1)
    assert p.branch(INDIRECT, 2, 4, TARGET, 1)


def test_a_return_goes_behind_the_call_it_belongs_to(probe) -> None:
    p = probe()
    p.branch(CALL, PC, PC + 5, TARGET, 1)
    p.branch(INDIRECT_CALL, TARGET, TARGET + 2, OTHER, 1)
    assert not p.branch(RETURN, OTHER, OTHER + 1, TARGET + 2, 1)
    assert not p.branch(RETURN, TARGET + 9, TARGET + 10, PC + 5, 1)


def test_a_return_without_a_call_is_a_miss(probe) -> None:
    assert probe().branch(RETURN, PC, PC + 1, TARGET, 1)


def test_calls_deeper_than_the_return_stack_lose_the_outermost_returns(probe, skylake) -> None:
    p = probe()
    depth = skylake["predictor.return_depth"]
    for level in range(depth + 2):
        p.branch(CALL, level * 16, level * 16 + 5, (level + 1) * 16, 1)
    wrong = [p.branch(RETURN, OTHER, OTHER + 1, level * 16 + 5, 1) for level in reversed(range(depth + 2))]
    assert wrong == [0] * depth + [1, 1]
