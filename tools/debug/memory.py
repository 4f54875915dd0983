# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands for values and memory: print, examine, change, patch code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ringscope.emulator.debug import disassembly
from ringscope.emulator.debug.disassembly import AssemblyError
from ringscope.emulator.debug.expressions import ExpressionError
from ringscope.tools.debug.commands import LIVE, SYMBOLS
from ringscope.tools.debug.looking import disassemble
from ringscope.tools.debug.reply import CommandError, Reply, hexadecimal, lines, say

if TYPE_CHECKING:
    from ringscope.tools.debug.live_session import LiveSession

GROUP: Final = "memory"
SIZES: Final = {"b": 1, "h": 2, "w": 4, "g": 8}
FORMAT: Final = re.compile(r"/(?P<count>\d*)(?P<letters>[a-z]*)")
STYLES: Final = "xduacsi"
ROW: Final = 16  # bytes
MOST: Final = 1 << 20  # bytes shown at once
STRING_MOST, TEXTS_MOST = 1024, 1024  # bytes of one text; texts
ASSIGNMENT: Final = re.compile(r"(?P<to>.*[^=!<>])=(?P<value>[^=].*)")


@LIVE.command("print", "p", usage="EXPR", group=GROUP, completes=SYMBOLS)
def print_value(session: LiveSession, words: str) -> Reply:
    """Show the value of an expression over registers, symbols and memory: print u32($sp + 8) + 1."""
    if not words:
        raise CommandError("print what? Write an expression, as in print $sp + 8")
    live = session.live
    value = live.value(words)
    name = live.programs.data_symbol(value, live.program, user=live.user) or live.where(value).symbol
    signed = f" ({value - (1 << 64)})" if value >> 63 else ""
    about = f"  <{name}>" if name else ""
    return Reply(
        {"value": value, "hex": hexadecimal(value), "name": name},
        lines([f"{value:#x} = {value}{signed}{about}"]),
    )


