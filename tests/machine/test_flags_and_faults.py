# SPDX-License-Identifier: GPL-2.0-or-later
"""An instruction that faults and is done again finds the flags it would have found without the fault.

The engine works the arithmetic flags out late, and forgets them if the instruction that asks for them faults.
"""

from __future__ import annotations

import pytest

from tests.machine.rig import Rig
from tests.machine.snippets import CODE, DATA, PAGE, PAGE_TABLE

ENTRY_OF_DATA = PAGE_TABLE + 8 * (DATA // PAGE)
ALLOW = f"or byte ptr [rax*8 + {PAGE_TABLE}], 3"  # present, writable
SUPPLY = (
    f"push rax; mov rax, cr2; shr rax, 12; {ALLOW}; mov rax, cr2; invlpg [rax]; pop rax; add rsp, 8; iretq"
)
PRESENT, WRITABLE = 1, 2
WRITE_PROTECT = 16  # bit of CR0: pages protect themselves from ring 0 too

CONDITIONS = "o no b ae e ne be a s ns p np l ge le g".split()
INSTRUCTIONS = (
    *(f"set{condition} byte ptr [rdi]" for condition in CONDITIONS),
    "adc dword ptr [rdi], 1", "sbb [rdi], edx", "inc qword ptr [rdi]", "not dword ptr [rdi]",
    "shl dword ptr [rdi], cl", "cmpxchg [rdi], edx", "cmpxchg8b [rdi]", "cmpxchg16b [rdi]", "xadd [rdi], edx",
    "lock adc dword ptr [rdi], 5", "bts dword ptr [rdi], 1", "cmovo edx, [rdi]", "cmovle rdx, [rdi]",
)  # fmt: skip
#: What left the flags, by the way the engine remembers them.
BEFORE = {
    "a subtraction": "mov eax, 0x80000000; sub eax, 1",
    "a comparison": "cmp eax, eax",
    "an increment": "stc; mov eax, 0x7fffffff; inc eax",
    "a logical operation": "stc; mov eax, -1; test eax, eax",
    "a shift": "mov eax, 0xc0000000; shl eax, 1",
}


@pytest.fixture(scope="module")
def shared_rig():
    rig = Rig(timing=False)
    rig.handler(14, SUPPLY)
    rig.begin()
    yield rig
    rig.close()


def outcome(rig: Rig, before: str, instruction: str, missing: int) -> tuple:
    """Run the two with some rights to the page missing; return registers, flags and memory."""
    rig.write(DATA, b"\x85\x11\x22\x83" * 4)
    rig.write(ENTRY_OF_DATA, bytes([7 & ~missing]))
    end = rig.place(
        CODE,
        f"mov rax, cr0; bts rax, {WRITE_PROTECT}; mov cr0, rax; mov rax, cr3; mov cr3, rax; mov edi, {DATA};"
        f"mov ecx, 3; mov edx, 5; mov ebx, 9; {before}; {instruction}; pushfq; pop r9",
    )
    rig.place(end, "fence; hlt")
    rig.begin()
    faults = rig.books().total("page-faults")
    rig.run_to(end)
    assert rig.books().total("page-faults") == faults + bool(missing)
    return tuple(rig.engine.register(name) for name in ("r9", "rax", "rdx", "rcx")), rig.read(DATA, 16)


@pytest.mark.parametrize("where", ["in one block", "at the beginning of a block"])
@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("instruction", INSTRUCTIONS)
def test_flags_survive_the_fault_of_the_instruction_that_asks_for_them(
    shared_rig, instruction: str, before: str, where: str
) -> None:
    setting = BEFORE[before] + ("; jmp on; on:" if "beginning" in where else "")
    expected = outcome(shared_rig, setting, instruction, 0)
    assert outcome(shared_rig, setting, instruction, PRESENT) == expected
    if not instruction.startswith("cmov"):
        assert outcome(shared_rig, setting, instruction, WRITABLE) == expected


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("instruction", ["rcl dword ptr [rdi], 1", "rcr dword ptr [rdi], cl"])
def test_a_rotation_through_carry_finds_its_carry_after_the_page_was_missing(
    shared_rig, instruction: str, before: str
) -> None:
    expected = outcome(shared_rig, BEFORE[before], instruction, 0)
    assert outcome(shared_rig, BEFORE[before], instruction, PRESENT) == expected
