# SPDX-License-Identifier: GPL-2.0-or-later
"""What is in a file is told as it is."""

from __future__ import annotations

import struct

import pytest

from ringscope import bootimage
from ringscope.bootimage import ImageError
from ringscope.bootimage.inspection import HeaderDescription, describe

MIB = 1 << 20


@pytest.fixture
def kernel(make_elf, multiboot1):
    sections = ((".text", 1, 6, MIB, b""), (".symtab", 2, 0, 0, bytes(24 * 5)))
    return make_elf((MIB, multiboot1() + b"code", 0x40, None), bits=64, sections=sections)


def test_a_packed_image_shows_its_kernel_modules_and_symbols(kernel, make_elf):
    program = make_elf((0x400000, b"code", None, None), bits=64, sections=((".symtab", 2, 0, 0, bytes(72)),))
    image = bootimage.wrap(kernel, (("root a", program), ("data", b"12345")), command_line="k x")
    found = describe(image, "image")
    assert (found.kind, found.bits, found.machine, found.size) == ("packed image", 32, "i386", len(image))
    assert (found.symbols, found.command_line) == (5, "k x")
    assert (found.kernel.kind, found.kernel.bits, found.kernel.entry) == ("ELF kernel", 64, MIB)
    assert [(m.command_line, m.size, m.symbols) for m in found.modules] == [
        ("root a", len(program), 3),
        ("data", 5, None),
    ]
    assert [segment.content for segment in found.segments] == [
        "kernel", "entry stub", "module table", "module", "module",
    ]  # fmt: skip


def test_a_kernel_shows_its_header_segments_and_symbols(kernel):
    found = describe(kernel, "kernel")
    assert found.headers == (HeaderDescription(1, 120, ("page-aligned modules", "memory information")),)
    (segment,) = found.segments
    assert (segment.paddr, segment.file_size, segment.memory_size) == (MIB, 16, 0x40)
    assert (segment.access, segment.content) == ("rwx", ".text")
    assert (found.kind, found.symbols, found.kernel) == ("ELF kernel", 5, None)


def test_a_kernel_of_multiboot_2_shows_its_tags(make_elf, multiboot2):
    data = make_elf((MIB, multiboot2((6, 0, b""), (99, 1, b"")), None, None))
    (header,) = describe(data, "kernel").headers
    assert (header.version, header.requests) == (2, ("module alignment", "tag type 99 (optional)"))


def test_a_program_is_no_kernel(make_elf):
    found = describe(make_elf((0x400000, b"code", None, None)), "program")
    assert (found.kind, found.headers, found.symbols) == ("ELF program", (), None)


def test_a_flat_kernel_shows_where_it_goes(multiboot1):
    data = multiboot1(1 << 16, struct.pack("<5I", MIB, MIB, 0, MIB + 0x2000, MIB + 32)) + b"code"
    found = describe(data, "flat")
    (segment,) = found.segments
    assert (found.kind, found.entry, segment.memory_size) == ("flat kernel", MIB + 32, 0x2000)


def test_anything_else_is_refused():
    with pytest.raises(ImageError, match=r"^notes.txt: neither an ELF file nor a Multiboot kernel"):
        describe(b"some notes", "notes.txt")
