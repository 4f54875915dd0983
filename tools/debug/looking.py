# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands that show where the guest is: registers, backtrace, code, source, stack, what was counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.text import Text

from ringscope.tools.debug.commands import LIVE, REGISTERS, SYMBOLS
from ringscope.tools.debug.places import code_line, named, place_data, source_line
from ringscope.tools.debug.reply import CommandError, Reply, hexadecimal, lines
from ringscope.tools.debug.running import count, nothing

if TYPE_CHECKING:
    from ringscope.emulator.debug.live import Live, Where
    from ringscope.tools.debug.live_session import LiveSession

GROUP: Final = "looking"
ABREAST: Final = 4
CODE_MOST, STACK_MOST = 1024, 4096  # shown at once
CODE_SHOWN, SOURCE_SHOWN, STACK_SHOWN = 8, 10, 16  # instructions, lines, words where nothing is said
CHANGED: Final = "bold red"


@LIVE.command("where", "w", group=GROUP)
def where(session: LiveSession, words: str) -> Reply:
    """Show where the guest is."""
    nothing(words)
    here = session.live.where()
    data = {**place_data(here), "space": hexadecimal(session.control.space), "cycle": session.live.cycle}
    rows: list[Text | str] = [
        f"{'user' if here.user else 'kernel'} {named(here)}   cycle {session.live.cycle:,}"
    ]
    line = source_line(session.live, here)
    rows += [line] if line is not None else []
    return Reply(data, lines(rows))


@LIVE.command(
    "registers", "r", "regs", usage="[all|NAME...]", group=GROUP, completes=REGISTERS, words=("all",)
)
def registers(session: LiveSession, words: str) -> Reply:
    """Show registers; those that changed since they were last shown are marked with a star."""
    live = session.live
    wanted = words.split()
    if wanted in ([], ["all"]):
        system = live.mode.system if wanted else ()
        names = [*live.mode.general, *system]
    else:
        names = [live.mode.aliases.get(name.lstrip("$"), name.lstrip("$")) for name in wanted]
    values = {name: _register(live, name) for name in names}
    cells, changed = [], []
    for name, value in values.items():
        is_new = session.shown_registers.get(name, value) != value
        changed += [name] if is_new else []
        digits = 2 * live.mode.word if name in live.mode.general else 1
        cells.append(
            Text(f"{name:>9} {value:0{digits}x}{'*' if is_new else ' '}", style=CHANGED if is_new else "")
        )
    session.shown_registers.update(values)
    rows = [Text("  ").join(cells[at : at + ABREAST]) for at in range(0, len(cells), ABREAST)]
    data = {"registers": {name: hexadecimal(value) for name, value in values.items()}, "changed": changed}
    return Reply(data, lines(rows))


def _register(live: Live, name: str) -> int:
    value = live.register(name)
    if value is None:
        raise CommandError(f"there is no register {name}; 'registers all' lists them")
    return value


@LIVE.command("backtrace", "bt", usage="[N]", group=GROUP)
def backtrace(session: LiveSession, words: str) -> Reply:
    """Show which calls led here, across the crossing of rings: the kernel's, and user mode's under them."""
    live = session.live
    most = count(words) if words else None
    frames = live.unwinder.backtrace() if most is None else live.unwinder.backtrace(most)
    rows: list[Text] = []
    data: list[dict[str, object]] = []
    for number, frame in enumerate(frames):
        if frame.how == "ring crossing":
            rows.append(Text("   --- user mode was left here ---", style="dim"))
        place = live.where(frame.looked_up, user=frame.user)
        rows.append(
            Text(f"#{number:<3}{_named_at(place, frame.address)}", style="cyan" if frame.user else "magenta")
        )
        data.append({**place_data(place), "address": hexadecimal(frame.address), "found_by": frame.how})
    return Reply({"frames": data}, lines(rows))


def _named_at(place: Where, address: int) -> str:
    return f"{named(place)} ({address:#x})"


@LIVE.command("disassemble", "dis", "u", usage="[PLACE] [N]", group=GROUP, completes=SYMBOLS)
def disassemble(session: LiveSession, words: str) -> Reply:
    """Show instructions from here or from a place, with the source lines that they come from."""
    live = session.live
    text, number = _and_count(words, CODE_SHOWN)
    number = min(number, CODE_MOST)
    address = live.address_of(text) if text else live.pc
    user = live.user if not text or live.programs.describe(address, None, user=False) is None else False
    rows: list[Text | str] = []
    data: list[dict[str, object]] = []
    before = None
    for instruction in live.instructions(address, number):
        place = live.where(instruction.address, user=user)
        if place.symbol is not None and place.symbol.endswith("+0x0"):
            rows.append(f"{place.symbol.removesuffix('+0x0')}:")
        line = source_line(live, place) if place.place != before else None
        before = place.place
        rows += [line] if line is not None else []
        rows.append(code_line(live, instruction, user, here=instruction.address == live.pc))
        data.append(
            {
                **place_data(place),
                "code": instruction.code.hex(),
                "text": instruction.text,
                "target": None if instruction.target is None else hexadecimal(instruction.target),
            }
        )
    if not rows:
        raise CommandError(f"there is no memory at {address:#x}")
    return Reply({"instructions": data}, lines(rows))


