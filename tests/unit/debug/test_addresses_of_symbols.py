# SPDX-License-Identifier: GPL-2.0-or-later
"""A symbol is its address already; who writes & before it, as in C, means the same."""

from __future__ import annotations

import pytest

from ringscope.emulator.debug.expressions import ExpressionError, parse

SYMBOLS = {"current": 0x2000, "client:main": 0x400000}


class Machine:
    """Two symbols, and a register."""

    def register(self, name):
        return 7 if name == "rax" else None

    def symbol(self, name):
        if name not in SYMBOLS:
            raise ExpressionError(f"no symbol is called {name}")
        return SYMBOLS[name]

    def read(self, address, size):
        return address.to_bytes(size, "little")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("&current", 0x2000),
        ("& client:main", 0x400000),
        ("&current + 8", 0x2008),
        ("*&current", 0x2000),
        ("0x2ff0 & &current", 0x2000),
        ("-&current", (1 << 64) - 0x2000),
    ],
)
def test_an_ampersand_before_a_symbol_is_its_address(text, value):
    assert parse(text).value(Machine()) == value


@pytest.mark.parametrize("text", ["&$rax", "&1", "&(current)", "&&current", "&"])
def test_what_has_no_address_is_refused(text):
    with pytest.raises(ExpressionError, match="is missing"):
        parse(text)


def test_a_register_has_no_address_by_its_bare_name_either():
    with pytest.raises(ExpressionError, match="no symbol is called rax"):
        parse("&rax").value(Machine())
