# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever cannot be loaded is refused with one sentence that names the file and the field."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from ringscope import bootimage
from ringscope.bootimage import BootRequest, ImageError, MemoryLayout, MemoryRegion, ModuleSpec

MIB = 1 << 20


@pytest.fixture
def refusal(kernel_file, layout):
    """A function that loads a kernel and returns the sentence by which it is refused."""

    def load(data, modules=(), protocol=None):
        path = kernel_file(data)
        with pytest.raises(ImageError) as caught:
            bootimage.load(BootRequest(path, modules, "", protocol), layout)
        sentence = str(caught.value)
        assert str(path.parent) in sentence
        assert "\n" not in sentence
        return sentence.replace(f"{path.parent}/", "")

    return load


@pytest.fixture
def good(make_elf, multiboot1):
    return make_elf((MIB, multiboot1() + b"code", 0x3000, None))


def test_a_file_without_a_header_is_refused(refusal, make_elf):
    assert refusal(make_elf((MIB, b"code", None, None))).startswith(
        "kernel.elf: no Multiboot 1 or 2 header in the first 32768 bytes"
    )


def test_an_empty_file_is_refused(refusal):
    assert refusal(b"").startswith("kernel.elf: no Multiboot 1 or 2 header")


def test_a_file_that_does_not_exist_is_named(layout):
    with pytest.raises(ImageError, match=r"^no/such: cannot be read: No such file or directory$"):
        bootimage.load(BootRequest(Path("no/such")), layout)


def test_a_folder_is_not_a_kernel(layout, tmp_path):
    with pytest.raises(ImageError, match=r"cannot be read: Is a directory$"):
        bootimage.load(BootRequest(tmp_path), layout)


def test_a_kernel_of_neither_elf_nor_addresses_is_refused(refusal, multiboot1):
    assert refusal(multiboot1()).startswith("kernel.elf: not an ELF file: e_ident begins with 02 b0 ad 1b")


def test_an_object_file_is_refused(refusal, make_elf, multiboot1):
    data = make_elf((MIB, multiboot1(), None, None), kind=1)
    assert refusal(data) == "kernel.elf: ELF header: e_type is 1, expected 2 (executable); link it first"


def test_another_architecture_is_refused(refusal, make_elf, multiboot1):
    data = make_elf((MIB, multiboot1(), None, None), machine=183)
    assert "e_machine is 183" in refusal(data)


def test_a_kernel_with_nothing_to_load_is_refused(refusal, make_elf, multiboot1):
    data = make_elf() + multiboot1()
    assert "e_phnum" in refusal(data)


def test_overlapping_segments_are_refused(refusal, make_elf, multiboot1):
    data = make_elf((MIB, multiboot1(), 0x1001, None), (MIB + 0x1000, b"data", None, None))
    assert refusal(data) == (
        "kernel.elf: program header 1: p_paddr 0x101000 overlaps program header 0: p_paddr 0x100000 "
        "with 0x1001 bytes"
    )


def test_a_segment_beyond_4_gib_is_refused(refusal, make_elf, multiboot1):
    data = make_elf((MIB, multiboot1(), None, None), (0xFFFFFFFF80000000, b"data", None, None), bits=64)
    assert refusal(data).startswith(
        "kernel.elf: program header 1: p_paddr 0xffffffff80000000 and 0x4 bytes reach"
    )


@pytest.mark.parametrize("address", [0x9FC00, 0xA0000, 16 * MIB - 0x10000, 16 * MIB, 64 * MIB])
def test_a_segment_outside_usable_ram_is_refused(refusal, make_elf, multiboot1, address):
    data = make_elf((MIB, multiboot1(), None, None), (address, b"data", None, None))
    assert refusal(data).startswith(
        f"kernel.elf: program header 1: p_paddr {address:#x} and 0x4 bytes are not"
    )


def test_an_entry_outside_every_segment_is_refused(refusal, make_elf, multiboot1):
    data = make_elf((MIB, multiboot1(), None, None), entry=0x200000)
    assert refusal(data) == "kernel.elf: ELF header: e_entry 0x200000 lies in no loaded segment"


def test_a_module_beyond_ram_is_refused(refusal, good, tmp_path):
    (tmp_path / "big.bin").write_bytes(bytes(16 * MIB))
    sentence = refusal(good, (ModuleSpec(tmp_path / "big.bin", "big"),))
    assert sentence.startswith(
        "big.bin: the module of 0x1000000 bytes does not fit in the RAM that the kernel"
    )


def test_a_module_that_does_not_exist_is_named(refusal, good, tmp_path):
    sentence = refusal(good, (ModuleSpec(tmp_path / "none.bin", ""),))
    assert sentence == "none.bin: cannot be read: No such file or directory"


def test_a_command_line_with_a_zero_byte_is_refused(refusal, good, tmp_path):
    (tmp_path / "m.bin").write_bytes(b"m")
    assert "zero byte" in refusal(good, (ModuleSpec(tmp_path / "m.bin", "a\0b"),))


def test_the_protocol_that_is_asked_for_must_be_there(refusal, good):
    assert refusal(good, protocol="multiboot2").startswith("kernel.elf: no Multiboot 2 header")


