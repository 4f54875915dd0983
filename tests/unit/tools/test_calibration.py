# SPDX-License-Identifier: GPL-2.0-or-later
"""What the measures of a host become: kept runs, a profile, and one sentence elsewhere."""

from __future__ import annotations

import platform

import pytest

from ringscope.emulator.timing import profile as profiles
from ringscope.emulator.timing.cost_table import CostTable
from ringscope.emulator.timing.parameters import ISSUE_UNITS
from ringscope.tools.calibration.profile_file import base_of, document
from ringscope.tools.cpu_calibrate import fewest
from ringscope.tools.main import main
from ringscope.tools.validation.host import CHAIN_CYCLES, cycles
from ringscope.tools.validation.suite import CASES

FIGURES = {
    "frequency": 3.1941e9,
    "latency": {"alu": 0.98, "move": 0.17, "mul": 2.9, "div32": 11.6, "sse_fp": 2.88, "sse_move": 2.95},
    "throughput": {"nop": 0.168, "alu": 0.25, "load": 0.334, "store": 0.5},
    "forward": 1.06,
    "taken_interval": 1.02,
    "call_interval": 2.03,
    "crossing": 2.01,
    "stores": {"wide_store": 0.94, "other_line": 0.99, "narrow_return": 2.46},
    "loads": {"scaled_index": 4.99, "load_vector": 9.9},
    "branches": {"foreseen": 2.98, "unforeseen": 12.65},
    "ladder": {"l1": 4.01, "l2": 12.06, "llc": 46.2, "memory": 365.9},
    "sweep": {"l2": 2.05, "llc": 2.6},
    "pages": {"32": 4.1, "64": 4.0, "80": 10.9, "512": 15.5},
}


def test_a_run_is_scaled_by_the_chains_around_it() -> None:
    assert cycles([(8192, 5000, 8192)]) == [10_000] == [5000 * CHAIN_CYCLES / 8192]
    assert cycles([(8192, 5000, 8192), (8192, 5000, 8194)])[1] == 5000 * CHAIN_CYCLES / 8193


@pytest.mark.parametrize(
    ("run", "known"),
    [
        ((10_190, 5000, 10_190), True),
        ((10_000, 5000, 10_210), False),
        ((10_210, 5000, 10_000), False),
        ((10_210, 5000, 10_210), False),  # both chains agree: the clock was another for all of the run
    ],
)
def test_a_run_beside_a_chain_two_percent_longer_than_the_shortest_is_thrown_away(run, known) -> None:
    quiet = (10_000, 5000, 10_000)
    assert [taken is not None for taken in cycles([quiet, run])] == [True, known]


def test_of_several_rounds_the_fewest_cycles_count_and_the_highest_frequency() -> None:
    one = {"frequency": 3.0, "latency": {"alu": 1.2}, "forward": 2.0}
    other = {"frequency": 3.2, "latency": {"alu": 1.0}, "forward": 5.0}
    assert fewest(one, other) == {"frequency": 3.2, "latency": {"alu": 1.0}, "forward": 2.0}


@pytest.mark.parametrize(
    ("maker", "base"), [("AuthenticAMD", "zen4"), ("GenuineIntel", "skylake"), ("SomebodyElse", "skylake")]
)
def test_what_is_not_measured_is_that_of_a_core_of_the_same_maker(maker: str, base: str) -> None:
    assert base_of(f"processor\t: 0\nvendor_id\t: {maker}\ncpu family\t: 25\n") == base


def test_a_host_that_does_not_name_its_maker_has_a_base_too() -> None:
    assert base_of("processor : 0\n") == "skylake"


@pytest.fixture
def host_profile(tmp_path):
    path = tmp_path / "here.toml"
    path.write_text(document(FIGURES, "skylake", "here", "a host"), encoding="utf-8")
    return profiles.load(path)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("core", "frequency"), 3_194_000_000),
        (("latency", "l1"), 4),
        (("latency", "l2"), 12),
        (("latency", "llc"), 46),
        (("width",), 6),  # 0.168 cycles a NOP
        (("predictor", "mispredict"), 16),  # 2 * 12.65 - 2.98, less a load of 4.01 and two cycles
        (("dtlb", "small", "entries"), 64),
        (("walk", "stlb_hit"), 7),  # 10.9 less 4
    ],
)
def test_a_measured_figure_is_the_profiles_value(host_profile, path, value) -> None:
    at = host_profile
    for name in path:
        at = getattr(at, name)
    assert at == value


def test_latencies_and_throughputs_go_to_their_classes(host_profile) -> None:
    assert host_profile.pipeline.latency["mul"] == 3
    assert host_profile.pipeline.latency["move"] == 0
    assert host_profile.issue["load"] == 21 * ISSUE_UNITS["cycles/64"]  # a third of a cycle
    assert abs(host_profile.memory_latency - 366) <= 1  # by way of nanoseconds


def test_what_a_chain_has_beside_the_load_that_is_measured_is_taken_off(host_profile) -> None:
    assert host_profile.pipeline.scaled_index == 1  # 4.99 less 4.01
    assert host_profile.pipeline.latency["load_vector"] == 7  # 9.9 less 2.95


def test_lines_one_behind_the_other_tell_how_fast_they_come_and_how_many_at_once(host_profile) -> None:
    assert host_profile.pipeline.buffers.line_interval == 2
    assert host_profile.pipeline.buffers.code_line == 64
    assert host_profile.pipeline.buffers.fill_buffers == 16  # 46.2 less 4.01, by 2.6


def test_a_stores_time_at_its_port_depends_on_where_the_one_before_went(host_profile) -> None:
    stores = host_profile.pipeline.stores
    assert stores["other_line"] == 63 * ISSUE_UNITS["cycles/64"]
    assert stores["narrow_return"] == 157 * ISSUE_UNITS["cycles/64"]


def test_what_was_not_measured_is_an_estimate_and_what_was_is_not(host_profile) -> None:
    assert host_profile.sources["cost.syscall"] == "estimate: as skylake; not measured"
    assert host_profile.sources["pipeline.latency.mul"] == "measured: a chain"


def test_a_measured_profile_prices_every_instruction(host_profile) -> None:
    CostTable(host_profile)


def test_there_are_programs_of_every_kind_and_none_is_named_twice() -> None:
    names = [case.name for case in CASES]
    assert len(names) == len(set(names)) >= 20
    assert {case.kind for case in CASES} == {"integer", "pointers", "copying", "branches", "calls", "mixed"}


@pytest.mark.parametrize("command", ["validate", "calibrate"])
def test_on_a_host_of_another_architecture_the_command_says_so(monkeypatch, capsys, command: str) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    assert main(["cpu", command]) == 2
    said = capsys.readouterr()
    assert "this host is riscv64" in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""
