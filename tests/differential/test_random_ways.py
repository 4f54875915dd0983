# SPDX-License-Identifier: GPL-2.0-or-later
# ruff: noqa: S311 (choices are random and seeded; nothing is secret)
"""Random programs with interrupts and page faults show the same freely, stepped, with breakpoints, sliced."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ringscope.emulator.native.library import Stop
from tests.differential.guests import DATA_BYTES, GUESTS, VECTOR, Guest
from tests.machine.processor import LIMIT, Processor

if TYPE_CHECKING:
    from collections.abc import Callable


def observe(guest: Guest, code: bytes, seed: int, way: Callable[[Processor, int], None]) -> dict:
    """Run a program on a new rig in one way and return all that it shows."""
    rig, chance = guest.ready(), Random(seed)
    end = guest.code_at + len(code)
    try:
        rig.handler(*guest.interrupt)
        rig.handler(*guest.supply)
        rig.write(guest.code_at, code)
        rig.place_end(end)
        registers, data = guest.initial(seed)
        rig.write(guest.data_at, data)
        rig.begin()
        guest.make_data_absent(rig)
        for name, value in registers.items():
            rig.engine.set_register(name, value)
        now = rig.engine.time
        rig.schedule(*((now + cycle, VECTOR) for cycle in sorted(chance.sample(range(900), 12))))
        way(rig, end)
        return {
            "registers": {name: rig.register(name) for name in registers},
            "memory": rig.read(guest.data_at, DATA_BYTES),
            "books": rig.books(),
            "exceptions": rig.exceptions(),
            "time": rig.engine.time,
            "taken": rig.taken,
            "turns": rig.turns,
        }
    finally:
        rig.close()


def freely(rig: Processor, end: int) -> None:
    rig.run_to(end)


def stepped(rig: Processor, end: int) -> None:
    rig.steps_to(end)


def with_breakpoints(seed: int) -> Callable[[Processor, int], None]:
    def way(rig: Processor, end: int) -> None:
        code = range(rig.snippets.CODE, end)  # on x86 some are between two instructions
        places = Random(seed).sample(code, min(40, len(code)))
        rig.engine.set_breakpoints([*places, end])
        while rig.pc != end:
            rig.engine.step_over_breakpoint()
            assert rig.engine.run(rig.engine.time + LIMIT) is Stop.BREAKPOINT

    return way


def in_slices(rig: Processor, end: int) -> None:
    rig.engine.set_breakpoints([end])
    while rig.engine.run(rig.engine.time + 37) is Stop.TIME:
        pass
    assert rig.pc == end


@pytest.mark.parametrize("arch", GUESTS)
def test_a_random_program_shows_the_same_in_every_way(arch: str) -> None:
    guest = GUESTS[arch]

    @settings(
        derandomize=True,
        deadline=None,
        max_examples=25,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
    )
    @given(guest.programs, st.integers(0, 2**32))
    def check(source: str, seed: int) -> None:
        code = guest.snippets.assemble(f"{guest.open}; {source}", guest.code_at)
        free = observe(guest, code, seed, freely)
        for way in (stepped, with_breakpoints(seed), in_slices):
            assert observe(guest, code, seed, way) == free

    check()
