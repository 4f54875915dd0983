# SPDX-License-Identifier: GPL-2.0-or-later
"""Random programs end with the same registers and memory on the machine and on the engine as it comes.

And the machine counts as many instructions as a hook sees there.
"""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.differential.programs import DATA_BYTES, programs
from tests.machine import snippets
from tests.machine.rig import Rig, Spent
from tests.machine.snippets import CODE, DATA, PAGE

GENERAL = ("rax", "rcx", "rdx", "rsi", "rdi", "rbp", *(f"r{n}" for n in range(8, 16)))
VECTORS = tuple(f"xmm{n}" for n in range(8))
STACK, STACK_BYTES = snippets.KERNEL_STACK, 256
DATA_AT = DATA + PAGE - DATA_BYTES // 2  # across a page end
FLAGS = 0xCD5  # the arithmetic flags and DF


@pytest.fixture(scope="module")
def rigs():
    """One rig for each fidelity, in long mode; one runs while the other rests."""
    made = [Rig(timing=timing) for timing in (True, False)]
    for rig in made:
        rig.begin()
    yield made
    for rig in made:
        rig.close()


def initial(seed: int) -> tuple[dict[str, int], bytes]:
    """Registers and data to begin with."""
    chance = Random(seed)  # noqa: S311  nothing is secret
    registers = {
        name: chance.choice((0, 1, chance.getrandbits(8), chance.getrandbits(64))) for name in GENERAL
    }
    registers |= {name: chance.getrandbits(128) for name in VECTORS}
    registers |= {"rbx": DATA_AT, "rsp": STACK, "rflags": 2 | chance.getrandbits(12) & 0x8D5}
    return registers, chance.randbytes(DATA_BYTES)


def run_on_machine(rig: Rig, code: bytes, registers: dict[str, int], data: bytes) -> dict:
    rig.write(CODE, code + snippets.assemble("fence; hlt", 0))
    rig.write(DATA_AT, data)
    rig.write(STACK - STACK_BYTES, bytes(STACK_BYTES))
    rig.begin()
    for name, value in registers.items():
        rig.engine.set_register(name, value)
    before = rig.books()
    rig.run_to(CODE + len(code))
    spent = Spent(before, rig.books())
    return {
        "registers": {name: rig.engine.register(name) for name in (*registers, "rip")},
        "memory": {
            str(DATA_AT): rig.read(DATA_AT, DATA_BYTES).hex(),
            str(STACK - STACK_BYTES): rig.read(STACK - STACK_BYTES, STACK_BYTES).hex(),
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


def test_random_programs_end_as_on_the_plain_engine_with_models_and_without(rigs, plain_engine) -> None:
    @SETTINGS
    @given(programs(), st.integers(0, 2**32))
    def check(source: str, seed: int) -> None:
        code = snippets.assemble(source, CODE)
        registers, data = initial(seed)
        expected = plain_engine(
            {
                "memory": {str(CODE): code.hex(), str(DATA_AT): data.hex()},
                "registers": registers,
                "begin": CODE,
                "end": CODE + len(code),
                "read": {str(DATA_AT): DATA_BYTES, str(STACK - STACK_BYTES): STACK_BYTES},
            }
        )
        expected["registers"]["rflags"] &= FLAGS
        for rig in rigs:
            found = run_on_machine(rig, code, registers, data)
            found["registers"]["rflags"] &= FLAGS
            assert found == expected

    check()
