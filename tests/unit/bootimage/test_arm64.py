# SPDX-License-Identifier: GPL-2.0-or-later
"""AArch64 kernels are loaded where the boot protocol wants them, with the device tree in x0."""

from __future__ import annotations

import struct

import pytest

from ringscope.bootimage import (
    BootRequest,
    ImageError,
    MemoryLayout,
    MemoryRegion,
    ModuleSpec,
    architecture,
    inspection,
    load_arm64,
    wrap_arm64,
)

MIB = 1 << 20
RAM = 0x4000_0000
LAYOUT = MemoryLayout(64 * MIB, (MemoryRegion(RAM, 64 * MIB, 1),))
CODE = b"\x1f\x20\x03\xd5" * 4


def flat(text_offset=0x80000, image_size=0x20000, flags=2, size=4096):
    """An arm64 Image of ``size`` bytes."""
    header = struct.pack(
        "<IIQQQQQQ4sI", 0x14000010, 0, text_offset, image_size, flags, 0, 0, 0, b"ARM\x64", 0
    )
    return header + CODE.ljust(size - 64, b"c")


@pytest.fixture
def elf64(make_elf):
    return make_elf((RAM + 0x80000, CODE, 0x1800, None), bits=64, machine=183)


@pytest.fixture
def calls():
    """What the device tree was asked to hold."""
    return []


@pytest.fixture
def boot(kernel_file, tmp_path, calls):
    """A function that loads a kernel of these bytes with (name, line, content) modules."""

    def make_device_tree(start, end, line):
        calls.append((start, end, line))
        return b"\xd0\x0d\xfe\xed" + bytes(5000)

    def load(data, modules=(), command_line="", layout=LAYOUT, protocol=None):
        specs = []
        for name, line, content in modules:
            (tmp_path / name).write_bytes(content)
            specs.append(ModuleSpec(tmp_path / name, line))
        request = BootRequest(kernel_file(data), tuple(specs), command_line, protocol)
        return load_arm64(request, layout, make_device_tree)

    return load


def bytes_at(loaded, address, size):
    for base, data in loaded.writes:
        if base <= address and address + size <= base + len(data):
            return data[address - base : address - base + size]
    raise AssertionError(f"nobody wrote {size} bytes at {address:#x}")


def assert_apart(loaded):
    """All writes lie in RAM and none touches another."""
    end = RAM
    for base, data in loaded.writes:
        assert base >= end
        end = base + len(data)
    assert end <= RAM + 64 * MIB


@pytest.mark.parametrize(
    ("text_offset", "base"),
    [
        (0x80000, RAM + 0x80000),
        (0, RAM + 2 * MIB),  # QEMU's own first instructions are at the beginning
        (0x1000, RAM + 0x1000),
    ],
)
def test_an_image_goes_where_qemu_puts_it(boot, text_offset, base):
    loaded = boot(flat(text_offset))
    assert loaded.entry == base
    assert bytes_at(loaded, base, 4) == struct.pack("<I", 0x14000010)
    assert_apart(loaded)


def test_an_image_without_a_size_goes_where_old_ones_did(boot):
    assert boot(flat(text_offset=0x1234000, image_size=0)).entry == RAM + 0x80000


def test_ram_that_begins_elsewhere_moves_the_image(boot):
    layout = MemoryLayout(16 * MIB, (MemoryRegion(0x8010_0000, 16 * MIB, 1),))
    assert boot(flat(), layout=layout).entry == 0x8020_0000 + 0x80000


def test_the_whole_image_size_is_zeroed_and_kept_free(boot):
    loaded = boot(flat(image_size=0x20000))
    assert bytes_at(loaded, loaded.entry + 4096, 0x1F000) == bytes(0x1F000)
    assert_apart(loaded)


@pytest.mark.parametrize("name", ["flat", "elf"])
def test_the_device_tree_is_in_x0_within_2_mib_and_knows_the_command_line(boot, calls, elf64, name):
    loaded = boot(flat() if name == "flat" else elf64, command_line="a b")
    assert bytes_at(loaded, loaded.x0, 4) == b"\xd0\x0d\xfe\xed"
    assert loaded.x0 % 8 == 0
    assert loaded.x0 // (2 * MIB) == (loaded.x0 + 5003) // (2 * MIB)
    assert calls == [(None, None, "a b")]
    assert loaded.command_line == "a b"
    assert_apart(loaded)


def test_one_module_is_the_initrd_of_an_image(boot, calls):
    loaded = boot(flat(), (("initrd", "", b"files"),))
    (module,) = loaded.modules
    assert bytes_at(loaded, module.start, 5) == b"files"
    assert calls == [(module.start, module.start + 5, "")]
    assert_apart(loaded)


def test_two_modules_for_an_image_are_refused(boot):
    with pytest.raises(ImageError, match="takes one module, its initrd, and 2 are given; pack the kernel"):
        boot(flat(), (("a", "", b"a"), ("b", "", b"b")))


def test_an_elf_kernel_is_entered_at_its_entry_with_its_bss_zeroed(boot, elf64):
    loaded = boot(elf64)
    assert loaded.entry == RAM + 0x80000
    assert bytes_at(loaded, RAM + 0x80000, 0x1800) == CODE + bytes(0x1800 - len(CODE))
    assert loaded.kernel_elf == elf64
    assert loaded.modules == ()


