# SPDX-License-Identifier: GPL-2.0-or-later
"""Flattened device trees (Devicetree Specification 0.4, chapter 5, "DTB format"), version 17.

A tree is built of `Node`s, whose properties are bytes, and flattened at once. The order of properties and
nodes is kept, and the same tree always gives the same bytes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MAGIC, VERSION, COMPATIBLE_VERSION = 0xD00DFEED, 17, 16
HEADER_BYTES = 40
BEGIN_NODE, END_NODE, PROP, END = 1, 2, 3, 9


@dataclass(slots=True)
class Node:
    """A node: `properties` by name, `children` in order. The root's name is empty."""

    name: str
    properties: dict[str, bytes] = field(default_factory=dict)
    children: list[Node] = field(default_factory=list)

    def add(self, name: str, properties: dict[str, bytes] | None = None) -> Node:
        """Add a child and return it."""
        child = Node(name, properties or {})
        self.children.append(child)
        return child


def cells(*values: int) -> bytes:
    """Return 32-bit cells, big endian."""
    return struct.pack(f">{len(values)}I", *values)


def pairs(*values: int) -> bytes:
    """Return 64-bit values, two cells each."""
    return struct.pack(f">{len(values)}Q", *values)


def text(*strings: str) -> bytes:
    """Return a string, or a list of them."""
    return b"".join(string.encode("utf-8") + b"\0" for string in strings)


def flatten(root: Node, reserved: Sequence[tuple[int, int]] = (), boot_cpu: int = 0) -> bytes:
    """Return the blob; `reserved` are (address, bytes) of memory to leave alone, `boot_cpu` is a `reg`."""
    names: dict[str, int] = {}
    strings = bytearray()
    structure = bytearray()
    _flatten_node(root, structure, names, strings)
    structure += cells(END)
    reservations = b"".join(pairs(*entry) for entry in (*reserved, (0, 0)))
    structure_at = HEADER_BYTES + len(reservations)
    strings_at = structure_at + len(structure)
    header = cells(
        MAGIC,
        strings_at + len(strings),
        structure_at,
        strings_at,
        HEADER_BYTES,
        VERSION,
        COMPATIBLE_VERSION,
        boot_cpu,
        len(strings),
        len(structure),
    )
    return header + reservations + bytes(structure) + bytes(strings)


def _flatten_node(node: Node, structure: bytearray, names: dict[str, int], strings: bytearray) -> None:
    structure += cells(BEGIN_NODE) + _padded(text(node.name))
    for name, value in node.properties.items():
        if name not in names:
            names[name] = len(strings)
            strings += text(name)
        structure += cells(PROP, len(value), names[name]) + _padded(value)
    for child in node.children:
        _flatten_node(child, structure, names, strings)
    structure += cells(END_NODE)


def _padded(data: bytes) -> bytes:
    """Return data filled up to a whole number of cells."""
    return data + b"\0" * (-len(data) % 4)
