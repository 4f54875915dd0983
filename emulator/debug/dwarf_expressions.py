# SPDX-License-Identifier: GPL-2.0-or-later
"""DWARF expressions: where a value lies, worked out from what a function has. Source: DWARF 5, section 2.5.

Operations are pyelftools': each has ``op_name`` and ``args``. Those that compilers use are known; another one
means that nobody knows the value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

WORD: Final = 1 << 64


class NoValue(Exception):
    """Something cannot be found: memory that is not there, a register or an operation that is not known."""


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

    def bytes_at(self, address: int, size: int) -> bytes:
        """Return exactly so many bytes of memory. Raises NoValue."""
        content = self.read(address % WORD, size)
        if len(content) < size:
            raise NoValue
        return content

    def load(self, address: int) -> int:
        """Return the word at an address. Raises NoValue."""
        return int.from_bytes(self.bytes_at(address, self.word), "little")


def evaluate(
    operations: Iterable[Any],
    state: State,
    first: int | None = None,
    frame_base: Callable[[], int] | None = None,
) -> int:
    """Return what operations leave on top of the stack, which ``first`` begins if it is given.

    ``frame_base`` says where the function's frame is, for what counts from there. Raises NoValue.
    """
    stack = [] if first is None else [first]
    for operation in operations:
        name, arguments = operation.op_name.removeprefix("DW_OP_"), operation.args
        if name.startswith("lit"):
            stack.append(int(name[3:]))
        elif name.startswith("const") or name == "addr":
            stack.append(arguments[0])
        elif name.startswith("breg"):
            stack.append(state.known(int(name[4:])) + arguments[0])
        elif name == "fbreg" and frame_base is not None:
            stack.append(frame_base() + arguments[0])
        elif name == "plus_uconst":
            stack.append(stack.pop() + arguments[0])
        elif name == "deref":
            stack.append(state.load(stack.pop()))
        elif name in UNARY:
            stack.append(UNARY[name](stack.pop()))
        elif name in BINARY:
            right = stack.pop()
            stack.append(BINARY[name](stack.pop(), right))
        else:
            raise NoValue
        stack[-1] %= WORD
    return stack[-1]


def _signed(value: int) -> int:
    return value - WORD if value >= WORD // 2 else value


UNARY: Final[dict[str, Callable[[int], int]]] = {
    "neg": lambda value: -value,
    "not": lambda value: ~value,
}
BINARY: Final[dict[str, Callable[[int, int], int]]] = {
    "plus": lambda left, right: left + right,
    "minus": lambda left, right: left - right,
    "and": lambda left, right: left & right,
    "or": lambda left, right: left | right,
    "xor": lambda left, right: left ^ right,
    "mul": lambda left, right: left * right,
    "shl": lambda left, right: left << min(right, 64),
    "shr": lambda left, right: left >> min(right, 64),
    "shra": lambda left, right: _signed(left) >> min(right, 64),
    "eq": lambda left, right: int(left == right),
    "ne": lambda left, right: int(left != right),
    "ge": lambda left, right: int(_signed(left) >= _signed(right)),
    "gt": lambda left, right: int(_signed(left) > _signed(right)),
    "le": lambda left, right: int(_signed(left) <= _signed(right)),
    "lt": lambda left, right: int(_signed(left) < _signed(right)),
}