@LIVE.command("x", usage="[/COUNT FORMAT SIZE] EXPR", group=GROUP, completes=SYMBOLS, repeats=True)
def examine(session: LiveSession, words: str) -> Reply:
    """Show memory as gdb's x does: /16xb bytes, /4xg words of 8, /s a text, /5i instructions."""
    how, what = "", words
    if words.startswith("/"):
        how, _, what = words.partition(" ")
    number, style, size = _format(how)
    if not what.strip():
        raise CommandError("which memory? Write an address, as in x/4xg $sp")
    live = session.live
    if style == "i":
        return disassemble(session, f"{what} {number}")
    address = live.value(what)
    if style == "s":
        return _text(session, address, number)
    if number * size > MOST:
        raise CommandError(f"{number * size} bytes are too many to show; take {MOST} at most")
    content = live.read(address, number * size)
    values = [int.from_bytes(content[at : at + size], "little") for at in range(0, len(content), size)]
    shown = [_shown(session, value, style, size) for value in values]
    per_row = max(ROW // size, 1) if style != "a" else 1
    rows = [
        f"{address + at * size:#x}  {'  '.join(shown[at : at + per_row])}"
        for at in range(0, len(shown), per_row)
    ]
    return Reply(
        {"address": hexadecimal(address), "size": size, "values": values, "bytes": content.hex()}, lines(rows)
    )


def _format(how: str) -> tuple[int, str, int]:
    match = FORMAT.fullmatch(how or "/")
    letters = match["letters"] if match else "?"
    styles = [letter for letter in letters if letter in STYLES]
    sizes = [letter for letter in letters if letter in SIZES]
    if match is None or len(styles) > 1 or len(sizes) > 1 or len(styles) + len(sizes) != len(letters):
        raise CommandError(
            f"{how!r} is no format: after / come a count, one of x d u a c s i, "
            "and one of b h w g (1, 2, 4, 8 bytes)"
        )
    style = styles[0] if styles else "x"
    size = SIZES[sizes[0]] if sizes else 1 if style == "c" else 8
    return int(match["count"] or 1), style, size


def _shown(session: LiveSession, value: int, style: str, size: int) -> str:
    live = session.live
    match style:
        case "d":
            return str(value - (1 << 8 * size) if value >> (8 * size - 1) else value)
        case "u":
            return str(value)
        case "c":
            return repr(chr(value)) if 0x20 <= value < 0x7F else f"\\x{value:02x}"
        case "a":
            name = live.where(value).symbol or live.programs.data_symbol(value, live.program, user=live.user)
            return f"{value:#x}" + (f" <{name}>" if name else "")
        case _:
            return f"{value:0{2 * size}x}"


def _text(session: LiveSession, address: int, number: int) -> Reply:
    rows, texts = [], []
    for _ in range(min(number, TEXTS_MOST)):
        content = session.control.read(address, STRING_MOST)
        if not content:
            raise CommandError(f"there is no memory at {address:#x}")
        text = content.partition(b"\0")[0]
        rows.append(f"{address:#x}  {text.decode('utf-8', 'backslashreplace')!r}")
        texts.append(text.decode("utf-8", "replace"))
        address += len(text) + 1
    return Reply({"texts": texts}, lines(rows))


@LIVE.command(
    "set", usage="$REGISTER = EXPR | u8|u16|u32|u64(ADDRESS) = EXPR", group=GROUP, completes=SYMBOLS
)
def set_value(session: LiveSession, words: str) -> Reply:
    """Change a register or memory. From then on the guest computes something else."""
    match = ASSIGNMENT.fullmatch(words)
    if match is None:
        raise CommandError("write what shall be set = to what, as in set $rax = 1 or set u32(counter) = 0")
    live, to = session.live, match["to"].strip()
    value = live.value(match["value"])
    place = re.fullmatch(r"u(8|16|32|64)\s*\((.*)\)|\*(.*)", to)
    if place is not None:
        size = int(place[1] or 64) // 8
        address = live.value(place[2] or place[3])
        if value >> 8 * size:
            raise CommandError(f"{value:#x} does not fit into {size} bytes")
        live.read(address, size)
        session.control.write(address, value.to_bytes(size, "little"))
        return say(f"{to} is {value:#x}", address=hexadecimal(address), value=hexadecimal(value))
    name = to.removeprefix("$")
    known = live.mode.aliases.get(name, name)
    if known in live.mode.general and value >> 8 * live.mode.word:
        raise CommandError(f"{value:#x} does not fit into {known}")
    try:
        session.control.set_register(live.mode.whole.get(known, known), value)
    except ValueError as error:
        raise CommandError(str(error)) from error
    return say(f"{name} is {value:#x}", register=name, value=hexadecimal(value))


@LIVE.command("patch", usage="PLACE INSTRUCTION[; INSTRUCTION...]", group=GROUP, completes=SYMBOLS)
def patch(session: LiveSession, words: str) -> Reply:
    """Assemble instructions over the code at a place: patch *$pc nop; nop."""
    where, _, text = words.partition(" ")
    if not text.strip():
        raise CommandError("write a place and instructions, as in patch *$pc nop; nop")
    live = session.live
    spot = live.spots(where)[0]
    try:
        code = disassembly.assemble(live.engine.arch, live.bits, text.strip(), spot.address)
    except AssemblyError as error:
        raise CommandError(str(error)) from error
    before = live.control.read(spot.address, len(code))
    if len(before) < len(code):
        raise ExpressionError(f"there is no memory at {spot.address + len(before):#x}")
    covered, cut = 0, None
    for instruction in disassembly.instructions(
        live.engine.arch, live.bits, live.control.read(spot.address, len(code) + 15), spot.address
    ):
        covered += len(instruction.code)
        if covered >= len(code):
            cut = instruction if covered > len(code) else None
            break
    session.control.write(spot.address, code)
    note = "" if cut is None else f"; {covered - len(code)} bytes of {cut.text!r} are left behind it"
    sentence = f"{len(code)} bytes at {spot.address:#x}: {before.hex()} became {code.hex()}{note}"
    return say(sentence, address=hexadecimal(spot.address), before=before.hex(), code=code.hex())
