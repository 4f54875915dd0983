# SPDX-License-Identifier: GPL-2.0-or-later
"""Random programs end with the same registers and memory on the machine and on the engine as it comes.

And the machine counts as many instructions as a hook sees there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.differential.guests import DATA_BYTES, GUESTS, STACK_BYTES, Guest
from tests.machine.processor import Processor, Spent

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module", params=GUESTS)
def guest(request) -> Guest:
    """One architecture, then the other."""
    return GUESTS[request.param]


@pytest.fixture(scope="module")
def rigs(guest: Guest) -> Iterator[list[Processor]]:
    """One rig for each fidelity, ready for snippets; one runs while the other rests."""
    made = [guest.ready(timing=timing) for timing in (True, False)]
    for rig in made:
        rig.begin()
    yield made
    for rig in made:
        rig.close()


def run_on_machine(rig: Processor, guest: Guest, code: bytes, registers: dict[str, int], data: bytes) -> dict:
    end, stack = guest.code_at + len(code), guest.stack_at - STACK_BYTES
    rig.write(guest.code_at, code)
    rig.place_end(end)
    rig.write(guest.data_at, data)
    rig.write(stack, bytes(STACK_BYTES))
    rig.begin()
    for name, value in registers.items():
        rig.engine.set_register(name, value)
    before = rig.books()
    rig.run_to(end)
    spent = Spent(before, rig.books())
    return {
        "registers": {name: rig.register(name) for name in registers},
        "pc": rig.pc,
        "memory": {
            str(guest.data_at): rig.read(guest.data_at, DATA_BYTES).hex(),
            str(stack): rig.read(stack, STACK_BYTES).hex(),
        },
        "instructions": spent["instructions"],
    }


SETTINGS = settings(
    derandomize=True,
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
)


def test_random_programs_end_as_on_the_plain_engine_with_models_and_without(
    guest: Guest, rigs: list[Processor], plain_engine
) -> None:
    @SETTINGS
    @given(guest.programs, st.integers(0, 2**32))
    def check(source: str, seed: int) -> None:
        code = guest.snippets.assemble(source, guest.code_at)
        registers, data = guest.initial(seed)
        expected = plain_engine(
            {
                "arch": guest.arch,
                "memory": {str(guest.code_at): code.hex(), str(guest.data_at): data.hex()},
                "registers": registers,
                "begin": guest.code_at,
                "end": guest.code_at + len(code),
                "read": {str(guest.data_at): DATA_BYTES, str(guest.stack_at - STACK_BYTES): STACK_BYTES},
            }
        )
        expected["registers"][guest.flags_register] &= guest.flags
        for rig in rigs:
            found = run_on_machine(rig, guest, code, registers, data)
            found["registers"][guest.flags_register] &= guest.flags
            assert found == expected

    check()
