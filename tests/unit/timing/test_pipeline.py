# SPDX-License-Identifier: GPL-2.0-or-later
"""What an issue model may not say, refused by field and reason."""

from __future__ import annotations

from copy import deepcopy

import pytest

from ringscope.emulator.timing.parameters import ProfileError, Reader
from ringscope.emulator.timing.pipeline import bundled_pipeline, read_pipeline

ONE_CYCLE = {"value": 1, "unit": "cycles", "source": "estimate: a test"}
NO_WINDOW = {"value": 0, "unit": "instructions", "source": "estimate: a test"}
IN_ORDER = "is for cores that work in order"


@pytest.mark.parametrize(
    ("core", "change", "sentence"),
    [
        ("i486", {"latency": {"alu": ONE_CYCLE}}, "pipeline.latency: must not be there where an instruction"),
        ("i486", {"port": {"alu": "load"}}, "pipeline.port: must not be there where an instruction"),
        (
            "i486",
            {"in_order": False, "blocking": False, "window": ONE_CYCLE | NO_WINDOW | {"value": 8}},
            IN_ORDER,
        ),
        ("skylake", {"window": NO_WINDOW}, "pipeline.window: must be at least 8 out of order"),
        ("skylake", {"blocking": True}, f"pipeline.blocking: {IN_ORDER}"),
        ("skylake", {"fuses_compare": 1}, "pipeline.fuses_compare: must be true or false, not 1"),
        ("skylake", {"port": {"div64": 3}}, "pipeline.port.div64: must name a class"),
    ],
)
def test_a_bad_issue_model_is_refused_by_field_and_reason(core: str, change: dict, sentence: str) -> None:
    document = deepcopy(bundled_pipeline(core))
    document["pipeline"] |= change
    with pytest.raises(ProfileError, match=sentence):
        read_pipeline(document, core, Reader("a file"))


def test_a_profile_of_another_name_must_bring_its_issue_model() -> None:
    with pytest.raises(ProfileError, match="there is none for mine among the bundled ones"):
        read_pipeline({}, "mine", Reader("a file"))


def test_a_core_of_fixed_costs_has_neither_latencies_nor_ports() -> None:
    pipeline = read_pipeline({}, "i486", Reader("a file"))
    assert pipeline.fixed
    assert not pipeline.latency
    assert not pipeline.port
