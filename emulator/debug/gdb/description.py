# SPDX-License-Identifier: GPL-2.0-or-later
"""The registers as gdb is told of them: a target description, and their bytes in its order.

The features are those that gdb knows by name (Debugging with GDB, appendix G.5); control and system registers
are in one of our own. The x86 description is x86-64 from the first instruction on: gdb cannot change it
later, and in 32-bit code the upper halves are zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ringscope.emulator.debug.register_set import REGISTERS, X86_GENERAL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringscope.emulator.debug.control import Control

BYTE = 8
#: Of RFLAGS, with their bits.
FLAGS = {"CF": 0, "PF": 2, "AF": 4, "ZF": 6, "SF": 7, "TF": 8, "IF": 9, "DF": 10, "OF": 11, "AC": 18}


@dataclass(frozen=True)
class Register:
    """One register: gdb's name and ours, its width in bits, its type for gdb."""

    name: str
    ours: str
    bits: int
    type: str

    def xml(self, number: int) -> str:
        """Return its element."""
        return f'<reg name="{self.name}" bitsize="{self.bits}" type="{self.type}" regnum="{number}"/>'

    def read(self, control: Control) -> bytes:
        """Return its value as gdb has it."""
        return self.encoded(control.register(self.ours))

    def encoded(self, value: int) -> bytes:
        """Return a value of it as gdb has it."""
        return (value & (1 << self.bits) - 1).to_bytes(self.bits // BYTE, "little")

    def write(self, control: Control, data: bytes) -> None:
        """Set it. Raises ValueError if it can only be read, or has another width."""
        if len(data) != self.bits // BYTE:
            raise ValueError(f"{self.name} has {self.bits} bits")
        value = int.from_bytes(data, "little")
        if value != int.from_bytes(self.read(control), "little"):
            control.set_register(self.ours, value & (1 << control.registers.bits(self.ours)) - 1)


@dataclass(frozen=True)
class Feature:
    """Some registers, with the types that they need."""

    name: str
    registers: tuple[Register, ...]
    types: str = ""

    def xml(self, numbers: Mapping[str, int]) -> str:
        """Return its element; ``numbers`` are the registers', by name."""
        inside = self.types + "".join(register.xml(numbers[register.name]) for register in self.registers)
        return f'<feature name="{self.name}">{inside}</feature>'


@dataclass(frozen=True)
class Description:
    """All registers of an architecture; their numbers are their places.

    The first two features make up what a ``g`` packet has, and begin with what gdb takes an architecture to
    have without a description: for a process that comes up later gdb (13.1) does not ask for one. ``skipped``
    registers of gdb's own lie between them and the rest.
    """

    architecture: str
    features: tuple[Feature, ...]
    skipped: int = 0

    @cached_property
    def general(self) -> tuple[Register, ...]:
        """Those of a ``g`` packet, in its order."""
        return tuple(register for feature in self.features[:2] for register in feature.registers)

    @cached_property
    def by_number(self) -> dict[int, Register]:
        """All of them."""
        rest = (register for feature in self.features[2:] for register in feature.registers)
        first = len(self.general) + self.skipped
        return dict(enumerate(self.general)) | dict(enumerate(rest, first))

    @cached_property
    def xml(self) -> str:
        """The document that gdb reads."""
        numbers = {register.name: number for number, register in self.by_number.items()}
        inside = "".join(feature.xml(numbers) for feature in self.features)
        return (
            '<?xml version="1.0"?><!DOCTYPE target SYSTEM "gdb-target.dtd"><target version="1.0">'
            f"<architecture>{self.architecture}</architecture>{inside}</target>"
        )

    def write_general(self, control: Control, data: bytes) -> None:
        """Set as many registers as there are bytes for. Raises ValueError if one can only be read."""
        at = 0
        for register in self.general:
            size = register.bits // BYTE
            if len(data) < at + size:
                return
            register.write(control, data[at : at + size])
            at += size


def _system(arch: str) -> Feature:
    names = REGISTERS[arch].system
    return Feature(f"ringscope.{arch}.system", tuple(Register(name, name, 64, "uint64") for name in names))


def _vector_types(union: str) -> str:
    parts = {"v2d": ("ieee_double", 2), "v4f": ("ieee_single", 4), "v2i": ("int64", 2), "v4w": ("int32", 4)}
    parts["v16b"] = ("int8", 16)
    vectors = "".join(f'<vector id="{name}" type="{kind}" count="{n}"/>' for name, (kind, n) in parts.items())
    fields = "".join(f'<field name="{name}" type="{name}"/>' for name in parts)
    return f'{vectors}<union id="{union}">{fields}<field name="all" type="uint128"/></union>'


def _x86() -> Description:
    pointers = {"rip": "code_ptr", "rsp": "data_ptr", "rbp": "data_ptr"}
    general = (*X86_GENERAL, "rip")
    fields = "".join(f'<field name="{name}" start="{bit}" end="{bit}"/>' for name, bit in FLAGS.items())
    numbers = {
        "fctrl": "fpcw",
        "fstat": "fpsw",
        "ftag": "fptag",
        "fiseg": "fcs",
        "fioff": "fip",
        "foseg": "fds",
        "fooff": "fdp",
        "fop": "fop",
    }
    core = (
        *(Register(name, name, 64, pointers.get(name, "int64")) for name in general),
        Register("eflags", "rflags", 32, "flags"),
        *(Register(name, name, 32, "int32") for name in REGISTERS["x86_64"].segments),
        *(Register(f"st{n}", f"st{n}", 80, "i387_ext") for n in range(8)),
        *(Register(name, ours, 32, "int32") for name, ours in numbers.items()),
    )
    sse = (
        *(Register(f"xmm{n}", f"xmm{n}", 128, "xmm") for n in range(16)),
        Register("mxcsr", "mxcsr", 32, "int32"),
    )
    bases = tuple(Register(name, name, 64, "int64") for name in REGISTERS["x86_64"].bases)
    return Description(
        "i386:x86-64",
        (
            Feature("org.gnu.gdb.i386.core", core, f'<flags id="flags" size="4">{fields}</flags>'),
            Feature("org.gnu.gdb.i386.sse", sse, _vector_types("xmm")),
            Feature("org.gnu.gdb.i386.segments", bases),
            _system("x86_64"),
        ),
        skipped=1,  # orig_rax, of Linux
    )


def _arm() -> Description:
    core = (
        *(Register(f"x{n}", f"x{n}", 64, "int64") for n in range(31)),
        Register("sp", "sp", 64, "data_ptr"),
        Register("pc", "pc", 64, "code_ptr"),
        Register("cpsr", "pstate", 32, "int32"),
    )
    floating = (
        *(Register(f"v{n}", f"q{n}", 128, "vector") for n in range(32)),
        Register("fpsr", "fpsr", 32, "int32"),
        Register("fpcr", "fpcr", 32, "int32"),
    )
    threads = tuple(Register(name, name, 64, "uint64") for name in REGISTERS["aarch64"].bases)
    system = _system("aarch64")
    return Description(
        "aarch64",
        (
            Feature("org.gnu.gdb.aarch64.core", core),
            Feature("org.gnu.gdb.aarch64.fpu", floating, _vector_types("vector")),
            Feature(system.name, (*threads, *system.registers)),
        ),
    )


DESCRIPTIONS = {"x86_64": _x86(), "aarch64": _arm()}
