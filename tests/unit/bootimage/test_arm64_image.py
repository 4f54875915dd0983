# SPDX-License-Identifier: GPL-2.0-or-later
"""A packed arm64 Image holds its kernel flat, its modules and their table, and can be read back."""

from __future__ import annotations

import struct

import capstone
import pytest

from ringscope.bootimage import ImageError, arm64_header, arm64_packed, inspection, wrap_arm64

BASE = 0x4007F000  # one page below the kernel
KERNEL_AT = 0x40080000
CODE = b"\x1f\x20\x03\xd5" * 4
MODULES = (("first.bin one two", b"content of the first"), ("nothing.bin", b""), ("second.bin", b"x" * 5000))


@pytest.fixture
def kernel(make_elf):
    """An AArch64 kernel linked high and loaded low, with a .bss that reaches over a page."""
    return make_elf(
        (KERNEL_AT, CODE, 0x1800, 0xFFFF_0000_4008_0000), bits=64, machine=183, entry=0xFFFF_0000_4008_0004
    )


@pytest.fixture
def image(kernel):
    return wrap_arm64(kernel, MODULES, "packed line")


def read(image):
    return arm64_packed.read(image, arm64_header.parse(image, "image"), "image")


def word(image, at):
    return struct.unpack_from("<Q", image, at)[0]


def disassemble(image, at, count):
    engine = capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM)
    found = engine.disasm_lite(image[at : at + 4 * count], BASE + at)
    return [f"{mnemonic} {operands}" for _, _, mnemonic, operands in found]


def test_the_header_asks_for_the_place_one_page_below_the_kernel(image):
    header = arm64_header.parse(image, "image")
    assert header.text_offset == BASE - 0x4000_0000
    assert arm64_header.place(header, 0x4000_0000) == BASE
    assert header.page_size == "4 KiB"


def test_the_kernel_lies_flat_at_its_physical_address_with_zeroes_after_it(image):
    at = KERNEL_AT - BASE
    assert image[at : at + len(CODE)] == CODE
    assert image[at + len(CODE) : at + 0x1800] == bytes(0x1800 - len(CODE))


def test_the_modules_and_their_lines_are_read_back(image, kernel):
    content = read(image)
    assert [(module.command_line, module.data) for module in content.modules] == list(MODULES)
    assert content.command_line == "packed line"
    assert content.kernel == kernel
    assert content.base == BASE


def test_each_module_begins_on_a_page_of_its_own_within_the_image(image):
    content = read(image)
    first, nothing, second = content.modules
    assert first.start % 4096 == 0
    assert nothing.start == first.start + 4096  # has no page, and the next may begin there
    assert second.start == nothing.start
    assert second.end <= BASE + arm64_header.parse(image, "image").image_size


def test_the_first_instruction_branches_to_a_stub_that_sets_x1_and_enters_the_kernel(image):
    (branch,) = disassemble(image, 0, 1)
    stub = int(branch.removeprefix("b #"), 16) - BASE
    first, second, third = disassemble(image, stub, 3)
    assert [first, second, third] == [
        f"ldr x1, #{BASE + stub + 16:#x}",
        f"ldr x4, #{BASE + stub + 24:#x}",
        "br x4",
    ]
    assert word(image, stub + 16) == BASE + arm64_header.parse(image, "image").reserved
    assert word(image, stub + 24) == KERNEL_AT + 4  # e_entry is virtual


def test_the_table_is_laid_out_as_its_description_says(image, kernel):
    at = arm64_header.parse(image, "image").reserved
    assert image[at : at + 8] == b"RSPACK01"
    size, base, end, line, kernel_at, kernel_size, count = struct.unpack_from("<7Q", image, at + 8)
    assert (base, count, kernel_size) == (BASE, 3, len(kernel))
    assert image[line - base :].startswith(b"packed line\0")
    assert image[kernel_at:] == kernel
    assert end - base == kernel_at
    start, stop, text = struct.unpack_from("<3Q", image, at + 64)
    assert image[start - base : stop - base] == b"content of the first"
    assert image[text - base :].startswith(b"first.bin one two\0")
    assert at <= text - base < at + size


