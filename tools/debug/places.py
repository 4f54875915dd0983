# SPDX-License-Identifier: GPL-2.0-or-later
"""Places in code as a session shows them: names, source lines, instructions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from ringscope.tools.debug.reply import hexadecimal

if TYPE_CHECKING:
    from ringscope.emulator.debug.disassembly import Instruction
    from ringscope.emulator.debug.live import Live, Where


def named(where: Where) -> str:
    """Return ``symbol+0x12 at file:line``, or the address."""
    name = where.symbol or f"{where.address:#x}"
    return name if where.place is None else f"{name} at {where.place}"


def place_data(where: Where) -> dict[str, object]:
    """Return a place for JSON."""
    return {
        "pc": hexadecimal(where.address),
        "ring": "user" if where.user else "kernel",
        "program": where.program,
        "symbol": where.symbol,
        "file": None if where.place is None else where.place.file,
        "line": None if where.place is None else where.place.line,
    }


def source_line(live: Live, where: Where) -> Text | None:
    """Return the line of source at a place, where its file can be read."""
    text = None if where.place is None else live.programs.lines.text(where.place)
    if where.place is None or text is None:
        return None
    row = Text(f"{where.place.line:>6}  ", style="green", no_wrap=True)
    row.append(text.expandtabs(4).rstrip(), style="default")
    return row


def code_line(live: Live, instruction: Instruction, user: bool, *, here: bool) -> Text:
    """Return a line of disassembly: an arrow where we are, address, text, where a branch leads."""
    row = Text("=> " if here else "   ", style="bold yellow", no_wrap=True)
    row.append(f"{instruction.address:#x}", style="dim")
    row.append(f"  {instruction.text}")
    if instruction.target is not None:
        target = live.where(instruction.target, user=user).symbol
        row.append(f"  <{target}>" if target else "", style="blue")
    return row
