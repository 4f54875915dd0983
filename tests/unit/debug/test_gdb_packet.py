# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets of the GDB protocol, byte by byte as its manual has them."""

from __future__ import annotations

import pytest

from ringscope.emulator.debug.gdb.packet import Damaged, Interrupt, Reader, escape, frame, unescape

ALL_BYTES = bytes(range(256))


def test_a_packet_ends_with_the_sum_of_its_bytes() -> None:
    assert frame(b"OK") == b"$OK#9a"  # 0x4f + 0x4b
    assert frame(b"") == b"$#00"


def test_special_bytes_are_flipped_behind_a_brace() -> None:
    assert escape(b"a#b$c}d*") == b"a}\x03b}\x04c}]d}\x0a"


def test_what_was_escaped_comes_back() -> None:
    assert unescape(escape(ALL_BYTES)) == ALL_BYTES


def test_an_escape_at_the_end_stands_for_nothing() -> None:
    assert unescape(b"ab}") == b"ab"


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_packets_are_found_however_the_bytes_are_cut(size) -> None:
    line = b"+" + frame(b"qSupported") + b"-+" + frame(b"g")
    reader, found = Reader(), []
    for at in range(0, len(line), size):
        found += reader.feed(line[at : at + size])
    assert found == [b"qSupported", b"g"]


def test_a_wrong_sum_is_noticed() -> None:
    (item,) = Reader().feed(b"$OK#9b")
    assert isinstance(item, Damaged)


def test_a_byte_three_between_packets_interrupts() -> None:
    first, second = Reader().feed(b"\x03" + frame(b"?"))
    assert isinstance(first, Interrupt)
    assert second == b"?"


def test_a_byte_three_within_a_packet_is_data() -> None:
    assert list(Reader().feed(frame(b"X0,1:\x03"))) == [b"X0,1:\x03"]


def test_an_endless_packet_is_let_go() -> None:
    reader = Reader()
    assert list(reader.feed(b"$" + b"x" * 100_000)) == []
    assert list(reader.feed(frame(b"?"))) == [b"?"]
