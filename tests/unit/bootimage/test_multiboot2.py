# SPDX-License-Identifier: GPL-2.0-or-later
"""Multiboot 2 tags in and out, at the offsets of specification 2.0, sections 3.1 and 3.6."""

from __future__ import annotations

import struct

import pytest

from ringscope import bootimage
from ringscope.bootimage import BootRequest, ImageError

MIB = 1 << 20
RSDP1 = b"RSD PTR " + bytes(12)
RSDP2 = b"RSD PTR " + bytes(28)


@pytest.fixture
def boot(boot_bytes, make_elf, multiboot2):
    """A function (tags of the header) that returns the image and {type: [payload]} of the answer."""

    def load(*tags, sections=(), architecture=0, **given):
        header = multiboot2(*tags, architecture=architecture)
        code = header + bytes(-len(header) % 16) + b"code"
        data = make_elf((MIB, code, 0x2000, None), bits=64, sections=sections)
        image, memory = boot_bytes(data, command_line="a b", **given)
        return image, answer(memory, image.ebx)

    return load


def answer(memory, info):
    assert info % 8 == 0
    total, reserved = memory.words(info, 2)
    assert reserved == 0
    tags, at = {}, info + 8
    while True:
        kind, size = memory.words(at, 2)
        tags.setdefault(kind, []).append(memory.read(at + 8, size - 8))
        at += (size + 7) & ~7
        if kind == 0:
            assert (size, at) == (8, info + total)
            return tags


def test_the_magic_is_in_eax(boot):
    image, _ = boot()
    assert (image.protocol, image.eax, image.entry) == ("multiboot2", 0x36D76289, MIB)


