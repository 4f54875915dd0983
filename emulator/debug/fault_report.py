# SPDX-License-Identifier: GPL-2.0-or-later
"""What the processor held when it gave up: registers, and the calls that led there, with names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringscope.emulator.debug.backtrace import return_addresses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ringscope.emulator.cpu.engine import Engine
    from ringscope.emulator.debug.symbols import SymbolTable

GENERAL = ("ax", "bx", "cx", "dx", "si", "di", "bp", "sp")
GENERAL_64 = (*(f"r{name}" for name in GENERAL), *(f"r{n}" for n in range(8, 16)), "rip", "rflags")
GENERAL_32 = (*(f"e{name}" for name in GENERAL), "eip", "eflags")
SEGMENTS = ("cs", "ss", "ds", "es", "fs", "gs")
ARM_GENERAL = (*(f"x{n}" for n in range(31)), "sp", "pc", "pstate")
ARM_SYSTEM = ("elr_el1", "esr_el1", "far_el1", "ttbr0_el1", "ttbr1_el1")
EXCEPTION_LEVEL = 0xC  # its mask in PSTATE; 0 is user mode
CONTROL = ("cr0", "cr2", "cr3", "cr4", "efer")
ABREAST = 4
LONG_MODE_ACTIVE = 0x400  # in EFER
RING = 3  # the mask of the privilege level in cs


def report(engine: Engine, symbols: SymbolTable) -> list[str]:
    """Return the lines: registers, then one line for each call, the innermost first."""
    return [*registers(engine), "", *backtrace(engine, symbols)]


def registers(engine: Engine) -> list[str]:
    """Return the general, segment and control registers in hexadecimal, four on a line."""
    if engine.arch == "aarch64":
        return [*_lines(engine, ARM_GENERAL, 16), *_lines(engine, ARM_SYSTEM, 16)]
    digits, general = (16, GENERAL_64) if _is_long(engine) else (8, GENERAL_32)
    return [
        *_lines(engine, general, digits),
        *_lines(engine, SEGMENTS, 4),
        *_lines(engine, CONTROL, digits),
    ]


def _is_long(engine: Engine) -> bool:
    return bool(engine.register("efer") & LONG_MODE_ACTIVE)


def _lines(engine: Engine, names: Sequence[str], digits: int) -> list[str]:
    cells = [f"{name:>6} {engine.register(name):0{digits}x}" for name in names]
    abreast = ABREAST if digits > len(SEGMENTS) else len(SEGMENTS)
    return ["  ".join(cells[at : at + abreast]) for at in range(0, len(cells), abreast)]


def backtrace(engine: Engine, symbols: SymbolTable) -> list[str]:
    """Return ``#0 symbol+0x12 (address)`` and so on; a return address is named by the call before it."""
    if engine.arch == "aarch64":
        word, pc, frame = 8, "pc", "x29"
        user = not engine.register("pstate") & EXCEPTION_LEVEL
    else:
        word, pc, frame = (8, "rip", "rbp") if _is_long(engine) else (4, "eip", "ebp")
        user = bool(engine.register("cs") & RING)
    here = engine.register(pc)
    lines = [_line(0, here, symbols.describe(here, user=user))]
    callers = return_addresses(engine.read_virtual, engine.register(frame), word)
    for depth, address in enumerate(callers, start=1):
        lines.append(_line(depth, address, symbols.describe(address - 1, user=user)))
    return lines


def _line(depth: int, address: int, name: str | None) -> str:
    return f"#{depth} {name or 'unknown'} ({address:#x})"
