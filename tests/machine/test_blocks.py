# SPDX-License-Identifier: GPL-2.0-or-later
"""Where blocks end. Each block asks the instruction TLB once for each page it lies on: that counts them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.machine import arm_snippets
from tests.machine.rig import Rig, Spent
from tests.machine.snippets import (
    CODE,
    DATA,
    EVENT,
    PAGE,
    PAGE_TABLE,
    USER_CODE,
    USER_CS,
    USER_SS,
    USER_STACK,
    mark,
)

if TYPE_CHECKING:
    from collections.abc import Callable

NOP = b"\x90"

#: Name, snippet, blocks. The snippet's end is the end of a block.
BLOCKS = (
    ("one", "nop;" * 3, 1),
    ("sixty-four instructions", "nop;" * 64, 1),
    ("one more", "nop;" * 65, 2),
    ("three limits", "nop;" * 193, 4),
    ("an untaken branch", "xor eax, eax; jnz over; nop; over: nop", 2),
    ("a taken branch", "xor eax, eax; jz over; nop; over: nop", 2),
    ("a call", "call f; jmp over; f: nop; ret; over: nop", 4),
    ("a loop", "mov ecx, 5; again: nop; loop again", 5),
    ("a mark", f"nop; nop; mark {EVENT}, 0; nop", 2),
    ("two marks", f"nop; mark {EVENT}, 0; mark {EVENT}, 0; nop", 3),
    ("a mark first", f"mark {EVENT}, 0; nop", 1),
    ("a longer nop", "nop; .byte 0x0f,0x1f,0x84,0,0,0,0,0; nop", 1),
    ("a string", f"mov edi, {DATA}; mov ecx, 9; rep stosb; nop", 2),
    ("a single string instruction", f"mov edi, {DATA}; stosb; nop", 1),
    ("cpuid", "nop; cpuid; nop", 2),
    ("rdtsc", "nop; rdtsc; nop", 2),
    ("the interrupt flag", "nop; cli; nop", 2),
    ("the flags", "pushfq; popfq; nop", 2),
    ("the interrupt shadow", "sti; nop; nop; cli", 3),
    ("a control register", "mov rax, cr0; mov cr0, rax; nop", 2),
    ("a segment", "mov eax, ds; mov ds, eax; nop", 1),
    ("the stack segment", "mov eax, ss; mov ss, eax; nop; nop", 3),
    ("a condition stored", f"mov edi, {DATA}; cmp eax, eax; sete [rdi]; nop; sete al", 2),
    ("a port", "in al, 0x80; nop; out 0x80, al; nop", 3),
)  # fmt: skip


@pytest.mark.parametrize(("source", "blocks"), [b[1:] for b in BLOCKS], ids=[b[0] for b in BLOCKS])
def test_a_block_ends_where_the_code_says(rig, source: str, blocks: int) -> None:
    assert rig.measure(source)["iTLB-loads"] == blocks


def jumped_to(rig: Rig, address: int, code: bytes) -> Spent:
    """Run code at an address up to its end, which is a fence's beginning."""
    rig.write(address, code + mark(EVENT) + b"\xf4")
    rig.place(CODE, f"mov rax, {address}; jmp rax")
    rig.run_to(CODE)
    rig.run_to(address)
    before = rig.books()
    rig.run_to(address + len(code))
    return Spent(before, rig.books())


LAST = CODE + 8 * PAGE  # a page end


@pytest.mark.parametrize("before", [1, 2, 5])
def test_a_block_ends_with_its_page(rig, before: int) -> None:
    spent = jumped_to(rig, LAST - before, NOP * (before + 4))
    assert spent["instructions"] == before + 4
    assert spent["iTLB-loads"] == 2


INC_LONG = b"\x48\x81\xc1\x01\x00\x00\x00"  # add rcx, 1: seven bytes


@pytest.mark.parametrize("on_first", [1, 3, 6])
def test_an_instruction_that_crosses_a_page_end_is_a_block_of_its_own(rig, on_first: int) -> None:
    spent = jumped_to(rig, LAST - on_first - 2, NOP * 2 + INC_LONG + NOP * 2)
    assert spent["instructions"] == 5
    assert spent["iTLB-loads"] == 1 + 2 + 1  # the crossing one is looked up on both pages


