# SPDX-License-Identifier: GPL-2.0-or-later
"""How a struct of ``abi.toml`` lies in memory: field after field, with no padding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Bytes of each scalar type.
SIZES = {"u64": 8, "u32": 4, "char": 1}


def struct_size(name: str, structs: Mapping[str, dict[str, Any]]) -> int:
    """Return the size in bytes of a struct.

    Raises ValueError where a field would need padding before it.
    """
    offset = 0
    for field in structs[name]["fields"]:
        kind = field["type"]
        size = SIZES[kind] if kind in SIZES else struct_size(kind, structs)
        if offset % min(size, 8):
            where = f"{name}.{field['name']}"
            raise ValueError(f"abi.toml: {where} lies at offset {offset}, misaligned; put a field before it")
        offset += size * field.get("count", 1)
    return offset
