# SPDX-License-Identifier: GPL-2.0-or-later
"""Branch sequences worked out by hand."""

from __future__ import annotations

from oracles.native import CALL, CONDITIONAL, DIRECT, INDIRECT, INDIRECT_CALL, RETURN

BIMODAL = {"predictor.history_bits": 0, "predictor.tagged_tables": 0}
GSHARE = {"predictor.history_bits": 6, "predictor.tagged_tables": 0}
TAGGED = {
    "predictor.history_bits": 0,
    "predictor.tagged_tables": 4,
    "predictor.tagged_bits": 8,
    "predictor.tagged_history": 4,
}
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
    assert not any(conditional(probe(GSHARE), *alternating)[-32:])
    assert any(conditional(probe(BIMODAL), *alternating)[-32:])


def test_a_long_history_learns_a_period_that_a_short_one_cannot(probe) -> None:
    """Nineteen taken and one not: only a history of more than nineteen tells the one apart."""
    period = [n % 20 != 19 for n in range(20 * 100)]
    assert not any(conditional(probe(TAGGED), *period)[-400:])
    assert sum(conditional(probe(TAGGED | {"predictor.tagged_tables": 2}), *period)[-400:]) == 20
    assert sum(conditional(probe(GSHARE), *period)[-400:]) == 20


def test_a_branch_that_only_the_base_knows_is_foreseen_by_it(probe) -> None:
    assert conditional(probe(TAGGED), False, False, False) == [False, False, False]


def test_an_entry_made_by_a_mistake_is_passed_over_until_it_is_right_by_itself(probe) -> None:
    """One table of one outcome: after T it has T (weak); the base says what counts until it is proven."""
    p = probe(TAGGED | {"predictor.tagged_tables": 1, "predictor.tagged_history": 1})
    # Base 1: N. Wrong, base 2, an entry for history 0 says T weakly.
    assert conditional(p, True) == [True]
    # History 1 has no entry, base 2 says T: wrong, base 1, an entry for history 1 says N weakly.
    assert conditional(p, False) == [True]
    # History 0: its entry says T but is unproven and weak; base 1 says N: wrong. Both move to T.
    assert conditional(p, True) == [True]
    # History 1: its entry says N, weak: the base, 2 now, says T: wrong. Entry 2, base 1.
    assert conditional(p, False) == [True]
    # Now the entry for history 0 is no longer weak: T by itself, against the base.
    assert conditional(p, True, False, True) == [False, False, False]


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
