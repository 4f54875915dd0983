# SPDX-License-Identifier: GPL-2.0-or-later
"""However an AArch64 file is damaged, the answer is an image or an ImageError, never anything else."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringscope.bootimage import (
    BootRequest,
    ImageError,
    MemoryLayout,
    MemoryRegion,
    ModuleSpec,
    arm64_header,
    inspection,
    load_arm64,
    wrap_arm64,
)

RAM = 0x4000_0000
LAYOUT = MemoryLayout(8 << 20, (MemoryRegion(RAM, 8 << 20, 1),))
FIXTURES = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None
)
NUMBERS = st.one_of(st.integers(0, 64), st.integers(RAM, RAM + (9 << 20)), st.integers(0, 2**64 - 1))
CODE = bytes(64)


def kernel_of(make_elf):
    sections = (
        (".text", 1, 6, RAM, b"code"),
        (".symtab", 2, 0, 0, bytes(48)),
        (".strtab", 3, 0, 0, b"\0a\0"),
    )
    segments = ((RAM + 0x80000, CODE, 0x1800, None), (RAM + 0x82000, CODE, None, None))
    return make_elf(*segments, bits=64, machine=183, sections=sections)


@pytest.fixture(scope="session", params=["ELF", "packed", "flat"])
def good(request, make_elf):
    """A good file, and where in it a damaged byte is likely to matter."""
    kernel = kernel_of(make_elf)
    if request.param == "ELF":
        return kernel, (0, 64, len(kernel) - 400)
    if request.param == "flat":
        fields = (0x14000010, 0, 0x80000, 0x20000, 2, 0, 0, 0, b"ARM\x64", 0)
        return struct.pack("<IIQQQQQQ4sI", *fields) + CODE, (0,)
    image = wrap_arm64(kernel, (("one a", b"first"), ("two", kernel)), "line")
    header = arm64_header.parse(image, "image")
    return image, (0, header.reserved, header.reserved + 64, header.image_size)


@pytest.fixture
def survives(kernel_file, tmp_path):
    """A function that puts a file through everything that reads one."""
    module = tmp_path / "module"
    module.write_bytes(b"module")

    def check(data):
        with contextlib.suppress(ImageError):
            inspection.describe(data, "file")
        with contextlib.suppress(ImageError):
            wrap_arm64(data, (("m", data),))
        for modules in ((), (ModuleSpec(module),)):
            with contextlib.suppress(ImageError):
                loaded = load_arm64(
                    BootRequest(kernel_file(data), modules), LAYOUT, lambda *_: b"device tree" * 100
                )
                ends = [base + len(content) for base, content in loaded.writes]
                assert all(start >= end for (start, _), end in zip(loaded.writes[1:], ends, strict=False))

    return check


def test_the_undamaged_files_are_good(good, kernel_file):
    assert load_arm64(BootRequest(kernel_file(good[0])), LAYOUT, lambda *_: b"device tree").writes


@FIXTURES
@given(data=st.data())
def test_a_truncated_file_is_refused_or_loaded(good, survives, data):
    survives(good[0][: data.draw(st.integers(0, len(good[0])))])


@FIXTURES
@given(
    patches=st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 120), st.sampled_from("BHIQ"), NUMBERS),
        min_size=1,
        max_size=4,
    )
)
def test_a_corrupted_file_is_refused_or_loaded(good, survives, patches):
    data, places = good
    changed = bytearray(data)
    for place, distance, pattern, value in patches:
        width = struct.calcsize(pattern)
        at = (places[place % len(places)] + distance) % (len(changed) - width)
        struct.pack_into(f"<{pattern}", changed, at, value % (1 << 8 * width))
    survives(bytes(changed))


@FIXTURES
@given(data=st.binary(max_size=200))
def test_noise_behind_a_good_header_is_refused_or_loaded(good, survives, data):
    survives(good[0][:64] + data)
