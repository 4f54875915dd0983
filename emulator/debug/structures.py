# SPDX-License-Identifier: GPL-2.0-or-later
"""How a program lays out its structs and what its enumerators are called, from its DWARF.

Read when first asked for. Source: DWARF 5, section 5.7.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from elftools.elf.elffile import ELFFile

from ringscope.emulator.debug.call_frames import DAMAGE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: Types that stand for another one.
TRANSPARENT: Final = ("DW_TAG_typedef", "DW_TAG_const_type", "DW_TAG_volatile_type")
AGGREGATES: Final = ("DW_TAG_structure_type", "DW_TAG_union_type")


class UnknownStructure(Exception):
    """A program has no such struct, or the struct no such field; one sentence."""


@dataclass(frozen=True)
class Field:
    """A field of a struct: ``offset`` and ``size`` in bytes; ``count`` elements of it if it is an array."""

    offset: int
    size: int
    count: int = 1


class Structures:
    """The structs of one ELF file."""

    def __init__(self, data: bytes) -> None:
        """Read nothing yet."""
        self._data = data
        self._fields: dict[tuple[str, str], Field] = {}

    @cached_property
    def _types(self) -> dict[str, Any]:
        """Every complete struct by its name; of several the first."""
        found: dict[str, Any] = {}
        for entry in self._entries():
            name = entry.attributes.get("DW_AT_name")
            if entry.tag in AGGREGATES and name is not None and "DW_AT_byte_size" in entry.attributes:
                found.setdefault(name.value.decode("utf-8", "replace"), entry)
        return found

    def _entries(self) -> Iterator[Any]:
        try:
            for unit in ELFFile(io.BytesIO(self._data)).get_dwarf_info().iter_CUs():
                yield from unit.get_top_DIE().iter_children()
        except DAMAGE:
            return

    @cached_property
    def enumerators(self) -> Mapping[str, int]:
        """The values of all enumerators by name."""
        found: dict[str, int] = {}
        for entry in self._entries():
            if entry.tag == "DW_TAG_enumeration_type":
                for each in entry.iter_children():
                    found[each.attributes["DW_AT_name"].value.decode()] = each.attributes[
                        "DW_AT_const_value"
                    ].value
        return found

    def size(self, struct: str) -> int:
        """Return the bytes of a struct. Raises UnknownStructure."""
        if struct not in self._types:
            raise UnknownStructure(f"no struct {struct} is known")
        return int(self._types[struct].attributes["DW_AT_byte_size"].value)

    def field(self, struct: str, path: str) -> Field:
        """Return a field by its path, as in ``arch.frame.rip``. Raises UnknownStructure."""
        known = self._fields.get((struct, path))
        if known is None:
            self.size(struct)
            known = self._fields[struct, path] = self._find(self._types[struct], path)
        return known

    def _find(self, struct: Any, path: str) -> Field:  # noqa: ANN401  pyelftools has no types
        name, _, rest = path.partition(".")
        for member in struct.iter_children():
            if member.tag != "DW_TAG_member":
                continue
            place = member.attributes.get("DW_AT_data_member_location")
            offset = 0 if place is None else int(place.value)
            kind = _resolve(member)
            called = member.attributes.get("DW_AT_name")
            if called is None:  # an anonymous union's or struct's fields are the outer one's
                try:
                    inner = self._find(kind, path)
                except UnknownStructure:
                    continue
                return Field(offset + inner.offset, inner.size, inner.count)
            if called.value.decode() != name:
                continue
            if rest:
                inner = self._find(kind, rest)
                return Field(offset + inner.offset, inner.size, inner.count)
            size, count = _size(kind)
            return Field(offset, size, count)
        raise UnknownStructure(f"no field {path} is known")


def _resolve(entry: Any) -> Any:  # noqa: ANN401
    """Return the type of a member, typedefs and qualifiers seen through."""
    kind = entry.get_DIE_from_attribute("DW_AT_type")
    while kind.tag in TRANSPARENT:
        kind = kind.get_DIE_from_attribute("DW_AT_type")
    return kind


def _size(kind: Any) -> tuple[int, int]:  # noqa: ANN401
    """Return the bytes of one element and how many there are."""
    if kind.tag == "DW_TAG_pointer_type":
        return kind.cu["address_size"], 1
    if kind.tag != "DW_TAG_array_type":
        return int(kind.attributes["DW_AT_byte_size"].value), 1
    size, count = _size(_resolve(kind))
    for each in kind.iter_children():
        bound = each.attributes.get("DW_AT_count") or each.attributes.get("DW_AT_upper_bound")
        if bound is not None:
            count *= bound.value + ("DW_AT_upper_bound" in each.attributes)
    return size, count
