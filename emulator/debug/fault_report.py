# SPDX-License-Identifier: GPL-2.0-or-later
"""What the processor held when it gave up: registers, and the calls that led there, with names."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from ringscope.emulator.debug import syndrome
from ringscope.emulator.debug.backtrace import return_addresses
from ringscope.emulator.debug.register_set import REGISTERS
from ringscope.emulator.debug.registers import in_force

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ringscope.emulator.cpu.engine import Engine
    from ringscope.emulator.debug.registers import Mode
    from ringscope.emulator.debug.symbols import SymbolTable

SEGMENTS = REGISTERS["x86_64"].segments
ARM_SYSTEM = ("elr_el1", "esr_el1", "far_el1", "vbar_el1", "ttbr0_el1", "ttbr1_el1")
CONTROL = ("cr0", "cr2", "cr3", "cr4", "efer")
ABREAST = 4
VECTOR_TABLE = 0x800  # bytes from VBAR_EL1 on
MOST_LINES = 64


def report(engine: Engine, symbols: SymbolTable) -> list[str]:
    """Return the lines: registers, then one line for each call, the innermost first."""
    return [*registers(engine), "", *backtrace(engine, symbols)]


def registers(engine: Engine) -> list[str]:
    """Return the general, segment and control registers in hexadecimal, four on a line."""
    known = in_force(engine)
    digits = 2 * known.word
    general = _lines(engine, known.general, digits)
    if engine.arch == "aarch64":
        return [*general, *_lines(engine, ARM_SYSTEM, digits)]
    return [
        *general,
        *_lines(engine, SEGMENTS, 4),
        *_lines(engine, CONTROL, digits),
    ]


def _lines(engine: Engine, names: Sequence[str], digits: int) -> list[str]:
    cells = [f"{name:>6} {engine.register(name):0{digits}x}" for name in names]
    abreast = ABREAST if digits > len(SEGMENTS) else len(SEGMENTS)
    return ["  ".join(cells[at : at + abreast]) for at in range(0, len(cells), abreast)]


def program_counter(engine: Engine) -> int:
    """Return the address of the instruction to be executed next."""
    return engine.register(in_force(engine).program_counter)


def at_vector(engine: Engine) -> bool:
    """Return whether an AArch64 processor is at an exception vector."""
    if engine.arch != "aarch64":
        return False
    return 0 <= engine.register("pc") - engine.register("vbar_el1") < VECTOR_TABLE


def raised(engine: Engine, symbols: SymbolTable) -> str | None:
    """Say which exception an AArch64 processor is about to handle, and where it was taken; None if none."""
    if not at_vector(engine):
        return None
    place = engine.register("elr_el1")
    words = syndrome.describe(engine.register("esr_el1"), engine.register("far_el1"))
    return f"raised: {words} at {_interrupted(symbols, place) or f'{place:#x}'}"


def backtrace(engine: Engine, symbols: SymbolTable) -> list[str]:
    """Return ``#0 symbol+0x12 (address)`` and so on; a return address is named by the call before it.

    Where the processor is in no function, whoever jumped there has not been left by a frame of its own: it is
    named by the link register or by what lies on top of the stack. Recursion is one line, however deep.
    """
    known, user = in_force(engine), engine.in_user_mode
    here = program_counter(engine)
    places = [(here, symbols.describe(here, user=user))]
    if places[0][1] is None and at_vector(engine):
        cut = engine.register("elr_el1")
        places.append((cut, _interrupted(symbols, cut)))
    callers = return_addresses(engine.read_virtual, engine.register(known.frame_pointer), known.word)
    if places[-1][1] is None:
        link = _link(engine, known)
        if symbols.describe(link - 1, user=user) is not None and [link] != callers[:1]:
            callers.insert(0, link)
    names = {address: symbols.describe(address - 1, user=user) for address in set(callers)}
    return _numbered([*places, *((address, names[address]) for address in callers)])


def _interrupted(symbols: SymbolTable, address: int) -> str | None:
    """Name the place of an exception, whose level is not known."""
    return symbols.describe(address) or symbols.describe(address, user=True)


def _link(engine: Engine, known: Mode) -> int:
    """Return where a function that has just been called would return to."""
    if known.link is not None:
        return engine.register(known.link)
    stack = engine.register(known.stack_pointer)
    return int.from_bytes(engine.read_virtual(stack, known.word), "little")


def _numbered(places: Sequence[tuple[int, str | None]]) -> list[str]:
    """Return the lines, MOST_LINES at most; what repeats is said once."""
    lines: list[str] = []
    depth = 0
    for (address, name), group in itertools.groupby(places):
        if len(lines) >= MOST_LINES:
            return [*lines, f"... and {len(places) - depth} more"]
        count = len(list(group))
        lines.append(f"#{depth} {name or 'unknown'} ({address:#x})")
        if count > 1:
            lines[-1] += f", and the same up to #{depth + count - 1}"
        depth += count
    return lines