def test_an_elf_kernel_finds_its_modules_in_the_table_that_a_stub_puts_into_x1(boot, elf64, calls):
    loaded = boot(elf64, (("root.elf", "root.elf a", b"root"), ("b", "", b"second")))
    table, entry = struct.unpack("<2Q", bytes_at(loaded, loaded.entry + 16, 16))
    assert entry == RAM + 0x80000
    magic, _, base, _, _, kernel, _, count = struct.unpack("<8s7Q", bytes_at(loaded, table, 64))
    assert (magic, base, kernel, count) == (b"RSPACK01", RAM + 0x80000, 0, 2)
    start, end, line = struct.unpack("<3Q", bytes_at(loaded, table + 64, 24))
    assert bytes_at(loaded, start, end - start) == b"root"
    assert bytes_at(loaded, line, 11) == b"root.elf a\0"
    assert [module.name for module in loaded.modules] == ["root.elf", "b"]
    assert loaded.modules[0].start == start
    assert calls == [(None, None, "")]  # two modules are no initrd
    assert_apart(loaded)


def test_the_only_module_of_an_elf_kernel_is_its_initrd_too(boot, elf64, calls):
    (module,) = boot(elf64, (("initrd", "", b"files"),)).modules
    assert calls == [(module.start, module.end, "")]


def test_a_packed_image_brings_kernel_and_modules(boot, elf64):
    loaded = boot(wrap_arm64(elf64, (("root.elf a", b"root"),), "packed line"))
    (module,) = loaded.modules
    assert (module.name, module.command_line, module.data) == ("root.elf", "root.elf a", b"root")
    assert bytes_at(loaded, module.start, 4) == b"root"
    assert loaded.kernel_elf == elf64
    assert loaded.command_line == "packed line"
    assert_apart(loaded)


def test_a_given_command_line_wins_over_the_packed_one(boot, elf64):
    assert boot(wrap_arm64(elf64, (), "packed"), command_line="given").command_line == "given"


def test_a_packed_image_takes_no_other_modules(boot, elf64):
    with pytest.raises(ImageError, match="a packed image brings its modules with it"):
        boot(wrap_arm64(elf64), (("a", "", b"a"),))


def test_a_packed_image_made_for_other_ram_is_refused(boot, elf64):
    layout = MemoryLayout(64 * MIB, (MemoryRegion(0x8000_0000, 64 * MIB, 1),))
    with pytest.raises(ImageError, match=r"base 0x4007f000 is not 0x8007f000, where RAM"):
        boot(wrap_arm64(elf64), layout=layout)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (flat(flags=3), "flags 0x3 ask for a big-endian kernel"),
        (flat(flags=4), "flags 0x4 ask for pages of 16 KiB"),
        (flat(flags=6), "flags 0x6 ask for pages of 64 KiB"),
        (flat(text_offset=0x80001), "text_offset 0x80001 is not a multiple of 0x1000"),
        (flat(text_offset=1 << 40), "are not all in usable RAM"),
        (flat(image_size=1 << 30), "are not all in usable RAM"),
        (flat()[:60], "arm64 Image header: truncated: 60 bytes"),
        (b"notes", "neither an arm64 Image"),
        (b"\x1f\x8b\x08" + bytes(80), "it is compressed: unpack it with gunzip first"),
    ],
)
def test_a_file_that_cannot_boot_is_refused_by_its_field(boot, data, words):
    with pytest.raises(ImageError, match=f"kernel.elf: .*{words}"):
        boot(data)


def test_an_elf_kernel_of_another_machine_is_refused(boot, make_elf):
    with pytest.raises(ImageError, match="e_machine is 62, expected 183"):
        boot(make_elf((RAM + 0x80000, CODE, None, None), bits=64))


def test_a_multiboot_protocol_is_refused(boot, elf64):
    with pytest.raises(ImageError, match="an AArch64 kernel does not boot by multiboot1"):
        boot(elf64, protocol="multiboot1")


def test_a_device_tree_of_more_than_2_mib_is_refused(kernel_file):
    with pytest.raises(ImageError, match="2 MiB is the most a kernel maps"):
        load_arm64(BootRequest(kernel_file(flat())), LAYOUT, lambda *_: bytes(2 * MIB + 1))


def test_a_device_tree_for_which_no_ram_is_left_is_refused(boot):
    layout = MemoryLayout(0xA0000, (MemoryRegion(RAM, 0xA0000, 1),))
    assert boot(flat(), layout=layout).x0 == RAM  # below the kernel there is room
    with pytest.raises(ImageError, match="the device tree of 0x138c bytes does not fit"):
        boot(flat(text_offset=0x1000, image_size=0x9F000), layout=layout)


def test_an_architecture_is_known_from_the_file(elf64, make_elf):
    assert architecture(elf64) == "aarch64"
    assert architecture(flat()) == "aarch64"
    assert architecture(make_elf((MIB, CODE, None, None), bits=64)) == "x86_64"
    assert architecture(b"") == "x86_64"


def test_inspection_shows_an_image_that_was_not_packed(boot):
    found = inspection.describe(flat(), "Image")
    assert (found.kind, found.machine, found.entry) == ("arm64 Image", "AArch64", boot(flat()).entry)
    assert (found.segments[0].file_size, found.segments[0].memory_size) == (4096, 0x20000)
    assert (found.kernel, found.modules) == (None, ())
