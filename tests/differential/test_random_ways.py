# SPDX-License-Identifier: GPL-2.0-or-later
# ruff: noqa: S311 (choices are random and seeded; nothing is secret)
"""Random programs with interrupts and page faults show the same freely, stepped, with breakpoints, sliced."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ringscope.emulator.native.library import Stop
from tests.differential.programs import programs
from tests.differential.test_random_programs import DATA_AT, DATA_BYTES, initial
from tests.machine import snippets
from tests.machine.rig import LIMIT, Rig
from tests.machine.snippets import CODE, PAGE, PAGE_TABLE

if TYPE_CHECKING:
    from collections.abc import Callable

VECTOR = 0x50
INTERRUPTS_ON = 0x200
PAGE_FAULT = 14
DATA_PAGES = range(DATA_AT // PAGE, (DATA_AT + DATA_BYTES - 1) // PAGE + 1)
SET_PRESENT = f"or byte ptr [rax*8 + {PAGE_TABLE}], 1"
SUPPLY = f"push rax; mov rax, cr2; shr rax, 12; {SET_PRESENT}; pop rax; add rsp, 8; iretq"


def observe(code: bytes, seed: int, way: Callable[[Rig, int], None]) -> dict:
    """Run a program on a new rig in one way and return all that it shows."""
    rig, chance = Rig(), Random(seed)
    try:
        rig.handler(VECTOR, "lock inc dword ptr [rsp - 16]; iretq")
        rig.handler(PAGE_FAULT, SUPPLY)
        rig.write(CODE, code + snippets.assemble("fence; hlt", 0))
        registers, data = initial(seed)
        rig.write(DATA_AT, data)
        rig.begin()
        for page in DATA_PAGES:  # supplied when they are missed
            rig.write(PAGE_TABLE + 8 * page, bytes([rig.read(PAGE_TABLE + 8 * page, 1)[0] & 0xFE]))
        for name, value in registers.items():
            rig.engine.set_register(name, value)
        rig.engine.set_register("rflags", registers["rflags"] | INTERRUPTS_ON)
        now = rig.engine.time
        rig.schedule(*((now + cycle, VECTOR) for cycle in sorted(chance.sample(range(900), 12))))
        way(rig, CODE + len(code))
        return {
            "registers": {name: rig.engine.register(name) for name in (*registers, "rip")},
            "memory": rig.read(DATA_AT, DATA_BYTES),
            "books": rig.books(),
            "time": rig.engine.time,
            "taken": rig.taken,
            "turns": rig.turns,
        }
    finally:
        rig.close()


def freely(rig: Rig, end: int) -> None:
    rig.run_to(end)


def stepped(rig: Rig, end: int) -> None:
    rig.steps_to(end)


def with_breakpoints(seed: int) -> Callable[[Rig, int], None]:
    def way(rig: Rig, end: int) -> None:
        places = Random(seed).sample(range(CODE, end), min(40, end - CODE))  # some between two instructions
        rig.engine.set_breakpoints([*places, end])
        while rig.engine.register("rip") != end:
            rig.engine.step_over_breakpoint()
            assert rig.engine.run(rig.engine.time + LIMIT) is Stop.BREAKPOINT

    return way


def in_slices(rig: Rig, end: int) -> None:
    rig.engine.set_breakpoints([end])
    while rig.engine.run(rig.engine.time + 37) is Stop.TIME:
        pass
    assert rig.engine.register("rip") == end


@settings(
    derandomize=True,
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
)
@given(programs(), st.integers(0, 2**32))
def test_a_random_program_shows_the_same_in_every_way(source: str, seed: int) -> None:
    code = snippets.assemble(source, CODE)
    free = observe(code, seed, freely)
    for way in (stepped, with_breakpoints(seed), in_slices):
        assert observe(code, seed, way) == free
