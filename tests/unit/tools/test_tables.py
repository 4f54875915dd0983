# SPDX-License-Identifier: GPL-2.0-or-later
"""The figures of the counters' and the ledger's tables."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from ringscope.emulator.books import Books, Counters, Entry
from ringscope.emulator.native import library as native
from ringscope.tools.console import ResultConsole
from ringscope.tools.counter_table import derived
from ringscope.tools.ledger_table import bar, number, tables


def entry(name, count, causes=None, **counters):
    """A ledger entry; counters by name with underscores, causes by name, all in the kernel's ring."""
    wanted = {key.replace("_", "-"): value for key, value in counters.items()}
    kernel = tuple(wanted.get(each, 0) for each in native.counter_names())
    why = tuple((causes or {}).get(each, 0) for each in native.cause_names())
    return Entry(name, count, Books(kernel, (0,) * len(kernel), why, (0,) * len(why)))


def printed(ledger, counters, width=80):
    console = Console(file=io.StringIO(), width=width)
    for part in tables(ledger, counters, width):
        console.print(part)
    return [line.split() for line in console.file.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (4.0, "4"), (1234.5, "1,234.50"), (0.004, "<0.01"), (2e6, "2,000,000")]
)
def test_a_count_is_whole_where_it_is_whole(value, text):
    assert number(value) == text


def test_misses_are_a_share_of_what_was_asked_for():
    assert derived("L2-load-misses", {"L2-load-misses": 5, "L2-loads": 20}) == (25, "% of all L2-loads")
    stores = {"L1-dcache-store-misses": 1, "L1-dcache-stores": 4}
    assert derived("L1-dcache-store-misses", stores) == (25, "% of all L1-dcache-stores")
    assert derived("branch-misses", {"branch-misses": 1, "branches": 10}) == (10, "% of all branches")


def test_nothing_is_a_share_of_nothing():
    assert derived("L2-load-misses", {"L2-load-misses": 0, "L2-loads": 0}) is None
    assert derived("instructions", {"instructions": 7}) is None


def test_a_bar_has_each_cause_by_its_share():
    assert bar({"issue": 50, "trap": 25, "serialisation": 25}, 8).plain == "====TTSS"


def test_a_bar_is_as_wide_as_it_should_be_however_the_shares_round():
    assert len(bar({"issue": 1, "i-miss": 1, "d-miss": 1}, 32).plain) == 32


def test_a_bar_of_no_cycles_is_empty():
    assert bar({"issue": 0}, 8).plain == ""


def test_figures_are_per_operation():
    marks = frozenset({"ipc"})
    rows = printed([entry("ping-pong", 10, {"issue": 1000}, mode_switches=40, ipc=20)], Counters(True, marks))
    assert ["carried", "out", "10"] in rows
    assert ["cycles", "100"] in rows
    assert ["mode", "switches", "4"] in rows
    assert ["ping-pong", "ipc", "2", "2"] in rows


def test_counters_that_the_run_does_not_have_are_dashes():
    rows = printed([entry("ping-pong", 10, mode_switches=40)], Counters(False, frozenset()))
    assert ["L1", "misses", "-"] in rows
    assert ["IPCs", "-"] in rows
    assert ["ping-pong", "ipc", "2", "-"] in rows


def test_many_operations_are_shown_in_groups_that_fit():
    ledger = [entry(f"op-{i}", 1, {"issue": i}) for i in range(7)]
    rows = printed(ledger, Counters(False, frozenset()))
    headings = [row for row in rows if row and row[0] == f"op-{0}" and row[1] == "op-1"]
    assert headings == [["op-0", "op-1", "op-2"]]
    assert ["op-6"] in rows


def test_theory_is_silent_about_operations_it_does_not_know():
    rows = printed([entry("page-fault", 1)], Counters(False, frozenset()))
    assert not any("theory" in row for row in rows)


@pytest.mark.parametrize("columns", ["0", "1", "20"])
def test_a_narrow_terminal_loses_no_figure(columns, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", columns)
    console = ResultConsole()
    counters = Counters(timing=True, marks=frozenset())
    for part in tables([entry("sum", 4, instructions=1200)], counters, console.width):
        console.print(part)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["carried", "out", "4"] in lines
    assert ["instructions", "300"] in lines