def test_the_tags_that_always_apply_are_there_once(boot):
    _, tags = boot()
    assert sorted(tags) == [0, 1, 2, 4, 6]
    assert tags[1] == [b"kernel.elf a b\0"]
    assert tags[2] == [b"ringscope\0"]
    assert tags[4] == [struct.pack("<II", 0x9FC00 // 1024, (15 * MIB - 0x10000) // 1024)]


def test_the_memory_map_holds_every_region_in_order(boot, layout):
    _, tags = boot()
    (payload,) = tags[6]
    assert struct.unpack_from("<II", payload) == (24, 0)
    seen = [row[:3] for row in struct.iter_unpack("<QQII", payload[8:])]
    assert seen == [(region.base, region.length, region.kind) for region in layout.regions]


def test_each_module_has_a_tag_with_its_line(boot, memory_of):
    image, tags = boot(modules=[("one", "one a b", b"first"), ("two", "", b"second")])
    lines = [payload[8:] for payload in tags[3]]
    assert lines == [b"one a b\0", b"two\0"]
    memory = memory_of(image)
    places = [struct.unpack_from("<II", payload) for payload in tags[3]]
    assert [memory.read(start, end - start) for start, end in places] == [b"first", b"second"]


def test_the_section_headers_and_what_they_name_are_in_memory(boot, memory_of):
    image, tags = boot(sections=((".strtab", 3, 0, 0, b"\0main\0"),))
    (payload,) = tags[9]
    assert struct.unpack_from("<III", payload) == (3, 64, 2)
    address, _, size = struct.unpack_from("<QQQ", payload, 12 + 64 + 16)
    assert memory_of(image).read(address, size) == b"\0main\0"


def test_an_acpi_1_root_pointer_is_passed_on(boot):
    _, tags = boot(rsdp=RSDP1)
    assert (tags[14], 15 in tags) == ([RSDP1], False)


def test_a_later_root_pointer_is_passed_on_in_both_forms(boot):
    _, tags = boot(rsdp=RSDP2)
    assert (tags[14], tags[15]) == ([RSDP2[:20]], [RSDP2])


def test_the_entry_address_tag_wins_over_the_elf_header(boot):
    image, _ = boot((3, 0, struct.pack("<I", MIB + 0x1000)))
    assert image.entry == MIB + 0x1000


def test_an_entry_address_outside_the_image_is_refused(boot):
    with pytest.raises(ImageError, match=r"entry address 0x9 lies in no loaded segment$"):
        boot((3, 0, struct.pack("<I", 9)))


@pytest.mark.parametrize("load_addr", [MIB, 0xFFFFFFFF], ids=["given", "from the file's start"])
def test_a_flat_file_is_loaded_by_its_address_tag(kernel_file, multiboot2, layout, memory_of, load_addr):
    addresses = (2, 0, struct.pack("<IIII", MIB, load_addr, 0, MIB + 0x1000))
    data = multiboot2(addresses, (3, 0, struct.pack("<I", MIB))) + b"code"
    image = bootimage.load(BootRequest(kernel_file(data)), layout)
    assert memory_of(image).read(MIB, 0x1000) == data + bytes(0x1000 - len(data))


def test_an_address_tag_without_an_entry_is_refused(boot):
    with pytest.raises(ImageError, match=r"address tag \(type 2\) lacks an entry address tag \(type 3\)$"):
        boot((2, 0, struct.pack("<IIII", MIB, MIB, 0, 0)))


def test_an_address_tag_cut_short_is_refused(boot):
    with pytest.raises(ImageError, match=r"tag type 2: size 16 is too short$"):
        boot((2, 0, bytes(8)))


def test_an_unknown_required_tag_is_refused(boot):
    with pytest.raises(ImageError, match=r"kernel.elf: Multiboot 2 header at .*: tag type 99 is required"):
        boot((99, 0, b""))


def test_an_unknown_optional_tag_is_ignored(boot):
    image, _ = boot((99, 1, b""))
    assert image.protocol == "multiboot2"


@pytest.mark.parametrize("kind", [6, 7, 8, 9])
def test_tags_that_need_nothing_here_are_accepted(boot, kind):
    image, _ = boot((kind, 0, bytes(4)))
    assert image.protocol == "multiboot2"


def test_a_request_for_known_information_is_accepted(boot):
    _, tags = boot((1, 0, struct.pack("<4I", 1, 4, 6, 14)))
    assert {1, 4, 6} <= tags.keys()


def test_a_request_for_unknown_information_is_refused(boot):
    with pytest.raises(ImageError, match=r"information request tag: type 77 is required and unknown$"):
        boot((1, 0, struct.pack("<I", 77)))


def test_an_optional_request_for_unknown_information_is_ignored(boot):
    image, _ = boot((1, 1, struct.pack("<I", 77)))
    assert image.protocol == "multiboot2"


def test_another_architecture_is_refused(boot):
    with pytest.raises(ImageError, match=r"architecture 4, expected 0"):
        boot(architecture=4)


@pytest.mark.parametrize(
    "tag", [(5, 0, struct.pack("<III", 1024, 768, 32)), (4, 0, struct.pack("<I", 3))], ids=["mode", "console"]
)
def test_a_request_for_a_screen_is_answered_with_the_text_console(boot, tag):
    _, tags = boot(tag)
    (payload,) = tags[8]
    assert struct.unpack_from("<QIIIBB", payload) == (0xB8000, 160, 80, 25, 16, 2)


def test_a_kernel_that_requires_graphics_is_refused(boot):
    with pytest.raises(
        ImageError, match=r"console_flags require a graphics console; only EGA text is offered$"
    ):
        boot((4, 0, struct.pack("<I", 1)))


def relocatable(minimum, maximum, align, preference):
    return (10, 0, struct.pack("<IIII", minimum, maximum, align, preference))


@pytest.mark.parametrize(
    ("tag", "base"),
    [
        (relocatable(0, 0xFFFFFFFF, 0x1000, 0), MIB),
        (relocatable(4 * MIB, 0xFFFFFFFF, 0x200000, 0), 4 * MIB),
        (relocatable(3 * MIB + 1, 0xFFFFFFFF, 0x200000, 1), 4 * MIB),
        (relocatable(0, 8 * MIB - 1, 0x200000, 2), 6 * MIB),
        (relocatable(0, 0xFFFFFFFF, 0x1000, 2), 16 * MIB - 0x10000 - 0x2000),
    ],
    ids=["stays", "no preference, moved", "lowest", "highest below", "highest in RAM"],
)
def test_a_relocatable_image_goes_where_it_prefers_and_is_told(boot, memory_of, tag, base):
    image, tags = boot(tag)
    assert image.entry == base
    assert tags[21] == [struct.pack("<I", base)]
    assert memory_of(image).read(base, 4) == struct.pack("<I", 0xE85250D6)


def test_the_load_base_is_told_only_to_a_relocatable_image(boot):
    _, tags = boot()
    assert 21 not in tags


def test_a_relocatable_image_that_fits_nowhere_is_refused(boot):
    with pytest.raises(ImageError, match=r"relocatable tag: no 0x2000 bytes of usable RAM between min_addr"):
        boot(relocatable(64 * MIB, 128 * MIB, 0x1000, 1))


def test_a_relocatable_tag_with_an_impossible_alignment_is_refused(boot):
    with pytest.raises(ImageError, match=r"relocatable tag: align 0x3 or preference 0 is invalid$"):
        boot(relocatable(0, 0xFFFFFFFF, 3, 0))
