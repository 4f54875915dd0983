# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands that show translation and caching: page tables, TLBs, caches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ringscope.emulator.debug import inspection, page_tables
from ringscope.emulator.debug.inspection import CACHES, TLBS
from ringscope.tools.debug.commands import LIVE, SYMBOLS
from ringscope.tools.debug.reply import CommandError, Reply, hexadecimal, lines

if TYPE_CHECKING:
    from ringscope.emulator.debug.inspection import Line, Translation
    from ringscope.tools.debug.live_session import LiveSession

GROUP: Final = "translation and caches"
SHOWN: Final = 32  # rows of a table that was not narrowed down


@LIVE.command("walk", usage="EXPR", group=GROUP, completes=SYMBOLS)
def walk(session: LiveSession, words: str) -> Reply:
    """Show the walk of the page tables to an address: every entry, its flags, and the translation."""
    live = session.live
    if not words:
        raise CommandError("to which address? Write an expression, as in walk $sp")
    address = live.address_of(words)
    found = inspection.walk(live.engine, address)
    told = page_tables.tell(live.engine.arch, found)
    rows, data = [f"{address:#x}"], []
    for level, words_of in zip(found.levels, told, strict=True):
        leads = "" if words_of.leads_to is None else f" -> {words_of.leads_to:#x}"
        flags = ", ".join(words_of.flags)
        rows.append(f"  {words_of.name:<8} at {level.paddr:#x} = {level.entry:016x}{leads}  {flags}")
        data.append(
            {
                "name": words_of.name,
                "at": hexadecimal(level.paddr),
                "entry": hexadecimal(level.entry),
                "flags": list(words_of.flags),
                "leads_to": None if words_of.leads_to is None else hexadecimal(words_of.leads_to),
            }
        )
    rights = None
    if found.paddr is None:
        rows.append("  no mapping")
    elif not found.page_shift:
        rows.append("  translation is off")
    else:
        rights = [
            "writable" if found.writable else "read-only",
            "user" if found.user else "supervisor",
            *(["no-execute"] if found.no_execute else []),
            *(["global"] if found.is_global else []),
        ]
        rows.append(f"  = {found.paddr:#x}, {_size(found.page_shift)} page, {', '.join(rights)}")
    physical = None if found.paddr is None else hexadecimal(found.paddr)
    result = {"address": hexadecimal(address), "levels": data, "physical": physical, "rights": rights}
    return Reply({**result, "page_bytes": 1 << found.page_shift if found.page_shift else None}, lines(rows))


def _size(shift: int) -> str:
    for unit, bits in (("GiB", 30), ("MiB", 20), ("KiB", 10)):
        if shift >= bits:
            return f"{1 << shift - bits} {unit}"
    return f"{1 << shift} bytes"


def _choice(words: str, names: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """Return which of some structures are meant, and the expression that narrows them down."""
    first, _, rest = words.strip().partition(" ")
    if first in names:
        return (first,), rest.strip()
    return names, words.strip()


def _need_models(session: LiveSession) -> None:
    if not session.live.machine.timing:
        raise CommandError("nothing is modelled with --fidelity functional: there are no TLBs and no caches")


@LIVE.command("tlb", usage=f"[{'|'.join(TLBS)}] [EXPR]", group=GROUP, words=TLBS)
def tlb(session: LiveSession, words: str) -> Reply:
    """Show what the TLBs and the paging-structure caches hold, or what of it translates an address."""
    _need_models(session)
    chosen, text = _choice(words, TLBS)
    address = session.live.address_of(text) if text else None
    rows: list[str] = []
    data: dict[str, list[dict[str, object]]] = {}
    for name in chosen:
        found = [
            entry
            for entry in inspection.translations(session.live.engine, name)
            if entry.live and (address is None or entry.vaddr == address & -(1 << entry.page_shift))
        ]
        data[name] = [_translation_data(entry) for entry in found]
        rows.append(f"{name}: {len(found)} entries")
        shown = found if address is not None or len(chosen) == 1 else found[:SHOWN]
        rows += [f"  {_translation(entry, name)}" for entry in shown]
        if len(shown) < len(found):
            rows.append(f"  ... and {len(found) - len(shown)} more; 'tlb {name}' shows all")
    return Reply({"tlbs": data}, lines(rows))


def _translation(entry: Translation, tlb_name: str) -> str:
    whose = "global" if entry.is_global else f"ASID {entry.asid}"
    to = "" if tlb_name == "walk" else f" -> {entry.paddr:#x}"
    return f"{entry.vaddr:#x}{to}  {_size(entry.page_shift)}, {whose}, set {entry.set}, age {entry.age}"


def _translation_data(entry: Translation) -> dict[str, object]:
    return {
        "vaddr": hexadecimal(entry.vaddr),
        "paddr": hexadecimal(entry.paddr),
        "page_bytes": 1 << entry.page_shift,
        "asid": None if entry.is_global else entry.asid,
        "set": entry.set,
        "age": entry.age,
    }


@LIVE.command("cache", usage=f"[{'|'.join(CACHES)}] [EXPR]", group=GROUP, words=CACHES)
def cache(session: LiveSession, words: str) -> Reply:
    """Show which caches hold the line of an address, or which lines a cache holds, by physical address."""
    _need_models(session)
    chosen, text = _choice(words, CACHES)
    rows: list[str] = []
    data: dict[str, list[dict[str, object]]] = {}
    line_bytes = session.live.machine.profile.l1d.line
    wanted = _line_of(session, text, line_bytes) if text else None
    for name in chosen:
        found = inspection.lines(session.live.engine, name)
        if wanted is not None:
            found = [line for line in found if line.paddr == wanted]
        dirty = sum(line.dirty for line in found)
        data[name] = [_line_data(line) for line in found]
        rows.append(f"{name}: {len(found):,} lines, {dirty:,} dirty")
        shown = found if wanted is not None or len(chosen) == 1 else []
        rows += [f"  {_cached(line)}" for line in shown]
    return Reply({"caches": data}, lines(rows))


def _line_of(session: LiveSession, text: str, line_bytes: int) -> int:
    """Return the physical address of the line that a virtual address is in."""
    address = session.live.address_of(text)
    paddr = session.live.engine.physical(address)
    if paddr is None:
        raise CommandError(f"{address:#x} is not mapped: no cache can hold it")
    return paddr & -line_bytes


def _cached(line: Line) -> str:
    return f"{line.paddr:#x}  set {line.set}, way {line.way}{', dirty' if line.dirty else ''}"


def _line_data(line: Line) -> dict[str, object]:
    return {"paddr": hexadecimal(line.paddr), "set": line.set, "way": line.way, "dirty": line.dirty}
