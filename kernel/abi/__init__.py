# SPDX-License-Identifier: GPL-2.0-or-later
"""What the kernel promises to user mode, as Python reads it; ``abi.toml`` is the only source.

Each constant group is a mapping from the name in ``abi.toml`` to its number, such as ``ERROR["rights"]``;
``STRUCTS`` gives each shared struct's fields with byte offset and size.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ringscope.abi.layout import SIZES, struct_size

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a shared struct; ``offset`` and ``size`` (of one element) in bytes."""

    offset: int
    size: int
    count: int
    type: str


_ABI: dict[str, Any] = tomllib.loads(Path(__file__).with_name("abi.toml").read_text(encoding="utf-8"))


def _numbers(group: str) -> Mapping[str, int]:
    entries = _ABI[group].items()
    return MappingProxyType({name: v["number"] if isinstance(v, dict) else v for name, v in entries})


def _fields(struct: dict[str, Any], structs: dict[str, dict[str, Any]]) -> Mapping[str, Field]:
    fields, offset = {}, 0
    for field in struct["fields"]:
        kind, count = field["type"], field.get("count", 1)
        size = SIZES[kind] if kind in SIZES else struct_size(kind, structs)
        fields[field["name"]] = Field(offset, size, count, kind)
        offset += size * count
    return MappingProxyType(fields)


_STRUCTS = {struct["name"]: struct for struct in _ABI["struct"]}

VERSION: int = _ABI["abi"]["version"]
PAGE_SIZE: int = _ABI["abi"]["page_size"]
CALL: Mapping[str, int] = MappingProxyType({call["name"]: call["number"] for call in _ABI["call"]})
ERROR = _numbers("error")
OBJECT = _numbers("object")
RIGHT = _numbers("right")
KIND = _numbers("kind")
ACCESS = _numbers("access")
FAULT = _numbers("fault")
FAULT_REPLY = _numbers("fault_reply")
ROOT_HANDLE = _numbers("root_handle")
BOOTINFO = _numbers("bootinfo")
MARK = _numbers("mark")
STRUCTS: Mapping[str, Mapping[str, Field]] = MappingProxyType(
    {name: _fields(struct, _STRUCTS) for name, struct in _STRUCTS.items()}
)
