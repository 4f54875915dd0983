# SPDX-License-Identifier: GPL-2.0-or-later
"""Random marks, interrupts and returns through the native ledger and a slow, clear one.

The native ledger takes differences of the books between two points. The oracle books every cycle, when it is
spent, to all that is open in the flow of control then, and to the interrupt if there is one.
"""

from __future__ import annotations

import ctypes
from collections import Counter
from dataclasses import dataclass, field

from hypothesis import example, given, settings
from hypothesis import strategies as st

from ringscope.emulator.native import library as native

OPEN_MAX, FLOWS_MAX, INTERRUPT = 8, 64, native.LEDGER_INTERRUPT  # as ledger.h has them
LEDGER_BYTES = 1 << 20  # more than a ledger has
WORDS = 2 * (len(native.counter_names()) + len(native.cause_names()))

Key = tuple[int, int, int]  # address space, program counter, stack pointer


@dataclass
class Open:
    """An operation that has begun."""

    number: int
    spent: Counter[int] = field(default_factory=Counter)


@dataclass
class Oracle:
    """The ledger, word by word of the books."""

    total: dict[int, Counter[int]] = field(default_factory=dict)
    count: Counter[int] = field(default_factory=Counter)
    current: list[Open] = field(default_factory=list)
    aside: list[tuple[Key, list[Open]]] = field(default_factory=list)
    interrupt: Open | None = None

    def spend(self, word: int, amount: int) -> None:
        for operation in (*self.current, *([self.interrupt] if self.interrupt else [])):
            operation.spent[word] += amount

    def _book(self, operation: Open) -> None:
        self.count[operation.number] += 1
        self.total.setdefault(operation.number, Counter()).update(operation.spent)

    def begin(self, number: int) -> None:
        again = next((o for o in self.current if o.number == number), None)
        if again is not None:
            again.spent = Counter()
        elif len(self.current) < OPEN_MAX:
            self.current.append(Open(number))

    def end(self, number: int) -> None:
        operation = next((o for o in self.current if o.number == number), None)
        if operation is not None:
            self.current.remove(operation)
            self._book(operation)

    def cut(self, key: Key) -> None:
        if not self.current or len(self.aside) == FLOWS_MAX:
            return
        self.aside.append((key, self.current))
        self.current = []
        self.interrupt = self.interrupt or Open(INTERRUPT)

    def comes_back(self, key: Key, *, to_user: bool) -> None:
        newest = next((flow for flow in reversed(self.aside) if flow[0] == key), None)
        if self.interrupt and (to_user or newest):
            self._book(self.interrupt)
            self.interrupt = None
        if newest:
            self.aside = [flow for flow in self.aside if flow is not newest]
            self.current = (self.current + newest[1])[:OPEN_MAX]


class Native:
    """The core's ledger and books."""

    def __init__(self) -> None:
        self._library = native.load()
        self._ledger = ctypes.create_string_buffer(LEDGER_BYTES)
        self._books = (ctypes.c_uint64 * WORDS)()

    def spend(self, word: int, amount: int) -> None:
        self._books[word] += amount

    def _call(self, name: str, *arguments: object) -> None:
        getattr(self._library, name)(self._ledger, self._books, *arguments)

    def begin(self, number: int) -> None:
        self._call("ledger_begin", ctypes.c_uint32(number))

    def end(self, number: int) -> None:
        self._call("ledger_end", ctypes.c_uint32(number))

    def cut(self, key: Key) -> None:
        self._call("ledger_cut", (ctypes.c_uint64 * 3)(*key))

    def comes_back(self, key: Key, *, to_user: bool) -> None:
        self._call("ledger_return", (ctypes.c_uint64 * 3)(*key), ctypes.c_bool(to_user))

    def entry(self, number: int) -> tuple[int, Counter[int]]:
        """Return how often an operation ended and the words of its total that are not 0."""
        address = ctypes.c_uint64.from_buffer(self._ledger, 8 * number).value
        words = (ctypes.c_uint64 * (1 + WORDS)).from_address(address) if address else [0] * (1 + WORDS)
        return words[0], Counter({i: n for i, n in enumerate(words[1:]) if n})

    def close(self) -> None:
        self._library.ledger_free(self._ledger)


NUMBERS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 4095)
KEYS = [
    (0x1000, 0x400000, 0x7000),
    (0x1000, 0x400000, 0x7008),
    (0x1000, 0x400002, 0x7000),
    (0x2000, 0x400000, 0x7000),
]
numbers, keys = st.sampled_from(NUMBERS), st.sampled_from(KEYS)
steps = st.one_of(
    st.tuples(st.just("spend"), st.integers(0, WORDS - 1), st.integers(1, 1000)),
    st.tuples(st.just("begin"), numbers),
    st.tuples(st.just("end"), numbers),
    st.tuples(st.just("cut"), keys),
    st.tuples(st.just("comes_back"), keys, st.booleans()),
)


def play(trace: list[tuple]) -> None:
    oracle, core = Oracle(), Native()
    try:
        for name, *arguments in trace:
            for ledger in (oracle, core):
                if name == "comes_back":
                    ledger.comes_back(arguments[0], to_user=arguments[1])
                else:
                    getattr(ledger, name)(*arguments)
        for number in (*NUMBERS, INTERRUPT):
            assert core.entry(number) == (oracle.count[number], +oracle.total.get(number, Counter())), number
    finally:
        core.close()


ONE, OTHER = KEYS[0], KEYS[1]
ONE_INTERRUPT = [
    ("begin", 1), ("spend", 3, 5), ("cut", ONE), ("spend", 3, 7), ("comes_back", ONE, True), ("end", 1),
]  # fmt: skip
#: Two flows wait at the same place: the newer goes on first.
THREE_FLOWS = [
    ("begin", 1), ("cut", ONE), ("begin", 2), ("cut", OTHER), ("begin", 3), ("cut", OTHER),
    ("comes_back", ONE, False), ("comes_back", OTHER, False), ("spend", 0, 1), ("end", 3), ("end", 2),
]  # fmt: skip


@settings(derandomize=True, deadline=None, max_examples=400)
@given(st.lists(steps, max_size=120))
@example(ONE_INTERRUPT)
@example(THREE_FLOWS)
def test_every_entry_equals_the_oracles_on_random_marks_and_interrupts(trace: list[tuple]) -> None:
    play(trace)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(st.lists(st.tuples(keys, numbers), min_size=FLOWS_MAX + 1, max_size=FLOWS_MAX + 8))
def test_more_flows_than_can_be_kept_apart_are_left_where_they_are(flows: list[tuple[Key, int]]) -> None:
    trace: list[tuple] = []
    for i, (key, number) in enumerate(flows):
        trace += [("begin", number), ("spend", i % WORDS, 1 + i), ("cut", key), ("spend", 0, 1)]
    for key, number in reversed(flows):
        trace += [("comes_back", key, False), ("spend", 1, 3), ("end", number)]
    play(trace)
