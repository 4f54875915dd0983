# SPDX-License-Identifier: GPL-2.0-or-later
# ruff: noqa: S311 (choices are random and seeded; nothing is secret)
"""What the random tests must know of each architecture: its programs, registers, and what handles what."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from tests.differential import arm_programs, programs
from tests.machine import arm_snippets, snippets
from tests.machine.arm_snippets import LEVEL_3, RAM, SAME_IRQ, SAME_SYNC, page_entry
from tests.machine.rigs import RIGS
from tests.machine.snippets import PAGE, PAGE_TABLE

if TYPE_CHECKING:
    from types import ModuleType

    from hypothesis import strategies as st

    from tests.machine.processor import Processor

DATA_BYTES = programs.DATA_BYTES
STACK_BYTES = 256
VECTOR = 0x50


@dataclass(frozen=True)
class Guest:
    """One architecture. ``flags`` are those that every instruction leaves defined."""

    arch: str
    programs: st.SearchStrategy[str]
    snippets: ModuleType
    general: tuple[str, ...]
    vectors: tuple[str, ...]
    base: str  # holds the address of the data
    stack: str
    flags_register: str
    flags: int
    no_flags: int  # what the register holds with none of them set
    open: str  # lets interrupts in
    interrupt: tuple[int, str]  # vector and handler
    supply: tuple[int, str]  # of the fault of an absent page

    @property
    def code_at(self) -> int:
        """Where the program is."""
        return int(self.snippets.CODE)

    @property
    def data_at(self) -> int:
        """Where its data is: across a page end."""
        return int(self.snippets.DATA) + PAGE - DATA_BYTES // 2

    @property
    def stack_at(self) -> int:
        """The top of its stack."""
        return int(self.snippets.KERNEL_STACK)

    def initial(self, seed: int) -> tuple[dict[str, int], bytes]:
        """Registers and data to begin with."""
        chance = Random(seed)
        registers = {
            name: chance.choice((0, 1, chance.getrandbits(8), chance.getrandbits(64)))
            for name in self.general
        }
        registers |= {name: chance.getrandbits(128) for name in self.vectors}
        registers |= {self.base: self.data_at, self.stack: self.stack_at}
        registers[self.flags_register] = self.no_flags | chance.getrandbits(32) & self.flags & ~DIRECTION
        return registers, chance.randbytes(DATA_BYTES)

    def make_data_absent(self, processor: Processor) -> None:
        """Take the pages of the data away; ``supply`` brings each back when it is missed."""
        for page in range(self.data_at // PAGE, (self.data_at + DATA_BYTES - 1) // PAGE + 1):
            at = PAGE_TABLE + 8 * page if self.arch == "x86_64" else page_entry(page * PAGE)
            processor.write_word(at, processor.read_word(at) & ~1)

    def ready(self, *, timing: bool = True) -> Processor:
        """Return a rig that may execute everything there is in a program."""
        processor = RIGS[self.arch](timing=timing)
        if self.arch == "aarch64":
            processor.measure("movz x9, #0x30, lsl #16; msr cpacr_el1, x9; isb")
        return processor


DIRECTION = 0x400  # of strings, on x86: programs begin with it clear
SET_PRESENT = f"or byte ptr [rax*8 + {PAGE_TABLE}], 1"
GUESTS = {
    "x86_64": Guest(
        arch="x86_64",
        programs=programs.programs,
        snippets=snippets,
        general=("rax", "rcx", "rdx", "rsi", "rdi", "rbp", *(f"r{n}" for n in range(8, 16))),
        vectors=tuple(f"xmm{n}" for n in range(8)),
        base="rbx",
        stack="rsp",
        flags_register="rflags",
        flags=0xCD5,
        no_flags=2,
        open="sti; nop",
        interrupt=(VECTOR, "lock inc dword ptr [rsp - 16]; iretq"),
        supply=(
            14,
            f"push rax; mov rax, cr2; shr rax, 12; {SET_PRESENT}; pop rax; add rsp, 8; iretq",
        ),
    ),
    "aarch64": Guest(
        arch="aarch64",
        programs=arm_programs.programs,
        snippets=arm_snippets,
        general=(*(f"x{n}" for n in range(16)), "x27", "x30"),
        vectors=tuple(f"q{n}" for n in range(16)),
        base="x28",
        stack="sp",
        flags_register="nzcv",
        flags=0xF << 28,
        no_flags=0,
        open="msr daifclr, #2",
        interrupt=(SAME_IRQ, "add x18, x18, #1; eret"),
        supply=(
            SAME_SYNC,
            (
                f"mrs x16, far_el1; set x17, {RAM}; sub x16, x16, x17; lsr x16, x16, #12; set x17, {LEVEL_3};"
                "add x16, x17, x16, lsl #3; ldr x17, [x16]; orr x17, x17, #1; str x17, [x16]; dsb ish; eret"
            ),
        ),
    ),
}
