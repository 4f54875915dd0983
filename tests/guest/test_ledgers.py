# SPDX-License-Identifier: GPL-2.0-or-later
"""The ledger of marked regions says what a reckoning by hand says; the figures are in ledger.toml."""

from __future__ import annotations

import functools
import json
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.guest import catalogue
from tests.guest.machines import MACHINES, need
from tests.guest.qemu_monitor import MEMORY
from tests.machine.command_line import ringscope

OPERATIONS: list[dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("ledger.toml").read_text(encoding="utf-8")
)["operation"]
PROGRAMS = sorted({operation["program"] for operation in OPERATIONS})
#: Between them the fields of `cycles_by_cause` share out every cycle.
CAUSES = {"issue", "i-miss", "d-miss", "tlb-walk", "branch", "trap", "serialisation", "copy"}


@functools.cache
def statistics(program: str) -> dict[str, Any]:
    """Run ``program`` under `stat` and return what its JSON file says."""
    need(MACHINES["ringscope"])
    wanted = catalogue.by_name(program)
    image = catalogue.build(wanted)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "statistics.json"
        words = ["stat", str(image), "-m", MEMORY, "--json", str(report)]
        if wanted.command_line:
            words += ["-append", wanted.command_line]
        said = ringscope(*words, timeout=120)
        assert said.status == 0, said.out + said.err
        found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
        return found


def entry(program: str, name: str) -> dict[str, Any]:
    """Return the ledger's entry ``name``."""
    found: dict[str, Any] = {entry["name"]: entry for entry in statistics(program)["ledger"]}[name]
    return found


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda found: f"{found['program']}-{found['name']}")
def test_the_operation_costs_what_was_worked_out_by_hand(operation: dict[str, Any]) -> None:
    found = entry(operation["program"], operation["name"])
    if "count" in operation:
        assert found["count"] == operation["count"]
    per_op = {name: found["total"][name] / found["count"] for name in operation["per_op"]}
    assert per_op == operation["per_op"]


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_causes_of_every_operation_sum_to_its_cycles(program: str) -> None:
    for found in statistics(program)["ledger"]:
        assert set(found["cycles_by_cause"]) == CAUSES
        assert sum(found["cycles_by_cause"].values()) == found["total"]["cycles"]


@pytest.mark.parametrize("program", PROGRAMS)
def test_user_and_kernel_share_out_every_counter(program: str) -> None:
    counters = statistics(program)["counters"]
    for name in (name for name in counters if ":" not in name):
        assert counters[f"{name}:u"] + counters[f"{name}:k"] == counters[name], name


@pytest.mark.parametrize("program", ["ledger_strings", "aarch64/ledger_copies"])
def test_what_interrupts_cost_is_booked_apart(program: str) -> None:
    interrupts = entry(program, "interrupt")
    assert interrupts["count"] >= 1
    assert interrupts["total"]["interrupts"] == interrupts["count"]
    assert interrupts["total"]["instructions"] > interrupts["count"]


@pytest.mark.parametrize("program", ["crossings", "aarch64/crossings"])
def test_a_round_trip_of_a_system_call_is_two_mode_switches(program: str) -> None:
    found = entry(program, "crossings")
    # Besides the 10^6 round trips: the way to user mode, and the vector that brings control back.
    assert found["total"]["mode-switches"] == 2 * 1_000_000 + 2


#: The lines of the table that each benchmark walks, and how many of its 5 million instructions a visit takes.
LINES = {"throughput": 32768, "aarch64/throughput": 65536}
VISITS = 5_000_000 // 77


@pytest.mark.parametrize("program", LINES)
def test_the_benchmark_touches_memory_with_one_instruction_in_five(program: str) -> None:
    counters = statistics(program)["counters"]
    accesses = counters["L1-dcache-loads"] + counters["L1-dcache-stores"]
    assert accesses / counters["instructions"] >= 0.2


@pytest.mark.parametrize("program", LINES)
def test_the_benchmark_has_blocks_of_about_six_instructions(program: str) -> None:
    counters = statistics(program)["counters"]
    assert 5 <= counters["instructions"] / counters["branches"] <= 7


@pytest.mark.parametrize("program", LINES)
def test_the_benchmark_walks_small_pages(program: str) -> None:
    """A few pages of 2 MiB would stay in the D-TLB; of 4 KiB nearly every visit needs another."""
    assert statistics(program)["counters"]["dTLB-load-misses"] > 0.8 * VISITS


@pytest.mark.parametrize("program", LINES)
def test_the_benchmark_works_on_more_than_the_l2_holds(program: str) -> None:
    """Every line is missed when it is first touched; what is missed later did not fit."""
    assert statistics(program)["counters"]["L2-load-misses"] - LINES[program] > 0.3 * VISITS
