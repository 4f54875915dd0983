# SPDX-License-Identifier: GPL-2.0-or-later
"""What our own loader puts into memory boots on the bare engine and says what it says under QEMU's."""

from __future__ import annotations

import pytest

from ringscope import bootimage
from ringscope.bootimage import BootRequest, MemoryLayout, MemoryRegion

RAM = 8 << 20
LAYOUT = MemoryLayout(
    RAM,
    (MemoryRegion(0, 0x9FC00, 1), MemoryRegion(0x9FC00, 0x400, 2), MemoryRegion(1 << 20, RAM - (1 << 20), 1)),
)


@pytest.fixture
def modules(tmp_path):
    (tmp_path / "first.bin").write_bytes(b"content of the first")
    (tmp_path / "second.bin").write_bytes(b"content of the second")
    return bootimage.parse_initrd(f"{tmp_path}/first.bin one two,{tmp_path}/second.bin")


@pytest.mark.parametrize("bits", [32, 64])
def test_a_multiboot_1_kernel_with_modules_reads_them_all(small_kernel, run_bare, modules, bits):
    image = bootimage.load(BootRequest(small_kernel("report1", bits), modules, "a b"), LAYOUT)
    said, status = run_bare(image, RAM)
    assert said.splitlines() == [
        "ok magic", "command line:", f"report1.{bits}.elf a b", "ok memory", "ok map",
        "module:", "first.bin one two", "content of the first",
        "module:", "second.bin", "content of the second",
        "bss", "ok done",
    ]  # fmt: skip
    assert status == [3]


@pytest.mark.parametrize("bits", [32, 64])
def test_a_multiboot_2_kernel_with_modules_reads_them_all(small_kernel, run_bare, modules, bits):
    image = bootimage.load(BootRequest(small_kernel("report2", bits), modules, "a b"), LAYOUT)
    said, status = run_bare(image, RAM)
    assert said.splitlines() == [
        "ok magic", "command line:", f"report2.{bits}.elf a b",
        "module:", "first.bin one two", "content of the first",
        "module:", "second.bin", "content of the second",
        "ok memory", "ok map", "ok sections", "ok done",
    ]  # fmt: skip
    assert status == [3]


def test_a_packed_image_says_the_same_here_and_in_qemu(small_kernel, run_bare, run_qemu, modules, tmp_path):
    image = tmp_path / "image"
    contents = [(module.command_line, module.path.read_bytes()) for module in modules]
    image.write_bytes(bootimage.wrap(small_kernel("report1", 64).read_bytes(), contents))
    here, status = run_bare(bootimage.load(BootRequest(image, (), "a b"), LAYOUT), RAM)
    there = run_qemu(["-kernel", "image", "-append", "a b"], 60, folder=tmp_path)
    assert here == there.output
    assert [(value << 1) | 1 for value in status] == [there.status]


def test_an_unpacked_kernel_says_the_same_here_and_in_qemu(
    small_kernel, run_bare, run_qemu, modules, tmp_path
):
    kernel = tmp_path / "kernel"
    kernel.write_bytes(small_kernel("report1", 32).read_bytes())
    here, _ = run_bare(bootimage.load(BootRequest(kernel, modules, "a b"), LAYOUT), RAM)
    arguments = ["-kernel", "kernel", "-initrd", "first.bin one two,second.bin", "-append", "a b"]
    assert here == run_qemu(arguments, 60, folder=tmp_path).output
