# SPDX-License-Identifier: GPL-2.0-or-later
"""What a person writes in a debugger, and what it comes to; the values are worked out by hand."""

from __future__ import annotations

import pytest

from ringscope.emulator.debug.expressions import ExpressionError, parse

REGISTERS = {"rax": 0x10, "rsp": 0x8000, "pc": 0x1000}
SYMBOLS = {"main": 0x1000, "console:main": 0x400000, "current": 0x2000, "rax_table": 0x3000}
MEMORY = {0x2000: bytes((0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11))}


class Machine:
    """Two registers, some symbols and eight bytes of memory."""

    def register(self, name):
        return REGISTERS.get(name)

    def symbol(self, name):
        if name not in SYMBOLS:
            raise ExpressionError(f"no symbol is called {name}")
        return SYMBOLS[name]

    def read(self, address, size):
        content = MEMORY.get(address, b"")[:size]
        if len(content) < size:
            raise ExpressionError(f"there is no memory at {address:#x}")
        return content


def value(text):
    return parse(text).value(Machine())


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("42", 42),
        ("0x2a", 42),
        ("0b101", 5),
        ("010", 10),  # no octal: nobody means it
        ("$rax", 0x10),
        ("rax", 0x10),
        ("rax_table", 0x3000),
        ("main", 0x1000),
        ("console:main + 4", 0x400004),
        ("*current", 0x1122334455667788),
        ("u8(current)", 0x88),
        ("u16(current)", 0x7788),
        ("u32(current)", 0x55667788),
        ("u64(current)", 0x1122334455667788),
        ("2 + 3 * 4", 14),
        ("(2 + 3) * 4", 20),
        ("10 - 3 - 2", 5),
        ("7 / 2", 3),
        ("7 % 4", 3),
        ("1 << 4 | 1", 17),
        ("0xff & ~0xf", 0xF0),
        ("6 ^ 3", 5),
        ("1 << 64", 0),
        ("-1", 0xFFFF_FFFF_FFFF_FFFF),
        ("-1 > 1", 1),  # unsigned
        ("!0", 1),
        ("!rax", 0),
        ("$pc == main && $rsp >= 0x8000", 1),
        ("$pc == main + 1 || rax != 0x10", 0),
        ("(" * 30 + "7" + ")" * 30, 7),
        ("1 == 1 & 3", 1),  # C's precedence: (1 == 1) & 3
        ("0xffffffffffffffff + 2", 1),
    ],
)
def test_an_expression_has_the_value_that_c_gives_it(text, result):
    assert value(text) == result


def test_what_stands_behind_a_false_condition_is_not_read():
    assert value("0 && u8(0xdead)") == 0
    assert value("1 || u8(0xdead)") == 1


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "a value is missing at its end"),
        ("1 +", "a value is missing at its end"),
        ("(1", "')' is missing at its end"),
        ("1 2", "an operator is missing before '2'"),
        ("1 = 2", "'=' means nothing"),
        ("12ab", "'12ab' means nothing"),
        ("0x10000000000000000", "does not fit into 64 bits"),
        ("(" * 10_000 + "1" + ")" * 10_000, "too deep"),
        ("-" * 10_000 + "1", "too deep"),
    ],
)
def test_what_is_no_expression_is_refused_with_the_place(text, complaint):
    with pytest.raises(ExpressionError, match=r".") as refusal:
        parse(text)
    assert complaint in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("$nothing", "$nothing: there is no register of this name"),
        ("nobody", "no symbol is called nobody"),
        ("other:main", "no symbol is called other:main"),
        ("*0xdead", "there is no memory at 0xdead"),
        ("1 / 0", "/ by zero has no value"),
        ("1 % (rax - 0x10)", "% by zero has no value"),
    ],
)
def test_what_has_no_value_here_says_why(text, complaint):
    with pytest.raises(ExpressionError) as refusal:
        value(text)
    assert str(refusal.value) == complaint
