# SPDX-License-Identifier: GPL-2.0-or-later
"""The ELF reader takes nothing on trust and says which field lied."""

from __future__ import annotations

import struct

import pytest

from ringscope.bootimage import ImageError, elf

SEGMENT = (0x100000, b"some code", 64, None)
SECTIONS = ((".symtab", 2, 0, 0, bytes(48)), (".comment", 1, 0, 0, b"by hand"))


def patched(data, offset, pattern, *values):
    changed = bytearray(data)
    struct.pack_into(pattern, changed, offset, *values)
    return bytes(changed)


@pytest.mark.parametrize("bits", [32, 64])
def test_segments_and_sections_are_read_in_both_classes(make_elf, bits):
    file = elf.parse(make_elf(SEGMENT, bits=bits, sections=SECTIONS), "k")
    (segment,) = file.segments
    assert (segment.paddr, segment.data, segment.memory_size) == (0x100000, b"some code", 64)
    assert [section.name for section in file.sections] == ["", ".symtab", ".comment", ".shstrtab"]
    assert file.content(file.section(".comment")) == b"by hand"
    assert file.bits == bits


@pytest.mark.parametrize("data", [b"", b"MZ", b"\x7fEL", b"#!/bin/sh\nexit 0\n"])
def test_a_file_that_is_not_elf_is_named(data):
    with pytest.raises(ImageError, match=r"^k: not an ELF file: e_ident begins with"):
        elf.parse(data, "k")


@pytest.mark.parametrize("bits", [32, 64])
def test_a_file_cut_in_its_header_is_truncated(make_elf, bits):
    data = make_elf(SEGMENT, bits=bits)
    with pytest.raises(ImageError, match=r"^k: truncated in the ELF header: 40 bytes$"):
        elf.parse(data[:40], "k")


def test_an_unknown_class_is_named(make_elf):
    with pytest.raises(ImageError, match=r"^k: ELF header: e_ident\[EI_CLASS\]"):
        elf.parse(patched(make_elf(SEGMENT), 4, "B", 3), "k")


def test_a_big_endian_file_is_refused(make_elf):
    with pytest.raises(ImageError, match=r"^k: ELF header: e_ident\[EI_DATA\] is 2, expected 1"):
        elf.parse(patched(make_elf(SEGMENT), 5, "B", 2), "k")


@pytest.mark.parametrize(("bits", "phoff", "phdr"), [(32, 28, 32), (64, 32, 56)])
def test_a_file_cut_in_its_program_headers_is_truncated(make_elf, bits, phoff, phdr):
    data = make_elf(SEGMENT, bits=bits)
    start = struct.unpack_from("<I", data, phoff)[0]
    with pytest.raises(ImageError, match=r"^k: e_phoff: the table of 1 entries at .* truncated$"):
        elf.parse(data[: start + phdr - 1], "k")


def test_a_program_header_of_another_size_is_refused(make_elf):
    with pytest.raises(ImageError, match=r"^k: e_phoff: table entries of 40 bytes, expected 32$"):
        elf.parse(patched(make_elf(SEGMENT), 42, "<H", 40), "k")


def test_a_file_cut_in_a_segment_is_truncated(make_elf):
    with pytest.raises(ImageError, match=r"^k: program header 0: p_offset .* p_filesz 0x9 .* truncated$"):
        elf.parse(make_elf(SEGMENT)[:-1], "k")


def test_a_segment_with_more_file_than_memory_is_refused(make_elf):
    with pytest.raises(ImageError, match=r"^k: program header 0: p_filesz 0x9 is more than p_memsz 0x8$"):
        elf.parse(make_elf((0x100000, b"some code", 8, None)), "k")


def test_a_file_cut_in_its_section_headers_is_truncated(make_elf):
    with pytest.raises(ImageError, match=r"^k: e_shoff: the table of 4 entries at .* truncated$"):
        elf.parse(make_elf(SEGMENT, sections=SECTIONS)[:-1], "k")


def test_a_section_beyond_the_file_is_refused(make_elf):
    data = make_elf(SEGMENT, sections=SECTIONS)
    shoff = struct.unpack_from("<I", data, 32)[0]
    with pytest.raises(ImageError, match=r"^k: section header 1: sh_offset .* sh_size 0xfffff "):
        elf.parse(patched(data, shoff + 40 + 20, "<I", 0xFFFFF), "k")


def test_a_name_table_that_does_not_exist_is_refused(make_elf):
    data = make_elf(SEGMENT, sections=SECTIONS)
    with pytest.raises(ImageError, match=r"^k: e_shstrndx is 9, but there are 4 sections$"):
        elf.parse(patched(data, 50, "<H", 9), "k")