def test_an_image_without_modules_has_an_empty_table(kernel):
    content = read(wrap_arm64(kernel))
    assert (content.modules, content.command_line) == ((), "")


@pytest.mark.parametrize(
    ("paddr", "words"),
    [
        (0x4000_0000, "p_paddr 0x40000000 leaves no room below it for the image's header"),
        (0x10_0000, "p_paddr 0x100000 leaves no room"),
        (0xFFFF_F000_0000_0000, "reach beyond 4 GiB"),
    ],
)
def test_a_kernel_that_leaves_no_room_for_the_header_is_refused(make_elf, paddr, words):
    with pytest.raises(ImageError, match=words):
        wrap_arm64(make_elf((paddr, CODE, None, None), bits=64, machine=183))


def test_a_kernel_spread_over_the_memory_is_refused(make_elf):
    spread = make_elf((KERNEL_AT, CODE, None, None), (0xA000_0000, CODE, None, None), bits=64, machine=183)
    with pytest.raises(ImageError, match="the segments span 0x5ff81010 bytes"):
        wrap_arm64(spread)


def test_a_kernel_for_another_machine_is_refused(make_elf):
    with pytest.raises(ImageError, match=r"k: ELF header: e_machine is 62, expected 183 \(AArch64\)"):
        wrap_arm64(make_elf((KERNEL_AT, CODE, None, None), bits=64, machine=62), name="k")


def test_an_entry_between_two_instructions_is_refused(make_elf):
    odd = make_elf((KERNEL_AT, CODE, None, None), bits=64, machine=183, entry=KERNEL_AT + 2)
    with pytest.raises(ImageError, match="e_entry 0x40080002 is not a multiple of 4"):
        wrap_arm64(odd)


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (2, BASE + 4096, "are not the image's"),
        (1, 1 << 40, "3 modules do not fit in its"),
        (7, 1 << 40, "modules do not fit in its 0x"),
        (4, BASE, "the command line at 0x4007f000 is not in it"),
        (5, 16, "the kernel's file at 0x10 is not behind the image"),
        (8, 0, "module 1 at 0x0 to"),
        (10, BASE - 1, "the command line at 0x4007efff is not in it"),
    ],
)
def test_a_damaged_table_is_named_with_what_is_wrong(image, place, value, words):
    at = arm64_header.parse(image, "image").reserved
    damaged = bytearray(image)
    struct.pack_into("<Q", damaged, at + 8 * place, value)
    with pytest.raises(
        ImageError, match=rf"image: module table at {at:#x}: .*{words}.*; pack the image again"
    ):
        read(bytes(damaged))


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (64, "the module table at 0x{table:x} lies beyond the file of 0x40 bytes"),
        (4096 + 64, "the module table at 0x{table:x} lies beyond the file of 0x1040 bytes"),
        (-1, "image_size 0x{size:x} is more than the file of"),
    ],
    ids=["after the header", "in the kernel", "in the last module"],
)
def test_a_file_that_ends_early_is_said_to_be_truncated(image, length, words):
    header = arm64_header.parse(image, "image")
    cut = image[: length % header.image_size]
    expected = words.format(table=header.reserved, size=header.image_size)
    with pytest.raises(ImageError, match=f"^image: .*{expected}.*; the file is truncated$"):
        read(cut)


def test_inspection_shows_what_was_packed(image):
    found = inspection.describe(image, "image")
    assert (found.kind, found.machine, found.entry) == ("packed image", "AArch64", BASE)
    assert [(module.command_line, module.size) for module in found.modules] == [
        (line, len(content)) for line, content in MODULES
    ]
    assert found.kernel.kind == "ELF kernel"
    assert found.arm64.image_size == found.segments[0].memory_size
