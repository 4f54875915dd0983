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

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: What a reader of damaged tables may meet.
DAMAGE: Final = (ELFError, DWARFError, ConstructError, ValueError, LookupError, AttributeError, TypeError)
WORD: Final = 1 << 64


class NoValue(Exception):
    """A caller's register cannot be found: memory that is not there, an expression that is not known."""


@dataclass(frozen=True)
class State:
    """What a function has: its registers by DWARF's numbers, and memory.

    ``word`` is the size of an address in bytes; ``read`` returns up to a number of bytes at an address.
    """

    registers: Mapping[int, int]
    word: int
    read: Callable[[int, int], bytes]

    def known(self, number: int) -> int:
        """Return a register. Raises NoValue."""
        if number not in self.registers:
            raise NoValue
        return self.registers[number]

    def load(self, address: int) -> int:
        """Return the word at an address. Raises NoValue."""
        content = self.read(address % WORD, self.word)
        if len(content) < self.word:
            raise NoValue
        return int.from_bytes(content, "little")


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

    def _row(self, function: _Function, address: int) -> Mapping[Any, Any]:
        table = self._tables.get(function.start)
        if table is None:
            table = self._tables[function.start] = list(function.entry.get_decoded().table)
        rows = [row for row in table if row["pc"] <= address]
        if not rows:
            raise NoValue
        return rows[-1]

    def _unwind(self, function: _Function, address: int, state: State, stack_pointer: int) -> Caller:
        row = self._row(function, address)
        rule = row["cfa"]
        if rule.expr is not None:
            frame = self._evaluate(rule.expr, state, None)
        else:
            frame = (state.known(rule.reg) + rule.offset) % WORD
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
        """Work out a DWARF expression, those of its operations that compilers use in call-frame tables."""
        stack = [] if first is None else [first]
        for operation in DWARFExprParser(self._structs).parse_expr(code):
            name, arguments = operation.op_name.removeprefix("DW_OP_"), operation.args
            if name.startswith("lit"):
                stack.append(int(name[3:]))
            elif name.startswith("const"):
                stack.append(arguments[0])
            elif name.startswith("breg"):
                stack.append(state.known(int(name[4:])) + arguments[0])
            elif name == "plus_uconst":
                stack.append(stack.pop() + arguments[0])
            elif name == "deref":
                stack.append(state.load(stack.pop()))
            elif name in BINARY:
                right = stack.pop()
                stack.append(BINARY[name](stack.pop(), right))
            else:
                raise NoValue
            stack[-1] %= WORD
        return stack[-1]


BINARY: Final[dict[str, Callable[[int, int], int]]] = {
    "plus": lambda left, right: left + right,
    "minus": lambda left, right: left - right,
    "and": lambda left, right: left & right,
    "mul": lambda left, right: left * right,
    "shl": lambda left, right: left << min(right, 64),
    "ge": lambda left, right: int(_signed(left) >= _signed(right)),
}


def _signed(value: int) -> int:
    return value - WORD if value >= WORD // 2 else value
