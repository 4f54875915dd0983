# SPDX-License-Identifier: GPL-2.0-or-later
"""Mode switches and switches of the address space, and their prices, of sequences counted by hand."""

from __future__ import annotations

import pytest

from tests.machine.rig import Rig, Spent, skylake
from tests.machine.snippets import (
    CODE,
    DATA,
    IDT,
    PAGE,
    PAGE_TABLE,
    PML4,
    SPARE_PML4,
    USER_CODE,
    USER_CS,
    USER_SS,
    USER_STACK,
    gate,
)

COST = skylake().cost
BACK = CODE + 0x800  # where the kernel goes on after the user's last interrupt, vector 0x41
PUSH_USER = f"push {USER_SS}; push {USER_STACK}"
ENTER = f"{PUSH_USER}; push {{flags}}; push {USER_CS}; push {USER_CODE}; iretq"
LEAVE = "int 0x41"
FAST = CODE + 0xC00  # the entry of SYSCALL and SYSENTER
SETUP = (
    f"mov rbp, rsp; mov ecx, 0xc0000082; mov eax, {FAST}; xor edx, edx; wrmsr;"
    "mov ecx, 0xc0000081; mov edx, 0x180008; xor eax, eax; wrmsr;"
    "mov ecx, 0xc0000084; mov eax, 0x200; xor edx, edx; wrmsr;"  # SYSCALL clears IF
    "mov ecx, 0x174; mov eax, 8; xor edx, edx; wrmsr;"
    "mov ecx, 0x175; mov rax, rsp; wrmsr;"
    f"mov ecx, 0x176; mov eax, {FAST}; wrmsr; jmp ready; ready: fence"
)


def visit_user(rig: Rig, user: str, *, fast: str = "hlt", flags: int = 0x2) -> Spent:
    """Go to ring 3, run a snippet there and come back by LEAVE; return what that took, warm."""
    rig.handler(0x41, f"mov rsp, rbp; mov rax, {BACK}; jmp rax")
    rig.place(USER_CODE, f"{user}; {LEAVE}")
    rig.place(FAST, fast)
    rig.place(BACK, "fence; hlt")
    ready = rig.place(CODE, SETUP)
    rig.place(ready, ENTER.format(flags=flags))
    for _ in range(2):
        rig.begin()
        rig.run_to(ready - 8)
        before = rig.books()
        rig.run_to(BACK)
    return Spent(before, rig.books())


#: What the user does; the fast entry; beside the visit's own: mode switches, cycles under the cause `trap`.
CROSSINGS = {
    "nothing": ("nop", "hlt", 0, 0),
    "syscall": ("syscall", "sysretq", 2, COST["syscall"] + COST["sysret"]),
    "syscalls": ("syscall; syscall; syscall", "sysretq", 6, 3 * (COST["syscall"] + COST["sysret"])),
    "syscall with swapgs": ("syscall", "swapgs; swapgs; sysretq", 2,
                            COST["syscall"] + COST["sysret"] + 2 * COST["swapgs"]),
    "syscall left by iret": ("syscall", f"{PUSH_USER}; push 2; push {USER_CS}; push rcx; iretq", 2,
                             COST["syscall"] + COST["iret"]),
    "sysenter": (f"lea rdx, [rip + on]; mov ecx, {USER_STACK}; sysenter; on: nop", "sysexitq", 2,
                 COST["sysenter"] + COST["sysexit"]),
    "int": ("int 0x42", "hlt", 2, COST["int_gate"] + COST["iret"]),
    "int3": ("int3", "hlt", 2, COST["int_gate"] + COST["iret"]),
    "a fault": ("ud2", "hlt", 2, COST["exception"] + COST["iret"]),
    "a privileged instruction": ("cli; nop", "hlt", 2, COST["exception"] + COST["iret"]),
    "a refused int": ("int 0x44; nop; nop", "hlt", 2, COST["exception"] + COST["iret"]),
    "nested in the kernel": ("int 0x43", "hlt", 2, 2 * (COST["int_gate"] + COST["iret"])),
}  # fmt: skip


def with_handlers(rig: Rig) -> None:
    rig.handler(0x42, "iretq")
    rig.write(IDT + 16 * 0x44, gate(0, privilege=0))
    rig.handler(3, "iretq")
    rig.handler(0x43, "int 0x42; iretq")
    rig.handler(6, "add qword ptr [rsp], 2; iretq")
    rig.handler(13, "inc qword ptr [rsp + 8]; add rsp, 8; iretq")


VISIT_TRAP = COST["iret"] + COST["int_gate"]


@pytest.mark.parametrize("name", CROSSINGS)
def test_a_crossing_is_two_mode_switches_at_the_profiles_price(rig, name: str) -> None:
    user, fast, switches, trap = CROSSINGS[name]
    with_handlers(rig)
    spent = visit_user(rig, user, fast=fast)
    assert spent["mode-switches"] == 2 + switches
    assert spent.cause("trap") == VISIT_TRAP + trap
    assert spent["address-space-switches"] == 0


@pytest.mark.parametrize("name", CROSSINGS)
def test_without_models_the_crossings_are_counted_all_the_same(make_rig, name: str) -> None:
    user, fast, switches, _ = CROSSINGS[name]
    rig = make_rig(timing=False)
    with_handlers(rig)
    spent = visit_user(rig, user, fast=fast)
    assert spent["mode-switches"] == 2 + switches
    assert spent["cycles"] == spent["instructions"]


