# SPDX-License-Identifier: GPL-2.0-or-later
"""``ringscope cpu check``: every price and size of a profile is what its machine shows."""

from __future__ import annotations

import pytest

from ringscope.emulator.timing import profile as profiles
from ringscope.tools.primitives import i486
from ringscope.tools.primitives.rows import Row, levels, measure
from tests.machine.command_line import ringscope

PROFILES = profiles.PROFILES


@pytest.fixture(scope="module", params=profiles.available())
def checked(request):
    """A profile and its rows by name; each is measured once."""
    profile = profiles.load(request.param)
    return profile, {row.name: row for row in measure(profile, request.param)}


def test_whatever_a_profile_says_its_machine_shows(checked) -> None:
    _, rows = checked
    off = {
        row.name: (row.expected, row.measured)
        for row in rows.values()
        if abs(row.measured - row.expected) > 0.02 * row.expected
    }
    assert off == {}


def test_every_event_of_fixed_price_is_provoked(checked) -> None:
    """An interrupt begins where no mark can be, between two instructions: its way back is in its figure."""
    profile, rows = checked
    assert profile.cost.keys() - rows.keys() == {"hardware_interrupt"}
    assert any(name.startswith("hardware_interrupt + ") for name in rows)


def test_every_level_is_reached_by_loads_and_by_walks(checked) -> None:
    profile, rows = checked
    for level in levels(profile)[1:]:
        assert f"{level.name} beyond L1" in rows
        assert rows[f"{level.name} beyond L1, walk"].expected == level.latency - profile.latency.l1
    assert ("second TLB reach, pages" in rows) == (profile.stlb.small.entries > 0)


EQUATIONS = {
    "71 + 36 = 107": 107,
    "500 instructions x 1.6 = 800": 800,
    "270 L1 misses x 3 = 810": 810,
    "90 TLB misses x 9 = 810": 810,
    "3 TLB misses + 10 cache misses = 57": 57,
    "36 + 14 TLB misses x 9 = 162": 162,
}


@pytest.fixture(scope="module")
def liedtke():
    """What the snippets of the identities took on the i486, by equation."""
    return i486.measure("i486", profiles.load("i486").l1d.line)


@pytest.mark.parametrize(("equation", "cycles"), EQUATIONS.items())
def test_an_identity_of_the_i486_holds_to_the_cycle(liedtke, equation, cycles) -> None:
    assert liedtke[equation] == cycles


def test_no_identity_is_left_out(liedtke) -> None:
    assert liedtke.keys() == EQUATIONS.keys()


def test_the_identities_stand_among_the_figures_of_the_i486(checked) -> None:
    profile, rows = checked
    assert (EQUATIONS.keys() <= rows.keys()) == (profile.name == "i486")


# ---- verdicts ----


def row(expected: float, measured: float, *sources: str, sourced: bool = True) -> Row:
    return Row("x", expected, measured, sources, sourced)


@pytest.mark.parametrize(("measured", "holds"), [(98, True), (97.9, False), (102, True), (102.1, False)])
def test_a_sourced_figure_may_be_off_by_two_percent(measured, holds) -> None:
    assert row(100, measured, "a manual").holds == holds


@pytest.mark.parametrize(
    ("source", "measured", "holds"),
    [
        ("SkyBridge: 186 +-10", 176, True),
        ("SkyBridge: 186 +-10", 175, False),
        ("SOG: 11 to 18, 13 in the common case", 18, True),
        ("SOG: 11 to 18, 13 in the common case", 19, False),
    ],
)
def test_a_range_that_the_source_states_is_what_must_hold(source, measured, holds) -> None:
    assert row(186, measured, source).holds == holds


def test_a_range_of_one_part_says_nothing_of_a_sum() -> None:
    assert not row(100, 15, "a manual: 10 to 20", "another").holds


# ---- the command ----


def test_the_command_prints_profile_measured_value_and_source_side_by_side() -> None:
    said = ringscope("cpu", "check", "--cpu", "i486")
    assert said.status == 0
    lines = [line.split() for line in said.out.splitlines()]
    assert ["x86_64", "i486", "(what-if)"] in lines
    assert ["270", "L1", "misses", "x", "3", "=", "810", "810", "810", "+0.0%", "SOSP'95"] in lines
    assert ["11", "of", "11", "sourced", "figures", "hold"] in lines


def test_a_source_that_says_otherwise_than_the_machine_does_ends_it_with_status_1(tmp_path) -> None:
    path = tmp_path / "odd.toml"
    text = (PROFILES / "skylake.toml").read_text(encoding="utf-8")
    odd = text.replace('source = "SkyBridge: 186 +-10"', 'source = "SkyBridge: 196 +-5"')
    assert odd != text
    path.write_text(odd, encoding="utf-8")
    said = ringscope("cpu", "check", "--cpu", path)
    assert said.status == 1
    assert said.out.splitlines()[-1].endswith("sourced figures hold; off: mov_cr3_pcid")


def test_an_unknown_processor_is_refused_before_anything_runs() -> None:
    said = ringscope("cpu", "check", "--cpu", "i386")
    assert (said.status, said.out) == (2, "")
    assert "i386: no such processor profile" in said.err
