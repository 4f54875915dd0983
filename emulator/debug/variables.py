# SPDX-License-Identifier: GPL-2.0-or-later
"""Arguments and local variables of the functions of a program: where each is, at any instruction.

From ``.debug_info``, read when first needed. What the compiler keeps nowhere at an instruction has no value
there, and neither has what a damaged table speaks of. Source: DWARF 5, sections 2.6, 3.3 and 4.1.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from elftools.dwarf.dwarf_expr import DWARFExprParser
from elftools.dwarf.locationlists import LocationParser
from elftools.dwarf.ranges import BaseAddressEntry
from elftools.elf.elffile import ELFFile

from ringscope.emulator.debug.c_types import Type
from ringscope.emulator.debug.call_frames import DAMAGE
from ringscope.emulator.debug.dwarf_expressions import NoValue, evaluate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ringscope.emulator.debug.call_frames import CallFrames
    from ringscope.emulator.debug.dwarf_expressions import State

VARIABLES: Final = ("DW_TAG_formal_parameter", "DW_TAG_variable")
SCOPES: Final = ("DW_TAG_lexical_block", "DW_TAG_inlined_subroutine")


@dataclass(frozen=True)
class Variable:
    """One of them: in which function, which may have been put into its caller; ``type`` as C writes it.

    ``read`` returns its bytes, given what the function has. Raises NoValue.
    """

    name: str
    function: str
    is_argument: bool
    type: Type
    read: Callable[[State], bytes] = field(repr=False)


class Variables:
    """Those of one ELF file; ``frames`` is its call-frame information."""

    def __init__(self, data: bytes, frames: CallFrames) -> None:
        """Read nothing yet."""
        self._data = data
        self._frames = frames

    @cached_property
    def _dwarf(self) -> Any:  # noqa: ANN401  pyelftools has no types
        return ELFFile(io.BytesIO(self._data)).get_dwarf_info()

    @cached_property
    def _units(self) -> list[tuple[list[range], Any]]:
        return [(self._ranges(unit.get_top_DIE()), unit) for unit in self._dwarf.iter_CUs()]

    def at(self, address: int) -> list[Variable]:
        """Return those that the source has at an instruction, the outermost function's first."""
        try:
            return [
                each for entry in self._functions(address) for each in self._inside(entry, entry, address)
            ]
        except DAMAGE:
            return []

    def _functions(self, address: int) -> Iterator[Any]:
        for ranges, unit in self._units:
            if any(address in part for part in ranges):
                for entry in unit.get_top_DIE().iter_children():
                    if entry.tag == "DW_TAG_subprogram" and self._has(entry, address):
                        yield entry

    def _has(self, entry: Any, address: int) -> bool:  # noqa: ANN401
        return any(address in part for part in self._ranges(entry))

    def _ranges(self, entry: Any) -> list[range]:  # noqa: ANN401
        """Return the addresses of an entry's code."""
        low, high = entry.attributes.get("DW_AT_low_pc"), entry.attributes.get("DW_AT_high_pc")
        if low is not None and high is not None:
            end = high.value if high.form == "DW_FORM_addr" else low.value + high.value
            return [range(low.value, end)]
        listed = entry.attributes.get("DW_AT_ranges")
        if listed is None:
            return []
        base, found = self._base(entry), []
        for part in self._dwarf.range_lists().get_range_list_at_offset(listed.value, cu=entry.cu):
            if isinstance(part, BaseAddressEntry):
                base = part.base_address
            else:
                start = 0 if getattr(part, "is_absolute", False) else base
                found.append(range(start + part.begin_offset, start + part.end_offset))
        return found

    @staticmethod
    def _base(entry: Any) -> int:  # noqa: ANN401
        low = entry.cu.get_top_DIE().attributes.get("DW_AT_low_pc")
        return 0 if low is None else int(low.value)

    def _inside(self, entry: Any, function: Any, address: int) -> Iterator[Variable]:  # noqa: ANN401
        """Yield the variables of a scope, then those of the scopes within it that an address is in."""
        inner = []
        for child in entry.iter_children():
            if child.tag in VARIABLES:
                yield from self._variable(child, entry, function, address)
            elif child.tag in SCOPES and self._has(child, address):
                inner.append(child)
        for child in inner:
            yield from self._inside(child, function, address)

    def _variable(self, entry: Any, scope: Any, function: Any, address: int) -> Iterator[Variable]:  # noqa: ANN401
        name, kind = _attribute(entry, "DW_AT_name"), _attribute_entry(entry, "DW_AT_type")
        while scope.tag == "DW_TAG_lexical_block":
            scope = scope.get_parent()
        owner = _attribute(scope, "DW_AT_name")
        if name is None or kind is None or owner is None:
            return
        type_ = Type.of(kind)

        def read(state: State) -> bytes:
            return self._read(entry, function, address, state, type_.size)

        argument = entry.tag == "DW_TAG_formal_parameter"
        yield Variable(_text(name), _text(owner), argument, type_, read)

    # ---- values ----

    def _read(self, entry: Any, function: Any, address: int, state: State, size: int) -> bytes:  # noqa: ANN401
        try:
            constant = entry.attributes.get("DW_AT_const_value")
            if constant is not None:
                return _constant(constant.value, size)
            operations = self._operations(entry, "DW_AT_location", address)
            if not operations:
                raise NoValue
            return self._value(operations, state, size, lambda: self._frame_base(function, address, state))
        except DAMAGE:
            raise NoValue from None

    def _operations(self, entry: Any, attribute: str, address: int) -> list[Any]:  # noqa: ANN401
        """Return the expression of an attribute that counts at an instruction; none where there is none."""
        found = entry.attributes.get(attribute)
        if found is None:
            return []
        parser = LocationParser(self._dwarf.location_lists())
        listed = parser.parse_from_attribute(found, entry.cu["version"], die=entry)
        if not isinstance(listed, list):
            return self._parsed(entry, listed.loc_expr)
        base = self._base(entry)
        for part in listed:
            if hasattr(part, "base_address"):
                base = part.base_address
                continue
            start = 0 if part.is_absolute else base
            if start + part.begin_offset <= address < start + part.end_offset:
                return self._parsed(entry, part.loc_expr)
        return []

    @staticmethod
    def _parsed(entry: Any, code: Any) -> list[Any]:  # noqa: ANN401
        return list(DWARFExprParser(entry.cu.structs).parse_expr(code))

    def _frame_base(self, function: Any, address: int, state: State) -> int:  # noqa: ANN401
        (first, *rest) = self._operations(function, "DW_AT_frame_base", address)
        if first.op_name == "DW_OP_call_frame_cfa":
            return self._frames.frame(address, state)
        number = _register(first)
        if number is None:
            return evaluate([first, *rest], state)
        if not self._frames.has_frame_in(number, address):
            raise NoValue
        return state.known(number)

    def _value(
        self,
        operations: list[Any],
        state: State,
        size: int,
        frame_base: Callable[[], int],
    ) -> bytes:
        """Return the bytes that an expression leads to, put together where it has several pieces."""
        found, part = b"", list[Any]()
        for operation in operations:
            if operation.op_name == "DW_OP_piece":
                found += _piece(part, state, operation.args[0], frame_base)
                part = []
            else:
                part.append(operation)
        whole = found + _piece(part, state, size - len(found), frame_base) if part else found
        if len(whole) < size:
            raise NoValue
        return whole[:size]


