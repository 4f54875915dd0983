# SPDX-License-Identifier: GPL-2.0-or-later
"""Expressions over registers, memory and symbols, as a person writes them in a debugger.

    $rax + 8            a register or local variable; also by its bare name where no symbol is called so
    current             a symbol is its address, with & or without; `console:main` is one of a program
    *current            the 64-bit word there; u8(a), u16(a), u32(a) and u64(a) read others
    $pc == main && u32($sp + 8) > 3

All values are unsigned and of 64 bits, and so are the comparisons; operators and their precedence are C's.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

WORD: Final = 1 << 64
DEEPEST: Final = 32  # parentheses and signs within one another
READERS: Final = {"u8": 1, "u16": 2, "u32": 4, "u64": 8}
TOKEN: Final = re.compile(
    r"\s*(?:(?P<number>0[xX][0-9a-fA-F]+|0[bB][01]+|\d+)(?![\w.])"
    r"|\$(?P<register>\w+)"
    r"|(?P<name>[A-Za-z_.][\w.]*(?::[A-Za-z_.][\w.]*)?)"
    r"|(?P<operator><<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^~!<>()]))"
)
#: Binary operators, those that bind loosest first.
LEVELS: Final = (
    ("||",),
    ("&&",),
    ("|",),
    ("^",),
    ("&",),
    ("==", "!="),
    ("<=", ">=", "<", ">"),
    ("<<", ">>"),
    ("+", "-"),
    ("*", "/", "%"),
)
ARITHMETIC: Final[dict[str, Callable[[int, int], int]]] = {
    "|": operator.or_,
    "^": operator.xor,
    "&": operator.and_,
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.floordiv,
    "%": operator.mod,
}


class ExpressionError(Exception):
    """An expression makes no sense, or has no value here; the message is one sentence for the user."""


class Context(Protocol):
    """Where an expression is worked out. Each method raises ExpressionError."""

    def register(self, name: str) -> int | None:
        """Return a register's value; None where there is none of that name."""
        ...

    def symbol(self, name: str) -> int:
        """Return the address of a symbol."""
        ...

    def read(self, address: int, size: int) -> bytes:
        """Return exactly ``size`` bytes of memory."""
        ...


Node = Callable[[Context], int]


@dataclass(frozen=True)
class Expression:
    """One that has been understood: its text, and how to work it out."""

    text: str
    node: Node

    def value(self, context: Context) -> int:
        """Return its value, from 0 to 2^64 - 1. Raises ExpressionError."""
        return self.node(context) % WORD


def parse(text: str) -> Expression:
    """Understand an expression. Raises ExpressionError where it is none."""
    parser = _Parser(text)
    node = parser.binary(0)
    parser.end()
    return Expression(text.strip(), node)


@dataclass(frozen=True)
class _Token:
    kind: str  # number, register, name, operator or end
    text: str
    at: int


class _Parser:
    """Recursive descent over the tokens."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[_Token] = []
        at = 0
        while text[at:].strip():
            match = TOKEN.match(text, at)
            if match is None:
                rest = text[at:].strip()
                raise ExpressionError(f"{text.strip()!r} is no expression: {rest.split()[0]!r} means nothing")
            kind = str(match.lastgroup)
            self._tokens.append(_Token(kind, match[kind], match.start(kind)))
            at = match.end()
        self._tokens.append(_Token("end", "", len(text)))
        self._next = self._depth = 0

    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def _take(self) -> _Token:
        token = self._tokens[self._next]
        self._next += 1
        return token

    def _accept(self, *texts: str) -> str | None:
        token = self._peek()
        if token.kind == "operator" and token.text in texts:
            self._next += 1
            return token.text
        return None

    def _expect(self, text: str) -> None:
        if self._accept(text) is None:
            self._refuse(f"{text!r} is missing")

    def _refuse(self, why: str) -> None:
        token = self._peek()
        where = f"before {token.text!r}" if token.kind != "end" else "at its end"
        raise ExpressionError(f"{self._text.strip()!r} is no expression: {why} {where}")

    def end(self) -> None:
        """Refuse what follows a whole expression."""
        if self._peek().kind != "end":
            self._refuse("an operator is missing")

    def binary(self, level: int) -> Node:
        """Parse what is bound by the operators of a level and tighter ones."""
        if level == len(LEVELS):
            return self._unary()
        left = self.binary(level + 1)
        while (sign := self._accept(*LEVELS[level])) is not None:
            left = _combine(sign, left, self.binary(level + 1))
        return left

    def _unary(self) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise ExpressionError(f"an expression within {DEEPEST} others is too deep; take it apart")
        node = self._signed() if self._accept("&") is None else self._address()
        self._depth -= 1
        return node

    def _signed(self) -> Node:
        sign = self._accept("-", "~", "!", "*", "+")
        if sign is None:
            return self._primary()
        inner = self._unary()
        match sign:
            case "-":
                return lambda context: -inner(context) % WORD
            case "~":
                return lambda context: ~inner(context) % WORD
            case "!":
                return lambda context: int(inner(context) == 0)
            case "*":
                return _reader(inner, 8)
            case _:
                return inner

    def _address(self) -> Node:
        """Parse what has an address: a symbol, and not a register that is called like one."""
        name = self._peek()
        if name.kind != "name":
            self._refuse("a symbol is missing, which & takes the address of,")
        self._next += 1
        return lambda context: context.symbol(name.text)

    def _primary(self) -> Node:
        if self._accept("(") is not None:
            inner = self.binary(0)
            self._expect(")")
            return inner
        token = self._peek()
        if token.kind not in ("number", "register", "name"):
            self._refuse("a value is missing")
        self._next += 1
        if token.kind == "number":
            return _constant(token.text)
        if token.kind == "register":
            return _register(token.text)
        if token.text in READERS and self._accept("(") is not None:
            inner = self.binary(0)
            self._expect(")")
            return _reader(inner, READERS[token.text])
        return _name(token.text)


def _constant(text: str) -> Node:
    value = int(text, 0) if text[:2].lower() in ("0x", "0b") else int(text)
    if value >= WORD:
        raise ExpressionError(f"{text} does not fit into 64 bits")
    return lambda _: value


def _register(name: str) -> Node:
    def node(context: Context) -> int:
        value = context.register(name)
        if value is None:
            raise ExpressionError(f"${name}: there is no register of this name")
        return value

    return node


def _name(name: str) -> Node:
    def node(context: Context) -> int:
        try:
            return context.symbol(name)
        except ExpressionError:
            value = None if ":" in name else context.register(name)
            if value is None:
                raise
            return value

    return node


def _reader(inner: Node, size: int) -> Node:
    return lambda context: int.from_bytes(context.read(inner(context) % WORD, size), "little")


def _combine(sign: str, left: Node, right: Node) -> Node:
    if sign == "&&":
        return lambda context: int(left(context) != 0 and right(context) != 0)
    if sign == "||":
        return lambda context: int(left(context) != 0 or right(context) != 0)
    if sign in ("<<", ">>"):
        return lambda context: _shift(sign, left(context) % WORD, right(context) % WORD)
    function = ARITHMETIC[sign]

    def node(context: Context) -> int:
        try:
            return int(function(left(context) % WORD, right(context) % WORD)) % WORD
        except ZeroDivisionError:
            raise ExpressionError(f"{sign} by zero has no value") from None

    return node


def _shift(sign: str, value: int, by: int) -> int:
    if by >= WORD.bit_length() - 1:
        return 0
    return (value << by) % WORD if sign == "<<" else value >> by
