# SPDX-License-Identifier: GPL-2.0-or-later
"""Multiboot headers are found where the specifications allow them, and nowhere else."""

from __future__ import annotations

import struct

import pytest

from ringscope.bootimage import ImageError, header


@pytest.mark.parametrize("offset", [0, 4, 8192 - 12])
def test_a_multiboot_1_header_may_lie_anywhere_in_the_first_8192_bytes(multiboot1, offset):
    found = header.find_header1(bytes(offset) + multiboot1() + bytes(8192), "k")
    assert (found.offset, found.flags) == (offset, 3)


@pytest.mark.parametrize("offset", [1, 2, 8192 - 8, 8192])
def test_a_multiboot_1_header_unaligned_or_too_late_is_none(multiboot1, offset):
    assert header.find_header1(bytes(offset) + multiboot1() + bytes(8192), "k") is None


@pytest.mark.parametrize("offset", [0, 8, 32768 - 24])
def test_a_multiboot_2_header_may_lie_anywhere_in_the_first_32768_bytes(multiboot2, offset):
    found = header.find_header2(bytes(offset) + multiboot2() + bytes(8192), "k")
    assert (found.offset, found.tags) == (offset, ())


@pytest.mark.parametrize("offset", [4, 32768])
def test_a_multiboot_2_header_unaligned_or_too_late_is_none(multiboot2, offset):
    assert header.find_header2(bytes(offset) + multiboot2() + bytes(8192), "k") is None


def test_a_multiboot_2_header_that_leaves_the_window_is_refused(multiboot2):
    with pytest.raises(ImageError, match=r"header_length 0x18 reaches beyond the first 32768 bytes$"):
        header.find_header2(bytes(32768 - 16) + multiboot2() + bytes(64), "k")


def test_a_wrong_checksum_is_named_with_the_right_one(multiboot1):
    data = bytearray(multiboot1())
    data[8] ^= 1
    named = r"^k: Multiboot 1 header at 0x0: wrong checksum 0xe4524ffa, expected 0xe4524ffb;"
    with pytest.raises(ImageError, match=named):
        header.find_header1(bytes(data), "k")


def test_a_wrong_checksum_of_multiboot_2_is_named(multiboot2):
    data = bytearray(multiboot2())
    data[12] ^= 1
    with pytest.raises(ImageError, match=r"^k: Multiboot 2 header at 0x0: wrong checksum .*, expected"):
        header.find_header2(bytes(data), "k")


def test_the_search_goes_on_after_a_magic_with_a_wrong_checksum(multiboot1):
    data = struct.pack("<III", 0x1BADB002, 1, 1) + multiboot1(flags=1)
    assert header.find_header1(data, "k").offset == 12


@pytest.mark.parametrize("bit", range(3, 16))
def test_an_unknown_required_feature_is_refused_by_its_number(multiboot1, bit):
    with pytest.raises(ImageError, match=rf"flags require unknown feature bit {bit};"):
        header.find_header1(multiboot1(1 << bit), "k")


@pytest.mark.parametrize("bit", range(17, 32))
def test_an_unknown_optional_feature_is_ignored(multiboot1, bit):
    assert header.find_header1(multiboot1(1 << bit), "k").addresses is None


def test_address_fields_cut_off_are_refused(multiboot1):
    with pytest.raises(ImageError, match=r"^k: Multiboot 1 header at 0x0: truncated in the address fields$"):
        header.find_header1(multiboot1(1 << 16, bytes(16)), "k")


def test_graphics_fields_are_read_behind_the_address_fields(multiboot1):
    tail = struct.pack("<5I4I", 0, 0, 0, 0, 0, 1, 80, 25, 0)
    assert header.find_header1(multiboot1(4, tail), "k").video == (1, 80, 25, 0)


def test_graphics_fields_cut_off_are_refused(multiboot1):
    with pytest.raises(ImageError, match=r"truncated in the graphics fields$"):
        header.find_header1(multiboot1(4, bytes(32)), "k")


def test_tags_are_read_in_order(multiboot2):
    found = header.find_header2(multiboot2((6, 0, b""), (3, 1, b"\x01\0\0\0")), "k")
    assert found.tags == (header.Tag(6, False, b""), header.Tag(3, True, b"\x01\0\0\0"))


@pytest.mark.parametrize("size", [0, 7, 4096])
def test_a_tag_that_leaves_the_header_is_refused(multiboot2, size):
    data = bytearray(multiboot2((6, 0, b"")))
    struct.pack_into("<I", data, 20, size)
    with pytest.raises(ImageError, match=rf"tag type 6 at 0x10: size {size} runs out of the header$"):
        header.find_header2(bytes(data), "k")


def test_a_header_without_an_end_tag_is_refused():
    data = struct.pack("<4I", 0xE85250D6, 0, 16, -(0xE85250D6 + 16) & 0xFFFFFFFF)
    with pytest.raises(ImageError, match=r"no end tag"):
        header.find_header2(data, "k")