def _and_count(words: str, otherwise: int) -> tuple[str, int]:
    """Split a trailing number from what stands before it."""
    parts = words.rsplit(maxsplit=1)
    if len(parts) == 2 and parts[1].isdecimal():
        return parts[0], max(int(parts[1]), 1)
    if len(parts) == 1 and parts[0].isdecimal():
        return "", max(int(parts[0]), 1)
    return words, otherwise


@LIVE.command("list", "l", usage="[PLACE]", group=GROUP, completes=SYMBOLS)
def list_source(session: LiveSession, words: str) -> Reply:
    """Show the source around here or around a place."""
    live = session.live
    if words:
        spot = live.spots(words)[0]
        place = live.programs.place(spot.address, spot.program, user=spot.program is not None)
    else:
        place = live.where().place
    if place is None:
        raise CommandError("no source line is known for this place; 'disassemble' shows its code")
    first = max(place.line - SOURCE_SHOWN // 2, 1)
    rows: list[Text | str] = [f"{place.file}"]
    data: list[dict[str, object]] = []
    for number in range(first, first + SOURCE_SHOWN + 1):
        text = live.programs.lines.text(type(place)(place.file, number))
        if text is None:
            break
        mark = "=>" if number == place.line else "  "
        rows.append(
            Text(f"{mark}{number:>5}  {text.expandtabs(4)}", style="bold" if number == place.line else "")
        )
        data.append({"line": number, "text": text})
    if not data:
        raise CommandError(f"{place.file} cannot be read here; start in the folder in which it was compiled")
    return Reply({"file": place.file, "line": place.line, "lines": data}, lines(rows))


@LIVE.command("stack", "st", usage="[N]", group=GROUP)
def stack(session: LiveSession, words: str) -> Reply:
    """Show the words on the stack, with the names of the code and data that they point to."""
    live = session.live
    number = min(count(words), STACK_MOST) if words else STACK_SHOWN
    mode = live.mode
    top = live.engine.register(mode.stack_pointer)
    content = live.control.read(top, number * mode.word)
    rows: list[Text | str] = []
    data: list[dict[str, object]] = []
    for at in range(0, len(content) - mode.word + 1, mode.word):
        value = int.from_bytes(content[at : at + mode.word], "little")
        name = _points_to(live, value)
        rows.append(f"{top + at:#x}  {value:0{2 * mode.word}x}  {name or ''}".rstrip())
        data.append({"address": hexadecimal(top + at), "value": hexadecimal(value), "name": name})
    if not rows:
        raise CommandError(f"the stack pointer {top:#x} points to no memory")
    return Reply({"stack": data}, lines(rows))


def _points_to(live: Live, value: int) -> str | None:
    program = live.program
    return live.programs.describe(value, program, user=live.user) or live.programs.data_symbol(
        value, program, user=live.user
    )


@LIVE.command("counters", "stat", usage="[NAME...]", group=GROUP)
def counters(session: LiveSession, words: str) -> Reply:
    """Show what was counted since power-on, in both rings, and cycles by cause."""
    machine = session.live.machine
    books = machine.books_here()
    table = machine.counters.by_ring(books)
    wanted = words.split()
    unknown = [name for name in wanted if name not in table]
    if unknown:
        raise CommandError(f"there is no counter {unknown[0]}; 'counters' lists them")
    shown = {name: value for name, value in table.items() if not wanted or name in wanted}
    rows = [
        f"{value:>16,}  {name}" for name, value in shown.items() if wanted or not name.endswith((":u", ":k"))
    ]
    causes = {} if wanted else books.causes()
    rows += [f"{value:>16,}  cycles by {name}" for name, value in causes.items()]
    return Reply({"counters": shown, "causes": causes}, lines(rows))


@LIVE.command("symbols", usage="PATTERN", group=GROUP)
def symbols(session: LiveSession, words: str) -> Reply:
    """List the symbols of all programs that a pattern matches, as in 'symbols *call*'."""
    if not words:
        raise CommandError("which symbols? Write a pattern, as in symbols *call*")
    found = sorted(
        (symbol.address, program, symbol.name) for program, symbol in session.live.programs.matching(words)
    )
    rows = [f"{address:#x}  {program}:{name}" for address, program, name in found] or ["none"]
    data = [
        {"address": hexadecimal(address), "program": program, "name": name}
        for address, program, name in found
    ]
    return Reply({"symbols": data}, lines(rows))
