# SPDX-License-Identifier: GPL-2.0-or-later
"""What a processor's registers are called in its present mode, DWARF's numbers for them, and who keeps them.

Sources: System V ABI, AMD64 supplement, figures 3.36 and 3.4, and i386 supplement, tables 2.14 and 2.3; DWARF
for the Arm 64-bit Architecture, table 1; Procedure Call Standard for the Arm 64-bit Architecture, 6.1.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ringscope.emulator.debug.register_set import REGISTERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringscope.emulator.cpu.engine import Engine

HALF: Final = 4  # bytes of an address where registers have 32 bits
LONG_MODE_ACTIVE: Final = 0x400  # in EFER

AMD64: Final = "rax rdx rcx rbx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 rip".split()
I386: Final = "eax ecx edx ebx esp ebp esi edi eip".split()
ARM64: Final = [*(f"x{n}" for n in range(31)), "sp"]


@dataclass(frozen=True)
class Mode:
    """What a processor's registers are called in one of its modes.

    ``dwarf`` are the names by DWARF's number. ``system`` are those that only a kernel has, ``kept`` those
    that a function keeps for its caller.
    """

    arch: str
    word: int  # bytes of an address
    program_counter: str
    stack_pointer: str
    frame_pointer: str
    link: str | None  # where a call leaves the return address, None for on the stack
    flags: str
    general: tuple[str, ...]
    system: tuple[str, ...]
    dwarf: Mapping[int, str]
    kept: frozenset[str]

    @property
    def numbers(self) -> dict[str, int]:
        """DWARF's numbers by name."""
        return {name: number for number, name in self.dwarf.items()}

    @property
    def whole(self) -> dict[str, str]:
        """The 64-bit registers that 32-bit ones are halves of."""
        return {name: f"r{name[1:]}" for name in self.general} if self.word == HALF else {}

    @property
    def aliases(self) -> dict[str, str]:
        """Names that mean the same on every machine."""
        return {"pc": self.program_counter, "sp": self.stack_pointer, "fp": self.frame_pointer}


LONG: Final = Mode(
    arch="x86_64",
    word=8,
    program_counter="rip",
    stack_pointer="rsp",
    frame_pointer="rbp",
    link=None,
    flags="rflags",
    general=REGISTERS["x86_64"].general,
    system=(*REGISTERS["x86_64"].segments, "cr0", "cr2", "cr3", "cr4", "efer"),
    dwarf=dict(enumerate(AMD64)),
    kept=frozenset("rbx rbp rsp r12 r13 r14 r15".split()),
)
PROTECTED: Final = Mode(
    arch="x86_64",
    word=4,
    program_counter="eip",
    stack_pointer="esp",
    frame_pointer="ebp",
    link=None,
    flags="eflags",
    general=(*"eax ebx ecx edx esi edi ebp esp eip eflags".split(),),
    system=LONG.system,
    dwarf=dict(enumerate(I386)),
    kept=frozenset("ebx ebp esp esi edi".split()),
)
ARM: Final = Mode(
    arch="aarch64",
    word=8,
    program_counter="pc",
    stack_pointer="sp",
    frame_pointer="x29",
    link="x30",
    flags="pstate",
    general=REGISTERS["aarch64"].general,
    system=(
        *"elr_el1 spsr_el1 esr_el1 far_el1 sp_el0 vbar_el1 ttbr0_el1 ttbr1_el1 tcr_el1 sctlr_el1".split(),
    ),
    dwarf=dict(enumerate(ARM64)) | {32: "pc"},
    kept=frozenset((*(f"x{n}" for n in range(19, 30)), "sp")),
)


def in_force(engine: Engine) -> Mode:
    """Return the registers that a processor has in its present mode."""
    if engine.arch == "aarch64":
        return ARM
    return LONG if engine.register("efer") & LONG_MODE_ACTIVE else PROTECTED
