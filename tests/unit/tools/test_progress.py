# SPDX-License-Identifier: GPL-2.0-or-later
"""The line that says how far a long run is."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ringscope.tools.progress import Progress, duration


@pytest.mark.parametrize(
    ("seconds", "written"), [(0.4, "0 s"), (40, "40 s"), (180, "3 min"), (9000, "2.5 h")]
)
def test_a_time_is_written_as_one_waits_for_it(seconds: float, written: str) -> None:
    assert duration(seconds) == written


def line(limit: int | None, pace: float) -> str:
    machine = SimpleNamespace(
        engine=SimpleNamespace(time=250_000_000), profile=SimpleNamespace(frequency_hz=1_000_000_000)
    )
    return Progress(machine, limit)._line(50e6, pace)


def test_time_left_is_what_the_limit_leaves_at_the_present_pace() -> None:
    assert line(1_000_000_000, 50e6) == (
        "[0.250 s simulated, 250 M cycles, 50 M instructions/s, 25%, 15 s left]"
    )


@pytest.mark.parametrize(("limit", "pace"), [(None, 50e6), (1_000_000_000, 0)])
def test_without_a_limit_or_a_pace_no_time_left_is_claimed(limit: int | None, pace: float) -> None:
    assert "left" not in line(limit, pace)
