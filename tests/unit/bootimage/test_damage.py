# SPDX-License-Identifier: GPL-2.0-or-later
"""However a file is damaged, the answer is an image or an ImageError, never anything else."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringscope import bootimage
from ringscope.bootimage import BootRequest, ImageError, container, inspection

MIB = 1 << 20
FIXTURES = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None
)
#: Positions count from the start or, negative, from the end: headers lie at both.
PATCHES = st.lists(
    st.tuples(st.integers(-400, 800), st.sampled_from("BHIQ"), st.integers(0, 2**64 - 1)),
    min_size=1,
    max_size=4,
)


@pytest.fixture(scope="session", params=["elf32", "elf64", "multiboot2", "flat", "packed"])
def good(request, make_elf, multiboot1, multiboot2):
    sections = (
        (".text", 1, 6, MIB, b"code"),
        (".symtab", 2, 0, 0, bytes(48)),
        (".strtab", 3, 0, 0, b"\0a\0"),
    )
    first = (MIB, multiboot1() + b"code", 0x1800, None)
    if request.param == "multiboot2":
        tags = multiboot2(
            (1, 0, bytes(4)), (3, 0, struct.pack("<I", MIB)), (10, 0, struct.pack("<4I", 0, 8 * MIB, 4096, 1))
        )
        return make_elf((MIB, tags, None, None), bits=64, sections=sections)
    if request.param == "flat":
        return multiboot1((1 << 16) | 3, struct.pack("<5I", MIB, MIB, 0, MIB + 0x2000, MIB + 32)) + b"code"
    kernel = make_elf(first, bits=32 if request.param == "elf32" else 64, sections=sections)
    if request.param == "packed":
        return container.wrap(kernel, (("one a", b"first"), ("two", kernel)), command_line="k x")
    return kernel


@pytest.fixture
def survives(kernel_file, layout):
    """A function that puts a file through everything that reads one."""

    def check(data):
        with contextlib.suppress(ImageError):
            inspection.describe(data, "file")
        with contextlib.suppress(ImageError):
            container.wrap(data, (("m", data),))
        for protocol in (None, "multiboot2"):
            with contextlib.suppress(ImageError):
                bootimage.load(BootRequest(kernel_file(data), protocol=protocol), layout)

    return check


def test_the_undamaged_files_are_good(good, kernel_file, layout):
    assert bootimage.load(BootRequest(kernel_file(good)), layout).writes


@FIXTURES
@given(data=st.data())
def test_a_truncated_file_is_refused_or_loaded(good, survives, data):
    survives(good[: data.draw(st.integers(0, len(good)))])


@FIXTURES
@given(patches=PATCHES)
def test_a_corrupted_file_is_refused_or_loaded(good, survives, patches):
    changed = bytearray(good)
    for position, pattern, value in patches:
        width = struct.calcsize(pattern)
        at = position % (len(changed) - width)
        struct.pack_into(f"<{pattern}", changed, at, value % (1 << 8 * width))
    survives(bytes(changed))


@FIXTURES
@given(
    data=st.binary(max_size=200),
    prefix=st.sampled_from([b"", b"\x7fELF", b"\x7fELF\x01\x01", b"\x7fELF\x02\x01"]),
)
def test_noise_is_refused(survives, data, prefix):
    survives(prefix + data)


@FIXTURES
@given(text=st.text())
def test_a_system_file_of_any_text_is_refused_or_read(tmp_path, text):
    path = tmp_path / "system.toml"
    path.write_text(text, encoding="utf-8")
    with contextlib.suppress(ImageError):
        bootimage.read_system(path)


@given(text=st.text())
def test_initrd_of_any_text_is_refused_or_read(text):
    with contextlib.suppress(ImageError):
        bootimage.parse_initrd(text)
