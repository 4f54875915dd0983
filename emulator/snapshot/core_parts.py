# SPDX-License-Identifier: GPL-2.0-or-later
"""The native core's share of a snapshot: its parts, and the block being executed. See native/state.c."""

from __future__ import annotations

import ctypes
import re
from typing import TYPE_CHECKING, Any

from ringscope.emulator.snapshot.contents import SnapshotError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ringscope.emulator.cpu.engine import Engine


class _Part(ctypes.Structure):
    """``struct state_part``."""

    _fields_ = [
        ("name", ctypes.c_char_p),
        ("index", ctypes.c_uint64),
        ("bytes", ctypes.c_uint64),
        ("at", ctypes.c_void_p),
    ]


class _SavedBlock(ctypes.Structure):
    """``struct saved_block``."""

    _fields_ = [
        ("paddr", ctypes.c_uint64),
        ("mode", ctypes.c_uint32),
        ("bytes", ctypes.c_uint32),
        ("code", ctypes.c_void_p),
    ]


LEDGER_ENTRY, LEDGER_ASIDE = "ledger.entry", "ledger.aside"


def _parts(engine: Engine) -> Iterator[tuple[str, int, int]]:
    """Return (name, address, bytes) of each part."""
    library, core = engine.library, engine.core
    count = library.core_state_parts(core, None, 0)
    parts = (_Part * count)()
    library.core_state_parts(core, parts, count)
    for part in parts:
        yield f"{part.name.decode()}[{part.index}]", part.at, part.bytes


def read(engine: Engine) -> dict[str, bytes]:
    """Return a copy of every part, by its name and index. Raises SnapshotError while costs are attributed."""
    if engine.library.core_is_attributing(engine.core):
        raise SnapshotError("a machine whose costs are being attributed can be neither saved nor restored")
    return {name: ctypes.string_at(address, length) for name, address, length in _parts(engine)}


def write(engine: Engine, saved: Mapping[str, bytes]) -> None:
    """Copy every part back. Raises SnapshotError if they are not those of this core."""
    operations = _indices(saved, LEDGER_ENTRY)
    words = (ctypes.c_uint32 * max(len(operations), 1))(*operations)
    flows = len(_indices(saved, LEDGER_ASIDE))
    if not engine.library.core_state_prepare(engine.core, words, len(operations), flows):
        raise SnapshotError("its ledger does not fit this core")
    parts = {name: (address, length) for name, address, length in _parts(engine)}
    if {name: length for name, (_, length) in parts.items()} != {n: len(data) for n, data in saved.items()}:
        raise SnapshotError("what it has of the core does not fit this core")
    for name, (address, length) in parts.items():
        ctypes.memmove(address, saved[name], length)


def _indices(saved: Mapping[str, bytes], name: str) -> list[int]:
    found = (re.fullmatch(rf"{re.escape(name)}\[(\d{{1,9}})\]", part) for part in saved)
    return sorted(int(match[1]) for match in found if match)


def read_block(engine: Engine) -> dict[str, Any] | None:
    """Return what the block being executed is known by, None between blocks."""
    block = _SavedBlock()
    if not engine.library.core_state_block(engine.core, ctypes.byref(block)):
        return None
    return {"paddr": block.paddr, "mode": block.mode, "code": ctypes.string_at(block.code, block.bytes).hex()}


def write_block(engine: Engine, saved: Mapping[str, Any] | None) -> None:
    """Have the core find the block again; its parts are written. Raises SnapshotError if it is another."""
    block = None
    if saved is not None:
        code = bytes.fromhex(saved["code"])
        buffer = ctypes.create_string_buffer(code, len(code))
        block = _SavedBlock(saved["paddr"], saved["mode"], len(code), ctypes.addressof(buffer))
    if not engine.library.core_state_set_block(engine.core, None if block is None else ctypes.byref(block)):
        raise SnapshotError("the block that was being executed is decoded otherwise now")
