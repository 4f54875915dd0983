# SPDX-License-Identifier: GPL-2.0-or-later
"""The engine's state is found by markers, wherever it lies; a library that keeps it otherwise is refused."""

from __future__ import annotations

import ctypes
import struct

import pytest
from unicorn import x86_const as x86

from ringscope.emulator.cpu.markers import STATE_BYTES, UnknownEngine
from ringscope.emulator.cpu.x86_64 import layout
from ringscope.emulator.cpu.x86_64.layout import GENERAL, MSRS, find_layout

PLACES = {
    "regs": 0x40, "eip": 0xC8, "eflags": 0xD0, "hflags": 0xF8, "segs": 0x100, "ldt": 0x190, "tr": 0x1A8,
    "gdt": 0x1C0, "idt": 0x1D8, "cr": 0x200, "efer": 0x300, "star": 0x308, "lstar": 0x310, "cstar": 0x318,
    "fmask": 0x320, "sysenter_cs": 0x330, "sysenter_esp": 0x338, "sysenter_eip": 0x340,
}  # fmt: skip
CR2, CR3, CR4 = PLACES["cr"] + 16, PLACES["cr"] + 24, PLACES["cr"] + 32
HF_OSFXSR, CR4_OSFXSR = 1 << 22, 1 << 9
TABLES = {
    x86.UC_X86_REG_GDTR: "gdt",
    x86.UC_X86_REG_IDTR: "idt",
    x86.UC_X86_REG_LDTR: "ldt",
    x86.UC_X86_REG_TR: "tr",
}


class Library:
    """An engine's public interface over a state laid out at will; a register may lie in several places."""

    def __init__(self) -> None:
        self.state = ctypes.create_string_buffer(STATE_BYTES)
        self.registers = {register: [PLACES["regs"] + 8 * i] for i, register in enumerate(GENERAL)}
        self.registers |= {
            x86.UC_X86_REG_RIP: [PLACES["eip"]],
            x86.UC_X86_REG_CR2: [CR2],
            x86.UC_X86_REG_CR3: [CR3],
            x86.UC_X86_REG_CR4: [CR4],
            x86.UC_X86_REG_FS_BASE: [PLACES["segs"] + 4 * layout.SEGMENT_BYTES + 8],
            x86.UC_X86_REG_GS_BASE: [PLACES["segs"] + 5 * layout.SEGMENT_BYTES + 8],
            x86.UC_X86_REG_EFLAGS: [PLACES["eflags"]],
        }
        self.tables = {register: PLACES[name] for register, name in TABLES.items()}
        self.msrs = {index: [PLACES[name]] for name, index in MSRS.items()} | {0xC0000080: [PLACES["efer"]]}
        self.mode_flags = True

    @property
    def env(self) -> int:
        return ctypes.addressof(self.state)

    def _write(self, places: list[int], value: int, size: int = 8) -> None:
        for place in places:
            self.state[place : place + size] = value.to_bytes(size, "little")

    def _read(self, places: list[int], size: int = 8) -> int:
        return int.from_bytes(self.state[places[0] : places[0] + size], "little") if places else 0

    def reg_read(self, register: int):
        if register in self.tables:
            selector, base, limit = struct.unpack_from("<I4xQI", self.state, self.tables[register])
            return selector, base, limit, 0
        return self._read(self.registers[register])

    def reg_write(self, register: int, value) -> None:
        if register in self.tables:
            struct.pack_into("<I4xQI", self.state, self.tables[register], *value[:3])
            return
        self._write(self.registers[register], value)
        if register == x86.UC_X86_REG_CR4 and self.mode_flags:
            self._write([PLACES["hflags"]], HF_OSFXSR if value & CR4_OSFXSR else 0, 4)

    def _msr_bytes(self, index: int) -> int:
        return 4 if index in (MSRS["fmask"], MSRS["sysenter_cs"]) else 8

    def msr_read(self, index: int) -> int:
        return self._read(self.msrs[index], self._msr_bytes(index))

    def msr_write(self, index: int, value: int) -> None:
        self._write(self.msrs[index], value, self._msr_bytes(index))


def test_every_field_is_found_where_it_lies() -> None:
    library = Library()
    assert find_layout(library, library.env) == PLACES


def test_everything_is_put_back() -> None:
    library = Library()
    for i, register in enumerate(library.registers):
        library.reg_write(register, 0x1000 + i if register != x86.UC_X86_REG_EFLAGS else 2)
    for i, register in enumerate(library.tables):
        library.reg_write(register, (8 * i, 0x2000 + i, 0x30 + i, 0))
    for i, index in enumerate(library.msrs):
        library.msr_write(index, 0x4000 + i)
    before = bytes(library.state)
    find_layout(library, library.env)
    assert bytes(library.state) == before


def gone(library: Library) -> None:
    library.registers[x86.UC_X86_REG_CR3] = []


def twice(library: Library) -> None:
    library.registers[x86.UC_X86_REG_RIP].append(0x800)


def swapped(library: Library) -> None:
    a, b = GENERAL[1], GENERAL[2]
    library.registers[a], library.registers[b] = library.registers[b], library.registers[a]


def control_registers_apart(library: Library) -> None:
    library.registers[x86.UC_X86_REG_CR2] = [0x600]


def segments_apart(library: Library) -> None:
    library.registers[x86.UC_X86_REG_GS_BASE] = [0x700]


def no_msr(library: Library) -> None:
    library.msrs[MSRS["lstar"]] = []


def no_mode_flags(library: Library) -> None:
    library.mode_flags = False


def no_efer(library: Library) -> None:
    library.msrs[0xC0000080] = []


BROKEN = {
    gone: "the engine keeps CR3 in 0 places, not one",
    twice: "the engine keeps RIP in 2 places, not one",
    swapped: "the engine does not keep general registers in encoding order",
    control_registers_apart: "the engine does not keep control registers by number",
    segments_apart: "the engine does not keep segments in encoding order",
    no_msr: "the engine keeps MSR 0xc0000082 in 0 places, not one",
    no_mode_flags: "the engine keeps the mode flags nowhere",
    no_efer: "the engine keeps EFER.SCE nowhere",
}


@pytest.mark.parametrize("change", BROKEN, ids=lambda change: change.__name__)
def test_a_library_that_keeps_its_state_otherwise_is_refused_with_one_sentence(change) -> None:
    library = Library()
    change(library)
    with pytest.raises(UnknownEngine) as refusal:
        find_layout(library, library.env)
    assert str(refusal.value) == BROKEN[change]