def test_an_interrupt_in_ring_0_switches_no_mode(rig) -> None:
    rig.handler(0x50, "inc r15; iretq")
    rig.measure("nop")
    rig.schedule((rig.engine.time, 0x50))
    spent = rig.measure("sti; nop; nop; cli")
    assert (spent["interrupts"], spent["mode-switches"]) == (1, 0)
    assert spent.cause("trap") == COST["hardware_interrupt"] + COST["iret"]


def test_an_interrupt_in_ring_3_switches_the_mode_twice(rig) -> None:
    rig.handler(0x50, "inc r15; iretq")
    user = "mov ecx, 10000; spin: dec ecx; jnz spin"  # some 7500 cycles
    undisturbed = visit_user(rig, user, flags=0x202)
    rig.schedule((rig.engine.time + 4000, 0x50))
    rig.begin()
    before = rig.books()
    rig.run_to(BACK)
    disturbed = Spent(before, rig.books())
    assert disturbed["interrupts"] == 1
    assert disturbed["mode-switches"] == undisturbed["mode-switches"] + 2


def test_what_happens_in_a_gate_is_the_kernels(rig) -> None:
    with_handlers(rig)
    empty = visit_user(rig, "nop")
    spent = visit_user(rig, "int 0x42")
    assert spent.by_ring("mode-switches") == (4, 0)
    frame = 5  # SS, RSP, RFLAGS, CS, RIP
    assert spent.by_ring("L1-dcache-stores")[0] - empty.by_ring("L1-dcache-stores")[0] == frame
    assert spent.by_ring("L1-dcache-stores")[1] == empty.by_ring("L1-dcache-stores")[1] == 0


# ---- address spaces ----


def test_only_a_write_of_cr3_that_changes_it_switches_the_address_space(rig) -> None:
    spent = rig.measure(
        f"mov rax, {PML4}; mov cr3, rax; mov cr3, rax; mov rbx, {SPARE_PML4}; mov cr3, rbx; mov cr3, rbx;"
        "mov cr3, rax; mov cr3, rax"
    )
    assert spent["address-space-switches"] == 2
    assert spent.cause("serialisation") == 6 * COST["mov_cr3"]


PCID = 1 << 17
TOUCH = f"mov ecx, [{DATA}]; mov ecx, [{DATA + PAGE}]; mov ecx, [{DATA + 2 * PAGE}]"


def to_space(table: int, pcid: int, *, keep: bool) -> str:
    return f"mov rax, {table | pcid | keep << 63}; mov cr3, rax"


@pytest.mark.parametrize(("keep", "misses"), [(True, 0), (False, 3)])
def test_bit_63_of_cr3_keeps_the_entries_of_the_new_identifier(make_rig, keep: bool, misses: int) -> None:
    rig = make_rig(cr4=PCID)
    first, other = to_space(PML4, 1, keep=keep), to_space(SPARE_PML4, 2, keep=True)
    rig.measure(f"{to_space(PML4, 1, keep=False)}; {TOUCH}; {other}; {TOUCH}")
    spent = rig.measure(f"{first}; {TOUCH}; {other}; {TOUCH}")
    assert spent["address-space-switches"] == 2
    assert spent["dTLB-loads"] == 6
    assert spent["dTLB-load-misses"] == misses
    assert spent.cause("serialisation") == 2 * COST["mov_cr3_pcid"]


def test_bit_63_is_no_part_of_the_value(make_rig) -> None:
    rig = make_rig(cr4=PCID)
    spent = rig.measure(f"{to_space(PML4, 1, keep=False)}; {to_space(PML4, 1, keep=True)}; mov rdx, cr3")
    assert spent["address-space-switches"] == 1
    assert rig.engine.register("rdx") == PML4 | 1


def test_without_identifiers_every_write_of_cr3_forgets_what_is_not_global(rig) -> None:
    entry = PAGE_TABLE + 8 * (DATA // PAGE)
    source = f"mov rax, cr3; mov cr3, rax; {TOUCH}"
    assert rig.measure(source, warm=True)["dTLB-load-misses"] == 3
    rig.write(entry + 1, bytes([rig.read(entry + 1, 1)[0] | 1]))  # bit 8: global
    rig.measure("mov rax, cr4; or eax, 0x80; mov cr4, rax")
    assert rig.measure(source, warm=True)["dTLB-load-misses"] == 2


# ---- code where no memory answers ----

NOTHING = 1 << 30  # a frame far behind RAM


@pytest.mark.parametrize("timing", [True, False], ids=["timing", "functional"])
def test_a_jump_to_where_no_memory_answers_is_an_undefined_instruction_there(timing: bool) -> None:
    rig = Rig(timing=timing)
    rig.handler(6, "mov r14, [rsp]; mov rsp, [rsp + 24]; ret")
    rig.write(PAGE_TABLE + 8 * (DATA // PAGE), (NOTHING | 7).to_bytes(8, "little"))
    spent = rig.measure(f"mov eax, {DATA + 5}; call rax; inc r15; call rax; inc r15")
    assert rig.engine.register("r14") == DATA + 5
    assert rig.exceptions() == {6: 2}
    assert spent["instructions"] == 5 + 2 * 3
    assert spent["page-faults"] == 0
    rig.close()
