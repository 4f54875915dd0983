# SPDX-License-Identifier: GPL-2.0-or-later
"""Types of C as a program's DWARF has them: what they are called, and how a value of one is written.

Source: DWARF 5, chapter 5.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SIGNED, UNSIGNED, BOOLEAN, POINTER, FLOAT, OTHER = (
    "signed",
    "unsigned",
    "boolean",
    "pointer",
    "float",
    "other",
)
#: DW_ATE_*: how a base type is encoded. Characters are numbers here, as they are in C.
ENCODINGS: Final = {2: BOOLEAN, 4: FLOAT, 5: SIGNED, 6: SIGNED, 7: UNSIGNED, 8: UNSIGNED, 16: UNSIGNED}
QUALIFIERS: Final = {
    "DW_TAG_const_type": "const ",
    "DW_TAG_volatile_type": "volatile ",
    "DW_TAG_restrict_type": "",
    "DW_TAG_atomic_type": "_Atomic ",
}
AGGREGATES: Final = {
    "DW_TAG_structure_type": "struct",
    "DW_TAG_union_type": "union",
    "DW_TAG_class_type": "class",
    "DW_TAG_enumeration_type": "enum",
}
TEN: Final = 10  # below it decimal and hexadecimal are the same
FLOATS: Final = {4: "<f", 8: "<d"}  # struct's formats by size


@dataclass(frozen=True)
class Type:
    """A type: its name, its bytes, what its values are; ``names`` are an enumeration's by value."""

    name: str
    size: int
    kind: str
    names: Mapping[int, str] = field(default_factory=dict)

    @staticmethod
    def of(entry: Any) -> Type:  # noqa: ANN401  pyelftools has no types
        """Return the type that an entry of ``.debug_info`` describes."""
        return MAKERS.get(entry.tag, _other)(entry)

    def number(self, content: bytes) -> int:
        """Return a value as 64 bits, those of a negative one extended."""
        return int.from_bytes(content[:8], "little", signed=self.kind == SIGNED) % (1 << 64)

    def written(self, content: bytes) -> str:
        """Write a value as C would, or its bytes where it is no single number."""
        unsigned = int.from_bytes(content, "little")
        if self.kind == FLOAT and len(content) in FLOATS:
            return str(struct.unpack(FLOATS[len(content)], content)[0])
        if unsigned in self.names:
            return self.names[unsigned]
        text = {
            SIGNED: str(int.from_bytes(content, "little", signed=True)),
            UNSIGNED: str(unsigned) if unsigned < TEN else f"{unsigned} ({unsigned:#x})",
            BOOLEAN: "true" if unsigned else "false",
            POINTER: f"{unsigned:#x}",
        }
        return text.get(self.kind, content.hex(" ", -8))


def _name(entry: Any) -> str:  # noqa: ANN401
    name = entry.attributes.get("DW_AT_name")
    return "" if name is None else str(name.value.decode("utf-8", "replace"))


def _size(entry: Any) -> int:  # noqa: ANN401
    size = entry.attributes.get("DW_AT_byte_size")
    return 0 if size is None else int(size.value)


def _inner(entry: Any) -> Type | None:  # noqa: ANN401
    return Type.of(entry.get_DIE_from_attribute("DW_AT_type")) if "DW_AT_type" in entry.attributes else None


def _base(entry: Any) -> Type:  # noqa: ANN401
    encoding = entry.attributes["DW_AT_encoding"].value
    return Type(_name(entry), _size(entry), ENCODINGS.get(encoding, OTHER))


def _pointer(entry: Any) -> Type:  # noqa: ANN401
    """Return a pointer, without looking into what it points to: a struct may point to itself."""
    to = entry.get_DIE_from_attribute("DW_AT_type") if "DW_AT_type" in entry.attributes else None
    name = "void" if to is None else _pointed_to(to)
    space = "" if name.endswith("*") else " "
    return Type(f"{name}{space}*", entry.cu["address_size"], POINTER)


def _pointed_to(entry: Any) -> str:  # noqa: ANN401
    if entry.tag in AGGREGATES:
        return f"{AGGREGATES[entry.tag]} {_name(entry)}".rstrip()
    if entry.tag in QUALIFIERS:
        inner = entry.get_DIE_from_attribute("DW_AT_type") if "DW_AT_type" in entry.attributes else None
        return QUALIFIERS[entry.tag] + ("void" if inner is None else _pointed_to(inner))
    if entry.tag == "DW_TAG_pointer_type":
        return _pointer(entry).name
    return _name(entry) or "?"


def _typedef(entry: Any) -> Type:  # noqa: ANN401
    of = _inner(entry)
    return Type(_name(entry), 0, OTHER) if of is None else replace(of, name=_name(entry))


def _qualified(entry: Any) -> Type:  # noqa: ANN401
    of = _inner(entry) or Type("void", 0, OTHER)
    return replace(of, name=f"{QUALIFIERS[entry.tag]}{of.name}")


def _enumeration(entry: Any) -> Type:  # noqa: ANN401
    named = [each.attributes for each in entry.iter_children() if "DW_AT_const_value" in each.attributes]
    names = {each["DW_AT_const_value"].value: each["DW_AT_name"].value.decode() for each in named}
    return Type(f"enum {_name(entry)}".rstrip(), _size(entry), UNSIGNED, names)


def _aggregate(entry: Any) -> Type:  # noqa: ANN401
    return Type(f"{AGGREGATES[entry.tag]} {_name(entry)}".rstrip(), _size(entry), OTHER)


def _other(entry: Any) -> Type:  # noqa: ANN401
    return Type(_name(entry) or "?", _size(entry), OTHER)


def _array(entry: Any) -> Type:  # noqa: ANN401
    of, count = _inner(entry) or Type("?", 0, OTHER), 1
    for each in entry.iter_children():
        bound = each.attributes.get("DW_AT_count") or each.attributes.get("DW_AT_upper_bound")
        count *= 0 if bound is None else bound.value + ("DW_AT_upper_bound" in each.attributes)
    return Type(f"{of.name}[{count or ''}]", of.size * count, OTHER)


MAKERS: Final[Mapping[str, Callable[[Any], Type]]] = {
    "DW_TAG_base_type": _base,
    "DW_TAG_pointer_type": _pointer,
    "DW_TAG_typedef": _typedef,
    "DW_TAG_enumeration_type": _enumeration,
    "DW_TAG_array_type": _array,
    **dict.fromkeys(QUALIFIERS, _qualified),
    **dict.fromkeys(("DW_TAG_structure_type", "DW_TAG_union_type", "DW_TAG_class_type"), _aggregate),
}