def test_a_fault_on_an_instructions_second_page_is_met_there_and_nothing_of_it_counts(rig) -> None:
    rig.handler(14, f"mov r14, cr2; mov r13, [rsp + 8]; or byte ptr [{PAGE_TABLE + 8 * (LAST // PAGE)}], 1; "
                    "add rsp, 8; iretq")  # fmt: skip
    rig.run_to(CODE)
    rig.write(PAGE_TABLE + 8 * (LAST // PAGE), b"\0")
    start, code = LAST - 3 - 2, NOP * 2 + INC_LONG
    rig.write(start, code + mark(EVENT) + b"\xf4")
    rig.place(CODE, f"xor ecx, ecx; mov rax, {start}; jmp rax")
    before = rig.books()
    rig.run_to(start + len(code))
    spent = Spent(before, rig.books())
    assert spent["page-faults"] == 1
    assert (rig.engine.register("r14"), rig.engine.register("r13")) == (LAST, LAST - 3)
    assert rig.engine.register("rcx") == 1
    assert spent["instructions"] == 3 + 2 + 5 + 1


def test_code_that_changed_is_decoded_anew_and_counted_as_it_is_now(rig) -> None:
    body, rounds = CODE + 0x400, 3
    rig.place(body, "inc eax; inc eax; ret")
    patch = int.from_bytes(b"\xff\xc0\xc3\x90", "little")  # inc eax; ret
    source = f"mov r12d, {rounds}; again: mov rax, {body}; call rax; dec r12d; jnz again"
    assert rig.measure(source)["instructions"] == 1 + rounds * (4 + 3)
    source = f"mov dword ptr [{body}], {patch}; {source}"
    assert rig.measure(source)["instructions"] == 2 + rounds * (4 + 2)


def test_a_store_into_the_rest_of_its_own_block_ends_it(rig) -> None:
    # Two nops become `inc eax`: one instruction where there were two, executed at once as it now is.
    source = "xor eax, eax; lea rbx, [rip + there]; mov word ptr [rbx], 0xc0ff; there: nop; nop; nop"
    spent = rig.measure(source)
    assert rig.engine.register("rax") == 1
    assert spent["instructions"] == 3 + 2
    assert spent["L1-dcache-stores"] == 1


def test_an_instruction_that_changes_itself_is_executed_and_counted_once(rig) -> None:
    spent = rig.measure("inc eax; here: add byte ptr [rip + here + 6], 1; nop; inc eax")
    assert spent["instructions"] == 4
    assert (spent["L1-dcache-loads"], spent["L1-dcache-stores"]) == (1, 1)
    assert rig.read(CODE + 2, 7)[6] == 2


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_an_instruction_that_changes_itself_can_be_stepped(rig, steps: int) -> None:
    rig.place(CODE, "here: add byte ptr [rip + here + 6], 1; nop; fence; hlt")
    rig.run_to(CODE)
    rig.engine.run(steps=steps)
    assert rig.engine.register("rip") == CODE + (7, 8, 16)[steps - 1]
    assert rig.read(CODE + 6, 1) == b"\x02"


USER_CS_32 = 0x1B
#: In 64 bits `inc rax` and the way back, in 32 bits `dec eax`, `inc eax` and the way back.
OF_TWO_MODES = b"\x48\xff\xc0\xcd\x50"


def test_the_same_bytes_in_64_and_in_32_bits_are_two_blocks(rig) -> None:
    rig.handler(0x50, "add rsp, 40; jmp r15")
    rig.write(USER_CODE, OF_TWO_MODES)
    modes = (USER_CS, USER_CS_32, USER_CS, USER_CS_32)
    visits = "".join(
        f"push {USER_SS}; push {USER_STACK}; push 2; push {selector}; push {USER_CODE};"
        f"lea r15, [rip + back{number}]; iretq; back{number}:"
        for number, selector in enumerate(modes)
    )
    spent = rig.measure(f"mov eax, 5; {visits} nop")
    assert rig.engine.register("rax") == 5 + 2
    assert spent["instructions"] == 1 + 4 * (7 + 2) + 2 * 2 + 2 * 3 + 1
    assert spent.by_ring("instructions")[1] == 2 * 2 + 2 * 3


# ---- by what a block is known ----


@dataclass(frozen=True)
class Mapping:
    """How a page's entry is rewritten, the page forgotten and called; how many instructions these take."""

    frames: tuple[int, int]
    map_and_call: Callable[[int], str]
    instructions: int
    clear: str
    increment: str
    leave: str
    counter: str


def map_x86(frame: int) -> str:
    entry = PAGE_TABLE + 8 * (DATA // PAGE)
    return f"mov qword ptr [{entry}], {frame | 7}; invlpg [{DATA}]; mov rax, {DATA}; call rax"


def map_arm(frame: int) -> str:
    entry, vaddr = arm_snippets.page_entry(arm_snippets.DATA), arm_snippets.DATA
    return (
        f"set x1, {entry}; set x2, {frame | arm_snippets.KERNEL_PAGE & 0xFFF}; str x2, [x1]; dsb ish;"
        f"set x1, {vaddr >> 12}; tlbi vaae1, x1; dsb ish; isb; set x1, {vaddr}; blr x1"
    )


MAPPINGS = {
    "x86_64": Mapping((DATA + PAGE, DATA + 2 * PAGE), map_x86, 4, "xor r8d, r8d", "inc r8d", "ret", "r8"),
    "aarch64": Mapping(
        (arm_snippets.DATA + PAGE, arm_snippets.DATA + 2 * PAGE),
        map_arm, 14, "movz x8, #0", "add x8, x8, #1", "ret", "x8",
    ),
}  # fmt: skip


@pytest.mark.parametrize("arch", MAPPINGS)
def test_two_programs_at_one_virtual_address_are_two_blocks(make, arch: str) -> None:
    """The page at DATA is mapped to one frame, then to the other, and so on."""
    mapping, processor = MAPPINGS[arch], make(arch)
    for frame, increments in zip(mapping.frames, (1, 5), strict=True):
        processor.place(frame, f"{mapping.increment};" * increments + mapping.leave)
    visits = "; ".join(mapping.map_and_call(frame) for frame in mapping.frames * 2)
    spent = processor.measure(f"{mapping.clear}; {visits}")
    assert processor.register(mapping.counter) == 2 * (1 + 5)
    assert spent["instructions"] == 1 + 4 * mapping.instructions + 2 * (1 + 5) + 4


#: A function at ELSEWHERE below CODE, called twice, the second time after a fence.
CALLS = {
    "x86_64": (
        "mov eax, {0}; call rax; mark 2, 9; mov eax, {0}; call rax",
        "inc r8d; ret", "inc r8d; inc r8d; ret", "r8",
    ),
    "aarch64": (
        "set x1, {0}; blr x1; mark 2, 9; blr x1",
        "add x8, x8, #1; ret", "add x8, x8, #1; add x8, x8, #1; ret", "x8",
    ),
}  # fmt: skip


@pytest.mark.parametrize("arch", CALLS)
def test_code_that_a_device_wrote_is_executed_as_it_is_now(make, arch: str) -> None:
    """The device writes while the guest is at the mark, between two calls of what it writes."""
    calls, before, after, counter = CALLS[arch]
    processor = make(arch)
    elsewhere = processor.snippets.CODE + 4 * PAGE
    processor.place(elsewhere, before)
    end = processor.place(processor.snippets.CODE, calls.format(elsewhere))
    processor.place_end(end)
    processor.begin()
    processor.engine.set_register(counter, 0)
    finish = processor.engine.time + 1

    def write() -> None:
        if processor.register(counter) == 1:
            processor.place(elsewhere, after)
            processor.engine.forget_code()
            processor.engine.set_next_event(None)
        else:
            processor.engine.set_next_event(processor.engine.time + 1)

    processor.on_events = write
    processor.engine.set_next_event(finish)
    processor.run_to(end)
    assert processor.register(counter) == 1 + 2


@pytest.mark.parametrize("arch", CALLS)
def test_code_that_comes_back_is_the_block_it_was(make, arch: str) -> None:
    """Two versions alternate: each is decoded once, and counted as what it is."""
    calls, before, after, _ = CALLS[arch]
    processor = make(arch)
    elsewhere = processor.snippets.CODE + 4 * PAGE
    seen = []
    for version in (before, after, before, after):
        processor.place(elsewhere, version)
        processor.engine.forget_code()
        seen.append(processor.measure(calls.format(elsewhere), warm=True).everything())
    for first, again in ((0, 2), (1, 3)):
        differ = {name for name, count in seen[first].items() if count != seen[again][name]}
        assert all(name.startswith("cycles") for name in differ)
        assert all(abs(seen[first][name] - seen[again][name]) <= 1 for name in differ)  # by what is carried
    assert seen[1]["instructions"] - seen[0]["instructions"] == 2 * 1