def test_multiboot_1_goes_first_where_a_kernel_offers_both(
    kernel_file, make_elf, multiboot1, multiboot2, layout
):
    headers = multiboot1() + bytes(4) + multiboot2()
    path = kernel_file(make_elf((MIB, headers, None, None), bits=64))
    assert bootimage.load(BootRequest(path), layout).eax == 0x2BADB002
    assert bootimage.load(BootRequest(path, protocol="multiboot2"), layout).eax == 0x36D76289


def test_an_entry_linked_at_another_virtual_address_becomes_physical(
    kernel_file, make_elf, multiboot1, layout
):
    data = make_elf((MIB, multiboot1() + b"code", None, 0xC0100000), entry=0xC010000C)
    assert bootimage.load(BootRequest(kernel_file(data)), layout).entry == MIB + 12


def test_memory_that_the_file_does_not_hold_is_zeroed(kernel_file, good, layout, memory_of):
    image = bootimage.load(BootRequest(kernel_file(good)), layout)
    assert memory_of(image).read(MIB + 16, 0x3000 - 16) == bytes(0x3000 - 16)


def test_what_is_written_never_overlaps_and_stays_in_usable_ram(kernel_file, good, layout, tmp_path):
    modules = []
    for size in (0, 1, 4096, 4097):
        (tmp_path / f"{size}.bin").write_bytes(b"x" * size)
        modules.append(ModuleSpec(tmp_path / f"{size}.bin", ""))
    image = bootimage.load(BootRequest(kernel_file(good), tuple(modules)), layout)
    at = MIB
    for address, data in image.writes:
        assert address >= at
        at = address + len(data)
    assert at <= 16 * MIB - 0x10000
    assert [module.end - module.start for module in image.modules] == [0, 1, 4096, 4097]
    assert all(module.start % 4096 == 0 for module in image.modules)


def test_modules_go_round_a_hole_in_the_memory(kernel_file, good, tmp_path):
    hole = MIB + 0x5000
    layout = MemoryLayout(
        8 * MIB, (MemoryRegion(MIB, 0x5000, 1), MemoryRegion(hole, 0x1000, 2), MemoryRegion(2 * MIB, MIB, 1))
    )
    (tmp_path / "m.bin").write_bytes(bytes(0x3000))
    image = bootimage.load(BootRequest(kernel_file(good), (ModuleSpec(tmp_path / "m.bin"),)), layout)
    assert image.modules[0].start == 2 * MIB


def test_the_folder_of_a_file_never_reaches_the_guest(kernel_file, good, layout):
    image = bootimage.load(BootRequest(kernel_file(good), (), "a b"), layout)
    assert image.command_line == "kernel.elf a b"


def test_initrd_is_read_as_qemu_reads_it():
    specs = bootimage.parse_initrd("dir/one.elf a b,two.elf,x,,y.elf c")
    assert specs == (
        ModuleSpec(Path("dir/one.elf"), "one.elf a b"),
        ModuleSpec(Path("two.elf"), "two.elf"),
        ModuleSpec(Path("x,y.elf"), "x,y.elf c"),
    )


@pytest.mark.parametrize("text", [",", "one,,,", "one, ,two"])
def test_an_initrd_entry_without_a_file_is_refused(text):
    with pytest.raises(ImageError, match=r"names no file"):
        bootimage.parse_initrd(text)


def flat(multiboot1, *fields, before=b""):
    """A flat kernel of header_addr, load_addr, load_end_addr, bss_end_addr and entry_addr."""
    return before + multiboot1(1 << 16, struct.pack("<5I", *fields)) + b"code"


def test_a_flat_kernel_is_loaded_by_its_address_fields(kernel_file, multiboot1, layout, memory_of):
    data = flat(multiboot1, MIB + 8, MIB, MIB + 44, MIB + 0x100, MIB + 40, before=b"leftover")
    image = bootimage.load(BootRequest(kernel_file(data)), layout)
    assert memory_of(image).read(MIB, 0x100) == data + bytes(0x100 - len(data))
    assert (image.entry, image.kernel_elf) == (MIB + 40, None)


def test_a_flat_kernel_without_ends_is_the_whole_file(kernel_file, multiboot1, layout, memory_of):
    data = flat(multiboot1, MIB, MIB, 0, 0, MIB + 32)
    image = bootimage.load(BootRequest(kernel_file(data)), layout)
    assert memory_of(image).read(MIB, len(data)) == data


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ((MIB, MIB + 4, 0, 0, MIB + 4), "load_addr 0x100004"),
        ((MIB, MIB - 4, 0, 0, MIB), "load_addr 0xffffc"),
        ((MIB, MIB, MIB - 4, 0, MIB), "load_end_addr 0xffffc is before load_addr"),
        ((MIB, MIB, MIB + 0x1000, 0, MIB), "load_end_addr 0x101000 asks for 0x1000 bytes of a file of 0x24"),
        ((MIB, MIB, 0, MIB + 4, MIB), "bss_end_addr 0x100004 is before load_end_addr"),
        ((MIB, MIB, 0, 0, MIB + 0x1000), "entry_addr 0x101000 lies in no loaded segment"),
        (
            (16 * MIB, 16 * MIB, 0, 0, 16 * MIB),
            "load_addr 0x1000000 and 0x24 bytes are not all in usable RAM",
        ),
    ],
)
def test_address_fields_that_contradict_are_refused(refusal, multiboot1, fields, named):
    assert f"header address fields: {named}" in refusal(flat(multiboot1, *fields))
