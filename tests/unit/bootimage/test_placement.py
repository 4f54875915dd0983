# SPDX-License-Identifier: GPL-2.0-or-later
"""Memory is given out in free pages above the first MiB, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringscope.bootimage import ImageError, MemoryLayout, MemoryRegion
from ringscope.bootimage.kernel import KernelParts, Part
from ringscope.bootimage.placement import Space

MIB = 1 << 20


def space_of(*regions):
    return Space(MemoryLayout(16 * MIB, tuple(MemoryRegion(*region) for region in regions)))


def test_nothing_is_placed_in_the_first_mib():
    assert space_of((0, 4 * MIB, 1)).take(1, "x") == MIB


def test_nothing_is_placed_below_the_end_of_the_kernel():
    space = space_of((0, 8 * MIB, 1))
    space.claim(KernelParts((Part(MIB, 5, 7, "p", b""), Part(3 * MIB, 5, 7, "p", b"")), MIB), "k")
    assert space.take(1, "x") == 3 * MIB + 4096


def test_what_does_not_fit_above_the_kernel_goes_below_it():
    space = space_of((0, 8 * MIB, 1))
    space.claim(KernelParts((Part(7 * MIB, MIB, 7, "p", b""),), MIB), "k")
    assert space.take(1, "x") == MIB


def test_two_usable_regions_that_touch_are_one():
    space = space_of((MIB, MIB, 1), (2 * MIB, MIB, 1))
    assert space.take(2 * MIB, "x") == MIB


def test_the_last_byte_of_ram_can_be_given_and_no_more():
    assert space_of((MIB, MIB, 1)).take(MIB, "x") == MIB
    with pytest.raises(ImageError, match=r"^x of 0x100001 bytes does not fit"):
        space_of((MIB, MIB, 1)).take(MIB + 1, "x")


def test_memory_above_4_gib_is_never_given():
    with pytest.raises(ImageError, match=r"none below 4 GiB"):
        space_of((1 << 32, MIB, 1)).take(1, "x")


@given(st.lists(st.integers(0, 3 * MIB), max_size=12))
def test_what_is_given_never_overlaps(sizes):
    space = space_of((0, 0xA0000, 1), (MIB, 2 * MIB, 1), (4 * MIB, 12 * MIB, 1))
    given_out = []
    for size in sizes:
        try:
            address = space.take(size, "x")
        except ImageError:
            continue
        assert address % 4096 == 0
        assert address >= MIB
        assert address + size <= 3 * MIB or 4 * MIB <= address <= address + size <= 16 * MIB
        if size:
            assert all(address + size <= start or end <= address for start, end in given_out)
            given_out.append((address, address + size))


@pytest.mark.parametrize(
    ("region", "words"),
    [((0, 4, 0), "kind 0"), ((0, 4, 6), "kind 6"), ((0, 0, 1), "length"), ((-1, 4, 1), "length")],
)
def test_an_impossible_region_is_refused(region, words):
    with pytest.raises(ValueError, match=words):
        MemoryRegion(*region)


def test_regions_that_overlap_are_refused():
    with pytest.raises(ValueError, match=r"the region at 0x0 runs into the one at 0x800"):
        space_of((0, 0x1000, 1), (0x800, 0x1000, 2))


def test_an_rsdp_that_is_none_is_refused():
    with pytest.raises(ValueError, match="RSD PTR"):
        MemoryLayout(MIB, (), b"not one")
