# SPDX-License-Identifier: GPL-2.0-or-later
"""The branch predictor with dictionaries and lists of any length in place of tables."""

from __future__ import annotations

from collections import Counter, defaultdict


class Predictor:
    """Gshare, BTB and return stack."""

    def __init__(self, config: dict[str, int]) -> None:
        """Build from the fields of the native configuration."""
        self.config = {
            key.removeprefix("predictor."): v for key, v in config.items() if key.startswith("predictor.")
        }
        self.directions: defaultdict[int, int] = defaultdict(lambda: 1)
        self.outcomes: list[bool] = []
        self.targets: defaultdict[int, dict[int, int]] = defaultdict(
            dict
        )  # by set: pc -> target, newest last
        self.returns: list[int] = []
        self.counters: Counter[str] = Counter()
        self.causes: Counter[str] = Counter()

    def _direction_foreseen(self, pc: int, *, taken: bool) -> bool:
        history = 0
        for outcome in self.outcomes[-self.config["history_bits"] :] if self.config["history_bits"] else []:
            history = history * 2 + outcome
        index = (pc ^ history) % 2 ** self.config["table_bits"]
        foreseen = (self.directions[index] >= 2) == taken
        self.directions[index] = (
            min(3, self.directions[index] + 1) if taken else max(0, self.directions[index] - 1)
        )
        self.outcomes.append(taken)
        return foreseen

    def _target_foreseen(self, pc: int, target: int) -> bool:
        held = self.targets[pc % self.config["btb_sets"]]
        foreseen = held.pop(pc, None) == target
        if len(held) == self.config["btb_ways"]:
            del held[next(iter(held))]
        held[pc] = target
        return foreseen

    def branch(self, kind: str, pc: int, next_pc: int, target: int, *, taken: bool) -> bool:
        """Return whether the branch was mispredicted."""
        self.counters["branches"] += 1
        foreseen = late = None
        match kind:
            case "conditional":
                foreseen = self._direction_foreseen(pc, taken=taken)
                late = taken and not self._target_foreseen(pc, target)
            case "direct" | "call":
                foreseen, late = True, not self._target_foreseen(pc, target)
            case "indirect" | "indirect-call":
                foreseen, late = self._target_foreseen(pc, target), False
            case "return":
                foreseen, late = bool(self.returns) and self.returns.pop() == target, False
        if kind in ("call", "indirect-call"):
            self.returns = [*self.returns, next_pc][-self.config["return_depth"] :]
        if not foreseen:
            self.counters["branch-misses"] += 1
            self.causes["branch"] += self.config["mispredict"]
        elif late:
            self.causes["branch"] += self.config["redirect"]
        return not foreseen
