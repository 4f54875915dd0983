# SPDX-License-Identifier: GPL-2.0-or-later
"""The registers of each architecture by name, their widths, and which a debugger may write.

The names are those of the data sheets in lower case. Control and system registers can only be read: what the
guest sees of translation and privilege is the guest's to decide.
"""

from __future__ import annotations

from dataclasses import dataclass

WIDTH = 64
X86_GENERAL = ("rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", *(f"r{n}" for n in range(8, 16)))


@dataclass(frozen=True)
class RegisterSet:
    """``narrow`` and ``wide`` are those that do not have 64 bits, with how many they have."""

    general: tuple[str, ...]
    bases: tuple[str, ...]  # of segments, or of a thread's own memory
    segments: tuple[str, ...]
    system: tuple[str, ...]
    floating: tuple[str, ...]
    vectors: tuple[str, ...]
    narrow: dict[str, int]

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, the general ones first."""
        return (
            *self.general,
            *self.segments,
            *self.bases,
            *self.system,
            *self.floating,
            *self.vectors,
        )

    @property
    def writable(self) -> frozenset[str]:
        """Those that may be written."""
        return frozenset((*self.general, *self.bases, *self.floating, *self.vectors))

    def bits(self, name: str) -> int:
        """Return a register's width."""
        if name in self.vectors:
            return 2 * WIDTH
        return self.narrow.get(name, WIDTH)


_X86_SEGMENTS = ("cs", "ss", "ds", "es", "fs", "gs")
_X87_NUMBERS = {"fpcw": 16, "fpsw": 16, "fptag": 16, "fcs": 16, "fip": 64, "fds": 16, "fdp": 64, "fop": 16}
_X86_FLOATING = {**{f"st{n}": 80 for n in range(8)}, **_X87_NUMBERS, "mxcsr": 32}
_ARM_FLOATING = {"fpcr": 32, "fpsr": 32}
REGISTERS = {
    "x86_64": RegisterSet(
        general=(*X86_GENERAL, "rip", "rflags"),
        segments=_X86_SEGMENTS,
        bases=("fs_base", "gs_base"),
        system=(
            *("cr0", "cr2", "cr3", "cr4", "cr8", "efer"),
            *("dr0", "dr1", "dr2", "dr3", "dr6", "dr7"),
            *("star", "lstar", "cstar", "fmask", "kernel_gs_base"),
            *("sysenter_cs", "sysenter_esp", "sysenter_eip"),
        ),
        floating=tuple(_X86_FLOATING),
        vectors=tuple(f"xmm{n}" for n in range(16)),
        narrow={**dict.fromkeys(_X86_SEGMENTS, 16), **_X86_FLOATING, "rflags": 32},
    ),
    "aarch64": RegisterSet(
        general=(*(f"x{n}" for n in range(31)), "sp", "pc", "pstate"),
        segments=(),
        bases=("tpidr_el0", "tpidrro_el0", "tpidr_el1"),
        system=(
            *("elr_el1", "spsr_el1", "esr_el1", "far_el1", "vbar_el1", "sp_el0", "sp_el1"),
            *("ttbr0_el1", "ttbr1_el1", "tcr_el1", "sctlr_el1", "mair_el1", "cpacr_el1", "par_el1"),
        ),
        floating=tuple(_ARM_FLOATING),
        vectors=tuple(f"q{n}" for n in range(32)),
        narrow={**_ARM_FLOATING, "pstate": 32},
    ),
}
