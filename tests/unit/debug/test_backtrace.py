# SPDX-License-Identifier: GPL-2.0-or-later
"""The chain of frame pointers: followed outwards, and never in a circle."""

from __future__ import annotations

import struct

import pytest

from ringscope.emulator.debug.backtrace import MOST_FRAMES, return_addresses

STACK = 0x8000


def memory(frames, word):
    """A function that reads frames of (address, caller's frame, return address)."""
    layout = "<QQ" if word == 8 else "<II"
    content = {at: struct.pack(layout, caller, address) for at, caller, address in frames}
    return lambda vaddr, length: content.get(vaddr, b"")[:length]


@pytest.mark.parametrize("word", [4, 8])
def test_callers_are_followed_outwards(word):
    read = memory(
        [(STACK, STACK + 0x20, 0x111), (STACK + 0x20, STACK + 0x60, 0x222), (STACK + 0x60, 0, 0x333)], word
    )
    assert return_addresses(read, STACK, word) == [0x111, 0x222, 0x333]


def test_a_frame_that_points_inwards_ends_the_chain():
    read = memory([(STACK, STACK + 0x20, 0x111), (STACK + 0x20, STACK, 0x222)], 8)
    assert return_addresses(read, STACK, 8) == [0x111, 0x222]


def test_a_frame_that_points_to_itself_ends_the_chain():
    assert return_addresses(memory([(STACK, STACK, 0x111)], 8), STACK, 8) == [0x111]


def test_a_return_address_of_zero_is_the_outermost_frame():
    assert return_addresses(memory([(STACK, STACK + 8, 0)], 8), STACK, 8) == []


def test_a_stack_aligned_to_half_a_word_is_followed():
    read = memory([(STACK + 4, STACK + 0x24, 0x111), (STACK + 0x24, 0, 0x222)], 8)
    assert return_addresses(read, STACK + 4, 8) == [0x111, 0x222]


@pytest.mark.parametrize("frame", [0, STACK + 1, 0x123456780])
def test_a_frame_pointer_that_is_none_gives_no_callers(frame):
    assert return_addresses(memory([(STACK, 0, 0x111)], 8), frame, 8) == []


def test_a_chain_without_end_is_cut():
    def read(vaddr, _):
        return struct.pack("<QQ", vaddr + 0x10, 0x111)

    assert len(return_addresses(read, STACK, 8)) == MOST_FRAMES
