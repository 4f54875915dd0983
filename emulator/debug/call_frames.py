# SPDX-License-Identifier: GPL-2.0-or-later
"""Call-frame information of a program: how to find the caller's registers at any instruction.

From ``.debug_frame`` and ``.eh_frame``, read when first needed; a table that is damaged has nothing to say.
Registers have DWARF's numbers. Source: DWARF 5, section 6.4.
"""

from __future__ import annotations

import bisect
import io
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from elftools.common.exceptions import DWARFError, ELFError
from elftools.construct import ConstructError
from elftools.dwarf.callframe import FDE
from elftools.dwarf.dwarf_expr import DWARFExprParser
from elftools.elf.elffile import ELFFile

from ringscope.emulator.debug.dwarf_expressions import WORD, NoValue, State, evaluate

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What a reader of damaged tables may meet.
DAMAGE: Final = (ELFError, DWARFError, ConstructError, ValueError, LookupError, AttributeError, TypeError)


@dataclass(frozen=True)
class Caller:
    """The caller's registers by DWARF's numbers, where known; ``address`` None where there is no caller."""

    registers: Mapping[int, int]
    address: int | None


@dataclass(frozen=True)
class _Function:
    """The addresses from ``start`` up to ``end``, and the entry that speaks of them."""

    start: int
    end: int
    entry: FDE


class CallFrames:
    """The call-frame information of one ELF file."""

    def __init__(self, data: bytes) -> None:
        """Read nothing yet."""
        self._data = data
        self._tables: dict[int, list[Mapping[Any, Any]]] = {}

    @cached_property
    def _functions(self) -> list[_Function]:
        try:
            file = ELFFile(io.BytesIO(self._data))
            dwarf = file.get_dwarf_info()
            entries = list(dwarf.CFI_entries()) if dwarf.has_CFI() else []
            entries += list(dwarf.EH_CFI_entries()) if dwarf.has_EH_CFI() else []
        except DAMAGE:
            return []
        found = [
            _Function(start, start + entry["address_range"], entry)
            for entry in entries
            if isinstance(entry, FDE) and (start := entry["initial_location"]) and entry["address_range"]
        ]
        return sorted(found, key=lambda function: function.start)

    @cached_property
    def _structs(self) -> Any:  # noqa: ANN401  pyelftools has no types
        return ELFFile(io.BytesIO(self._data)).get_dwarf_info().structs

    def _find(self, address: int) -> _Function | None:
        at = bisect.bisect_right(self._functions, address, key=lambda function: function.start)
        function = self._functions[at - 1] if at else None
        return function if function is not None and address < function.end else None

    def covers(self, address: int) -> bool:
        """Return whether something is said of the instruction at an address."""
        return self._find(address) is not None

    def caller(self, address: int, state: State, stack_pointer: int) -> Caller | None:
        """Return the state in the caller of the function at ``address``; None where nothing is known.

        ``address`` is that of the instruction that was executed last in the function; ``stack_pointer`` is
        that register's number.
        """
        function = self._find(address)
        if function is None:
            return None
        try:
            return self._unwind(function, address, state, stack_pointer)
        except (NoValue, *DAMAGE):
            return None

    def _table(self, function: _Function) -> list[Mapping[Any, Any]]:
        table = self._tables.get(function.start)
        if table is None:
            table = self._tables[function.start] = list(function.entry.get_decoded().table)
        return table

    def _row(self, function: _Function, address: int) -> Mapping[Any, Any]:
        rows = [row for row in self._table(function) if row["pc"] <= address]
        if not rows:
            raise NoValue
        return rows[-1]

    def frame(self, address: int, state: State) -> int:
        """Return the canonical frame address of the function at ``address``. Raises NoValue."""
        function = self._find(address)
        if function is None:
            raise NoValue
        return self._frame(self._row(function, address), state)

    def has_frame_in(self, register: int, address: int) -> bool:
        """Return whether a register points into the function's whole frame at an instruction.

        It does not before the function has set it up, nor once it has been taken down. Where nothing is said,
        it is taken to do so.
        """
        function = self._find(address)
        if function is None:
            return True
        try:
            here = self._row(function, address)["cfa"]
            rules = [row["cfa"] for row in self._table(function)]
        except (NoValue, *DAMAGE):
            return True
        offsets = [rule.offset for rule in rules if rule.reg == register]
        return not offsets or (here.reg == register and here.offset == max(offsets))

    def _frame(self, row: Mapping[Any, Any], state: State) -> int:
        rule = row["cfa"]
        if rule.expr is not None:
            return self._evaluate(rule.expr, state, None)
        return (state.known(rule.reg) + int(rule.offset)) % WORD

    def _unwind(self, function: _Function, address: int, state: State, stack_pointer: int) -> Caller:
        row = self._row(function, address)
        frame = self._frame(row, state)
        callers = dict(state.registers)
        callers[stack_pointer] = frame
        for number, how in row.items():
            if not isinstance(number, int):
                continue
            value = self._value(number, how.type, how.arg, frame, state)
            if value is None:
                callers.pop(number, None)
            else:
                callers[number] = value
        link = function.entry.cie["return_address_register"]
        return Caller(callers, callers.get(link))

    def _value(self, number: int, rule: str, argument: Any, frame: int, state: State) -> int | None:  # noqa: ANN401
        """Return a register's value in the caller; None where it is lost. pyelftools has no types."""
        value: int | None = None
        match rule:
            case "OFFSET":
                value = state.load(frame + argument)
            case "VAL_OFFSET":
                value = (frame + int(argument)) % WORD
            case "SAME_VALUE":
                value = state.registers.get(number)
            case "REGISTER":
                value = state.registers.get(argument)
            case "EXPRESSION":
                value = state.load(self._evaluate(argument, state, frame))
            case "VAL_EXPRESSION":
                value = self._evaluate(argument, state, frame)
        return value

    def _evaluate(self, code: Any, state: State, first: int | None) -> int:  # noqa: ANN401  pyelftools'
        """Work out an expression of the table."""
        return evaluate(DWARFExprParser(self._structs).parse_expr(code), state, first)
