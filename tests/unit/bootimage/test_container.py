# SPDX-License-Identifier: GPL-2.0-or-later
"""A packed image is a plain ELF32 Multiboot kernel that hands its modules over by itself."""

from __future__ import annotations

import itertools
import struct

import capstone
import pytest

from ringscope import bootimage
from ringscope.bootimage import BootRequest, ImageError, ModuleSpec, container, elf, header, packed

MIB = 1 << 20
MODULES = (("one a b", b"first"), ("two", b""), ("three", b"x" * 5000))


@pytest.fixture(params=[32, 64], ids=["elf32", "elf64"])
def kernel(request, make_elf, multiboot1):
    segments = ((MIB, multiboot1() + b"code", 0x1800, None), (2 * MIB, b"data", 0x5000, None))
    return make_elf(*segments, bits=request.param, sections=((".symtab", 2, 0, 0, bytes(48)),))


def test_the_container_is_elf32_for_the_i386_with_its_header_in_front(kernel):
    image = bootimage.wrap(kernel, MODULES)
    file = elf.parse(image, "image")
    assert (file.bits, file.machine) == (32, elf.EM_386)
    assert header.find_header1(image, "image").offset < 512


def test_without_modules_the_kernel_keeps_its_segments_and_its_entry(kernel):
    file = elf.parse(bootimage.wrap(kernel), "image")
    original = elf.parse(kernel, "kernel")
    assert file.entry == original.entry
    assert [(s.paddr, s.memory_size, s.data) for s in file.segments] == [
        (s.paddr, s.memory_size, s.data) for s in original.segments
    ]


def test_the_kernel_is_kept_whole_and_read_back_with_its_modules(kernel):
    content = packed.read(elf.parse(bootimage.wrap(kernel, MODULES, command_line="k a"), "image"))
    assert content.kernel == kernel
    assert [(module.command_line, module.data) for module in content.modules] == list(MODULES)
    assert content.command_line == "k a"


def test_what_is_packed_lies_in_pages_of_its_own_above_a_gap(kernel):
    file = elf.parse(bootimage.wrap(kernel, MODULES), "image")
    kernel_end = 2 * MIB + 0x5000
    added = [segment for segment in file.segments if segment.paddr >= kernel_end]
    assert added[0].paddr == kernel_end + 64 * 1024
    assert all(segment.paddr % 4096 == 0 for segment in added)
    assert all(a.end <= b.paddr for a, b in itertools.pairwise(added))


def test_file_offsets_and_addresses_agree_within_a_page(kernel):
    for segment in elf.parse(bootimage.wrap(kernel, MODULES), "image").segments:
        assert segment.offset % 4096 == segment.paddr % 4096


def test_packing_twice_gives_the_same_bytes(kernel):
    assert bootimage.wrap(kernel, MODULES) == bootimage.wrap(kernel, MODULES)


@pytest.mark.parametrize("flags", [0, 1, 2, 3])
def test_what_the_kernel_asks_its_loader_for_is_asked_again(make_elf, multiboot1, flags):
    image = bootimage.wrap(make_elf((MIB, multiboot1(flags), None, None)))
    assert header.find_header1(image, "image").flags == flags


def test_a_video_mode_is_asked_for_again(make_elf, multiboot1):
    tail = struct.pack("<5I4I", *[0] * 5, 1, 80, 25, 0)
    image = bootimage.wrap(make_elf((MIB, multiboot1(4, tail), None, None)))
    assert header.find_header1(image, "image").video == (1, 80, 25, 0)


def test_a_flat_kernel_is_packed_by_its_address_fields(multiboot1):
    flat = multiboot1(1 << 16, struct.pack("<5I", MIB, MIB, 0, MIB + 0x2000, MIB + 32)) + b"code"
    file = elf.parse(bootimage.wrap(flat), "image")
    (segment,) = file.segments
    assert (file.entry, segment.paddr, segment.data, segment.memory_size) == (MIB + 32, MIB, flat, 0x2000)
    assert header.find_header1(bootimage.wrap(flat), "image").addresses is None


