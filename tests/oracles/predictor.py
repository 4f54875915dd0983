# SPDX-License-Identifier: GPL-2.0-or-later
"""The branch predictor with dictionaries and lists of any length in place of tables."""

from __future__ import annotations

from collections import Counter, defaultdict

TAG, COUNTER, USEFUL = range(3)  # of a tagged entry
MIX = 0x9E3779B97F4A7C15


def moved(counter: int, most: int, *, up: bool) -> int:
    """Return a saturating counter after one step."""
    return min(most, counter + 1) if up else max(0, counter - 1)


class Predictor:
    """Directions, BTB and return stack."""

    def __init__(self, config: dict[str, int]) -> None:
        """Build from the fields of the native configuration."""
        self.config = {
            key.removeprefix("predictor."): v for key, v in config.items() if key.startswith("predictor.")
        }
        self.directions: defaultdict[int, int] = defaultdict(lambda: 1)
        self.outcomes: list[bool] = []
        self.tagged: defaultdict[tuple[int, int], list[int]] = defaultdict(lambda: [-1, 0, 0])
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
        by_base = self.directions[index] >= 2
        places = [self._place(table, pc) for table in range(self.config["tagged_tables"])]
        holding = [n for n, (place, tag) in enumerate(places) if self.tagged[place][TAG] == tag]
        provider = self.tagged[places[holding[-1]][0]] if holding else None
        alternate = self.tagged[places[holding[-2]][0]] if len(holding) > 1 else None
        by_alternate = by_base if alternate is None else alternate[COUNTER] >= 4
        by_provider = by_base if provider is None else provider[COUNTER] >= 4
        unproven = provider is not None and provider[USEFUL] == 0
        passed_over = provider is not None and unproven and provider[COUNTER] in (3, 4)
        predicted = by_alternate if passed_over else by_provider
        if provider is not None:
            provider[COUNTER] = moved(provider[COUNTER], 7, up=taken)
        if provider is not None and by_provider != by_alternate:
            provider[USEFUL] = moved(provider[USEFUL], 3, up=by_provider == taken)
        if alternate is not None and unproven:
            alternate[COUNTER] = moved(alternate[COUNTER], 7, up=taken)
        if provider is None or (alternate is None and unproven):
            self.directions[index] = moved(self.directions[index], 3, up=taken)
        if predicted != taken:
            self._allocate(places[holding[-1] + 1 if holding else 0 :], taken=taken)
        self.outcomes.append(taken)
        return predicted == taken

    def _place(self, table: int, pc: int) -> tuple[tuple[int, int], int]:
        """Return which entry of a table it is, and the tag that it has if it is this branch's."""
        bits, length = self.config["tagged_bits"], self.config["tagged_history"] << table
        newest_first = self.outcomes[: -length - 1 : -1]
        seen = sum(outcome << at for at, outcome in enumerate(newest_first))
        mixed = (pc * MIX % 2**64 ^ seen) * MIX % 2**64
        return (table, mixed >> 64 - bits), mixed >> 32 & 0xFFF

    def _allocate(self, places: list[tuple[tuple[int, int], int]], *, taken: bool) -> None:
        for place, tag in places:
            if self.tagged[place][USEFUL] == 0:
                self.tagged[place] = [tag, 4 if taken else 3, 0]
                return
        for place, _ in places:
            self.tagged[place][USEFUL] -= 1

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
