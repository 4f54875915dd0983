# SPDX-License-Identifier: GPL-2.0-or-later
"""The Multiboot 1 information structure, read at the offsets of specification 0.6.96, section 3.3."""

from __future__ import annotations

import struct

import pytest

MIB = 1 << 20
SYMBOLS = ((".text", 1, 6, MIB, b"code"), (".symtab", 2, 0, 0, b"s" * 32), (".strtab", 3, 0, 0, b"\0main\0"))


@pytest.fixture
def boot(boot_bytes, make_elf, multiboot1):
    """A function that loads a kernel and returns the image, its memory and the structure's address."""

    def load(*, flags=3, sections=(), bits=32, tail=b"", **given):
        data = make_elf((MIB, multiboot1(flags, tail) + b"code", None, None), bits=bits, sections=sections)
        image, memory = boot_bytes(data, **given)
        return image, memory, image.ebx

    return load


def test_the_magic_is_in_eax_and_the_structure_is_where_ebx_says(boot):
    image, memory, info = boot()
    assert (image.protocol, image.eax) == ("multiboot1", 0x2BADB002)
    assert memory.word(info) == 1 << 0 | 1 << 2 | 1 << 6 | 1 << 9


def test_memory_is_told_in_kib_below_640_kib_and_from_1_mib(boot):
    _, memory, info = boot()
    assert memory.words(info + 4, 2) == (0x9FC00 // 1024, (15 * MIB - 0x10000) // 1024)


def test_the_command_line_begins_with_the_file_s_name(boot):
    _, memory, info = boot(command_line="a=1 b")
    assert memory.text(memory.word(info + 16)) == "kernel.elf a=1 b"


def test_modules_are_listed_with_their_lines_and_ends(boot):
    image, memory, info = boot(modules=[("one", "one a b", b"first"), ("two", "", b"second")])
    count, table = memory.words(info + 20, 2)
    assert (memory.word(info) & 8, count) == (8, 2)
    rows = [memory.words(table + 16 * index, 4) for index in range(count)]
    assert [memory.read(start, end - start) for start, end, _, _ in rows] == [b"first", b"second"]
    assert [memory.text(line) for _, _, line, _ in rows] == ["one a b", "two"]
    assert [reserved for *_, reserved in rows] == [0, 0]
    assert [(module.start, module.end) for module in image.modules] == [row[:2] for row in rows]


def test_the_memory_map_holds_every_region_in_order(boot, layout):
    _, memory, info = boot()
    length, at = memory.words(info + 44, 2)
    end, seen = at + length, []
    while at < end:
        size, base, region_length, kind = struct.unpack("<IQQI", memory.read(at, 24))
        assert size == 20
        seen.append((base, region_length, kind))
        at += size + 4
    assert seen == [(region.base, region.length, region.kind) for region in layout.regions]


@pytest.mark.parametrize(("bits", "entry_size"), [(32, 40), (64, 64)])
def test_sections_that_no_segment_loads_are_in_memory(boot, bits, entry_size):
    _, memory, info = boot(sections=SYMBOLS, bits=bits)
    assert memory.word(info) & (1 << 5)
    count, size, table, names = memory.words(info + 28, 4)
    assert (count, size, names) == (5, entry_size, 4)
    pattern = "<IIQQQQ" if bits == 64 else "<IIIIII"
    rows = [
        struct.unpack(pattern, memory.read(table + size * index, struct.calcsize(pattern)))
        for index in range(count)
    ]
    assert rows[1][3] == MIB  # a loaded section keeps its address
    assert memory.read(rows[2][3], rows[2][5]) == b"s" * 32
    assert memory.read(rows[3][3], rows[3][5]) == b"\0main\0"
    names_at = rows[4][3]
    assert memory.text(names_at + rows[2][0]) == ".symtab"


def test_the_loader_says_its_name(boot):
    _, memory, info = boot()
    assert memory.text(memory.word(info + 64)) == "ringscope"


def test_what_does_not_exist_is_absent(boot):
    _, memory, info = boot(modules=[("one", "one", b"x")], sections=SYMBOLS)
    boot_device, symbols, drives, table, apm, vbe, framebuffer = (
        1 << bit for bit in (1, 4, 7, 8, 10, 11, 12)
    )
    assert memory.word(info) & (boot_device | symbols | drives | table | apm | vbe | framebuffer) == 0


@pytest.mark.parametrize("mode", [(0, 1024, 768, 32), (1, 80, 25, 0)], ids=["graphics", "text"])
def test_a_request_for_a_video_mode_is_answered_with_the_text_console(boot, mode):
    _, memory, info = boot(flags=4, tail=struct.pack("<5I4I", *[0] * 5, *mode))
    assert memory.word(info) & (1 << 12)
    address, pitch, width, height, depth, kind = struct.unpack("<QIIIBB", memory.read(info + 88, 22))
    assert (address, pitch, width, height, depth, kind) == (0xB8000, 160, 80, 25, 16, 2)


def test_the_elf_file_for_symbols_is_the_kernel_itself(boot):
    image, _, _ = boot(sections=SYMBOLS)
    assert image.kernel_elf[:4] == b"\x7fELF"
    assert b"\0main\0" in image.kernel_elf