def decoded(code, address):
    engine = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_32)
    found = list(engine.disasm(code, address))
    assert sum(instruction.size for instruction in found) == len(code)
    return [f"{instruction.mnemonic} {instruction.op_str}" for instruction in found]


def test_the_stub_stores_the_module_table_and_goes_on_to_the_kernel():
    code = container.assemble_entry(0x200000, 0x100020, 3, 0x201000, 0)
    kernel = "mov ecx, 0x100020"
    assert decoded(code, 0x200000)[2:] == [
        "or dword ptr [ebx], 8",
        "mov dword ptr [ebx + 0x14], 3",
        "mov dword ptr [ebx + 0x18], 0x201000",
        kernel,
        "jmp ecx",
    ]


def test_the_stub_leaves_another_loader_s_structure_alone():
    code = container.assemble_entry(0x200000, 0x100020, 3, 0x201000, 0)
    found = decoded(code, 0x200000)
    assert found[0] == "cmp eax, 0x2badb002"
    assert found[1] == f"jne {0x200000 + len(code) - 7:#x}"  # the kernel's entry: mov ecx is 5 bytes, jmp 2


def test_the_stub_never_writes_eax_ebx_or_the_stack():
    code = container.assemble_entry(0x200000, 0x100020, 3, 0x201000, 0x202000)
    engine = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_32)
    engine.detail = True
    written = set()
    for instruction in engine.disasm(code, 0x200000):
        written |= {instruction.reg_name(register) for register in instruction.regs_access()[1]}
    assert written <= {"ecx", "edx", "dl", "eflags"}


def test_a_kernel_without_a_multiboot_1_header_is_refused(make_elf, multiboot2):
    with pytest.raises(ImageError, match=r"^k.elf: no Multiboot 1 header in the first 8192 bytes"):
        bootimage.wrap(make_elf((MIB, multiboot2(), None, None)), (), "k.elf")


def test_modules_that_would_pass_4_gib_are_refused(make_elf, multiboot1):
    high = make_elf((0xFFFE0000, multiboot1(), None, None), bits=64)
    with pytest.raises(ImageError, match=r"^k.elf: its modules would reach .*, beyond 4 GiB"):
        bootimage.wrap(high, (("m", bytes(0x20000)),), "k.elf")


def test_more_modules_than_the_header_allows_are_refused(kernel):
    with pytest.raises(ImageError, match=r"^k.elf: 30\d segments and modules are too many"):
        bootimage.wrap(kernel, [("m", b"x")] * 300, "k.elf")


def test_the_loader_reports_packed_modules_where_their_segments_are(kernel, kernel_file, layout, memory_of):
    image = bootimage.load(BootRequest(kernel_file(bootimage.wrap(kernel, MODULES))), layout)
    assert [(module.name, module.command_line) for module in image.modules] == [
        ("one", "one a b"), ("two", "two"), ("three", "three"),
    ]  # fmt: skip
    memory = memory_of(image)
    assert [memory.read(module.start, len(module.data)) for module in image.modules[::2]] == [
        b"first",
        b"x" * 5000,
    ]
    assert image.kernel_elf == kernel


def test_the_packed_command_line_yields_to_one_that_is_given(kernel, kernel_file, layout):
    path = kernel_file(bootimage.wrap(kernel, (), command_line="kernel.elf packed"))
    assert bootimage.load(BootRequest(path), layout).command_line == "kernel.elf packed"
    assert bootimage.load(BootRequest(path, (), "given"), layout).command_line == "kernel.elf given"


def test_modules_beside_a_packed_image_are_refused(kernel, kernel_file, layout):
    path = kernel_file(bootimage.wrap(kernel, MODULES))
    with pytest.raises(ImageError, match=r"a packed image brings its modules with it"):
        bootimage.load(BootRequest(path, (ModuleSpec(path),)), layout)


def test_a_packed_image_whose_table_is_gone_is_refused(kernel):
    image = bootimage.wrap(kernel, MODULES).replace(b".ringscope.modules\0", b".ringscope.nothing\0")
    with pytest.raises(
        ImageError, match=r"^image: section .ringscope.modules is missing; pack the image again$"
    ):
        packed.read(elf.parse(image, "image"))
