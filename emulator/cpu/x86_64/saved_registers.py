# SPDX-License-Identifier: GPL-2.0-or-later
"""All registers of an x86 processor by name: what a snapshot has of it.

Segment registers with their hidden parts, control registers and EFER are written where the engine keeps them,
past its checks, which a state that was reached need not pass again. EFLAGS come out of the engine's lazy
ones. Not here: what the machine keeps itself (the time-stamp counter, IA32_TSC_AUX, the local APIC).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringscope.emulator.cpu.fields import Field, Fields
from ringscope.emulator.cpu.x86_64.msr import KEPT_BY_ENGINE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringscope.emulator.cpu.x86_64.engine import X86Engine

GENERAL = "rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15".split()
SEGMENTS = "es cs ss ds fs gs".split()
TABLES = {"gdtr": "gdt", "idtr": "idt", "ldtr": "ldt", "tr": "tr"}
SEGMENT_BYTES = 24
SEGMENT_PARTS = {"selector": (0, 4), "base": (8, 8), "limit": (16, 4), "attributes": (20, 4)}
SHADOW = 1 << 3  # of the engine's mode flags: interrupts are held off for one instruction
MODE_FLAGS = "hflags"

PLACES = (
    {name: Field("regs", 8 * number) for number, name in enumerate(GENERAL)}
    | {"rip": Field("eip")}
    | {f"cr{number}": Field("cr", 8 * number) for number in (0, 2, 3, 4)}
    | {"efer": Field("efer")}
    | {
        f"{name}.{part}": Field(place, SEGMENT_BYTES * number + offset, size)
        for place, names in (("segs", SEGMENTS), *((place, [name]) for name, place in TABLES.items()))
        for number, name in enumerate(names)
        for part, (offset, size) in SEGMENT_PARTS.items()
    }
)
#: Kept among the fields above.
ELSEWHERE = {0xC0000080, 0xC0000100, 0xC0000101}  # EFER, FS_BASE, GS_BASE
MSRS = {f"msr {index:#x}": index for index in sorted(KEPT_BY_ENGINE - ELSEWHERE)}
#: Through the public interface: debug registers, x87, SSE. FPSW holds the top of the x87 stack.
PUBLIC = [
    *(f"dr{number}" for number in (0, 1, 2, 3, 6, 7)),
    *"fpcw fpsw fptag fip fcs fdp fds fop mxcsr".split(),
    *(f"xmm{number}" for number in range(16)),
]
DEBUG_CONTROL, NO_BREAKPOINTS = "dr7", 0x400  # what of it is always set
X87 = [f"fp{number}" for number in range(8)]  # as pairs: mantissa, sign and exponent
MANTISSA_BITS = 64


class SavedRegisters:
    """The registers of one processor."""

    def __init__(self, engine: X86Engine) -> None:
        """Nothing is read or written yet."""
        self._engine = engine
        self._fields = Fields(engine, PLACES)
        self._mode = Fields(engine, {MODE_FLAGS: Field(MODE_FLAGS, 0, 4)})

    def read(self) -> dict[str, int]:
        """Return every register's value."""
        engine = self._engine
        values = dict(self._fields.read())
        values["rflags"] = engine.register("rflags")
        values["interrupt_shadow"] = int(bool(self._mode_flags & SHADOW))
        values |= {name: engine.model_specific(index) for name, index in MSRS.items()}
        values |= {name: engine.register(name) for name in PUBLIC}
        for name in X87:
            mantissa, exponent = engine.extended_register(name)
            values[name] = exponent << MANTISSA_BITS | mantissa
        return values

    def write(self, values: Mapping[str, int]) -> None:
        """Write every register. Raises KeyError for one that is missing."""
        engine = self._engine
        self._fields.write(values)
        engine.set_register("rflags", values["rflags"])
        engine.set_register("cr4", values["cr4"])  # the engine derives mode flags from the write
        shadow = SHADOW if values["interrupt_shadow"] else 0
        self._mode.write({MODE_FLAGS: self._mode_flags & ~SHADOW | shadow})
        for name, index in MSRS.items():
            if engine.model_specific(index) != values[name]:  # some can only be read
                engine.set_model_specific(index, values[name])
        engine.set_debug_control(NO_BREAKPOINTS)
        for name in PUBLIC:
            if name != DEBUG_CONTROL:
                engine.set_register(name, values[name])
        engine.set_debug_control(values[DEBUG_CONTROL])
        for name in X87:
            value = values[name]
            engine.set_extended_register(name, value & (1 << MANTISSA_BITS) - 1, value >> MANTISSA_BITS)

    @property
    def _mode_flags(self) -> int:
        return dict(self._mode.read())[MODE_FLAGS]