def _piece(operations: list[Any], state: State, size: int, frame_base: Callable[[], int]) -> bytes:
    if not operations:  # it was optimised away
        raise NoValue
    number = _register(operations[0])
    if number is not None:
        return _constant(state.known(number), size)
    if operations[0].op_name == "DW_OP_implicit_value":
        return _constant(operations[0].args[0], size)
    if operations[-1].op_name == "DW_OP_stack_value":
        return _constant(evaluate(operations[:-1], state, None, frame_base), size)
    return state.bytes_at(evaluate(operations, state, None, frame_base), size)


def _register(operation: Any) -> int | None:  # noqa: ANN401
    """Return the number of the register that an operation says a value is in."""
    name = operation.op_name.removeprefix("DW_OP_")
    if name == "regx":
        return int(operation.args[0])
    return int(name[3:]) if name.startswith("reg") else None


def _constant(value: int | bytes | list[int], size: int) -> bytes:
    if isinstance(value, int):
        return (value % (1 << 8 * size)).to_bytes(size, "little")
    return bytes(value).ljust(size, b"\0")[:size]


def _attribute(entry: Any, name: str) -> Any:  # noqa: ANN401
    """Return an attribute of an entry or of the one that it is a copy of."""
    while name not in entry.attributes:
        origin = next(
            (each for each in ("DW_AT_abstract_origin", "DW_AT_specification") if each in entry.attributes),
            None,
        )
        if origin is None:
            return None
        entry = entry.get_DIE_from_attribute(origin)
    return entry.attributes[name].value


def _attribute_entry(entry: Any, name: str) -> Any:  # noqa: ANN401
    while name not in entry.attributes:
        if "DW_AT_abstract_origin" not in entry.attributes:
            return None
        entry = entry.get_DIE_from_attribute("DW_AT_abstract_origin")
    return entry.get_DIE_from_attribute(name)


def _text(name: bytes) -> str:
    return name.decode("utf-8", "replace")
