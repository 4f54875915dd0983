# SPDX-License-Identifier: GPL-2.0-or-later
"""How what is to be probed is written."""

from __future__ import annotations

import pytest

from ringscope.emulator.debug.probes import PlaceError, Words


@pytest.mark.parametrize(
    ("text", "begin", "until", "program"),
    [
        ("fastpath", "fastpath", None, None),
        ("echo:serve", "serve", None, "echo"),
        ("echo: serve", "serve", None, "echo"),
        ("begin..end", "begin", "end", None),
        ("echo:begin..end", "begin", "end", "echo"),
        ("echo:begin..echo:end", "begin", "end", "echo"),
        ("0x401000", 0x401000, None, None),
        ("0xecho", "0xecho", None, None),
        ("echo:0x401000..0x401010", 0x401000, 0x401010, "echo"),
    ],
)
def test_words_are_taken_apart(text, begin, until, program):
    assert Words.read(text) == Words(text, begin, until, program)


@pytest.mark.parametrize("text", ["", "..end", "echo:", "echo:..end", " "])
def test_words_that_name_no_symbol_are_refused(text):
    with pytest.raises(PlaceError, match="names no symbol; write SYMBOL, PROGRAM:SYMBOL or FROM"):
        Words.read(text)
