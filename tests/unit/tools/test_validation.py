# SPDX-License-Identifier: GPL-2.0-or-later
"""The programs of ``ringscope cpu validate`` on the machine: what they return, and that they repeat."""

from __future__ import annotations

import pytest

from ringscope.emulator.timing import profile as profiles
from ringscope.tools.validation.machine import Processor
from ringscope.tools.validation.suite import CASES, Image, build

#: What does not depend on the memory's first bytes, worked out otherwise.
KNOWN = {
    "fibonacci": 2584,  # of 18
    "queens": 40,  # ways to place seven
    "sieve": 2262,  # primes below 20000
}


@pytest.fixture(scope="module")
def processor():
    processor = Processor(profiles.load("skylake"), Image.read(build()))
    yield processor
    processor.close()


@pytest.mark.parametrize("name", KNOWN)
def test_a_program_computes_what_it_should(processor, name: str) -> None:
    case = next(case for case in CASES if case.name == name)
    run = processor.measure(case)
    assert run.result == KNOWN[name]
    assert sum(run.causes.values()) == run.cycles


def test_a_ring_in_l1_takes_a_loads_latency_for_every_node(processor) -> None:
    case = next(case for case in CASES if case.name == "ring of 16 KiB")
    run = processor.measure(case)
    assert 4 * case.count <= run.cycles < 4 * case.count + 100
