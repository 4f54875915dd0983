# SPDX-License-Identifier: GPL-2.0-or-later
"""Packed and unpacked images boot by loaders that know nothing of this project: QEMU's own, and GRUB."""

from __future__ import annotations

import pytest

from ringscope import bootimage

PASSED = (3 << 1) | 1
MODULES = (("first.bin one two", b"content of the first"), ("second.bin", b"content of the second"))


@pytest.fixture(params=[32, 64], ids=["elf32", "elf64"])
def report1(request, small_kernel):
    return small_kernel("report1", request.param).read_bytes()


def lines(*modules, command_line):
    said = ["ok magic", "command line:", command_line, "ok memory", "ok map"]
    for line, content in modules:
        said += ["module:", line, content.decode()]
    return [*said, "bss", "ok done"]


def test_a_wrapped_kernel_boots_in_qemu(report1, run_qemu, tmp_path):
    (tmp_path / "plain").write_bytes(bootimage.wrap(report1))
    result = run_qemu(["-kernel", "plain", "-append", "a b"], 60, folder=tmp_path)
    assert result.output.splitlines() == lines(command_line="plain a b")
    assert result.status == PASSED


def test_the_modules_of_a_packed_image_arrive_in_qemu(report1, run_qemu, tmp_path):
    (tmp_path / "image").write_bytes(bootimage.wrap(report1, MODULES))
    result = run_qemu(["-kernel", "image", "-append", "a b"], 60, folder=tmp_path)
    assert result.output.splitlines() == lines(*MODULES, command_line="image a b")
    assert result.status == PASSED


def test_an_empty_module_of_a_packed_image_arrives_in_qemu(report1, run_qemu, tmp_path):
    modules = (("nothing.bin", b""), *MODULES)
    (tmp_path / "image").write_bytes(bootimage.wrap(report1, modules))
    result = run_qemu(["-kernel", "image", "-append", "a b"], 60, folder=tmp_path)
    assert result.output.splitlines() == lines(*modules, command_line="image a b")


@pytest.mark.parametrize(
    ("given", "seen"), [([], "kernel.elf packed line"), (["-append", "given line"], "image given line")]
)
def test_the_packed_command_line_yields_to_one_that_is_given(report1, run_qemu, tmp_path, given, seen):
    image = bootimage.wrap(report1, MODULES, command_line="kernel.elf packed line")
    (tmp_path / "image").write_bytes(image)
    result = run_qemu(["-kernel", "image", *given], 60, folder=tmp_path)
    assert result.output.splitlines() == lines(*MODULES, command_line=seen)


def test_the_unpacked_kernel_boots_in_qemu_with_initrd(small_kernel, run_qemu, tmp_path):
    (tmp_path / "kernel").write_bytes(small_kernel("report1", 32).read_bytes())
    (tmp_path / "first.bin").write_bytes(MODULES[0][1])
    (tmp_path / "second.bin").write_bytes(MODULES[1][1])
    arguments = ["-kernel", "kernel", "-initrd", "first.bin one two,second.bin", "-append", "a b"]
    result = run_qemu(arguments, 60, folder=tmp_path)
    assert result.output.splitlines() == lines(*MODULES, command_line="kernel a b")
    assert result.status == PASSED


def test_a_packed_image_boots_from_a_grub_iso(report1, run_qemu, make_iso, tmp_path):
    iso = make_iso(
        tmp_path, {"image": bootimage.wrap(report1, MODULES)}, ["multiboot /boot/image given by grub"]
    )
    result = run_qemu(["-cdrom", iso, "-boot", "d"], 120)
    assert result.output.splitlines() == lines(*MODULES, command_line="given by grub")
    assert result.status == PASSED


@pytest.mark.parametrize("bits", [32, 64])
def test_a_multiboot_2_kernel_boots_from_a_grub_iso(small_kernel, run_qemu, make_iso, tmp_path, bits):
    files = {"kernel": small_kernel("report2", bits).read_bytes(), "first": MODULES[0][1]}
    commands = ["multiboot2 /boot/kernel given by grub", "module2 /boot/first one two"]
    result = run_qemu(["-cdrom", make_iso(tmp_path, files, commands), "-boot", "d"], 120)
    said = result.output.splitlines()
    assert said[0] == "ok magic"
    assert said[-1] == "ok done"
    assert "command line:\ngiven by grub" in result.output
    assert "\n".join(["module:", "one two", MODULES[0][1].decode()]) in result.output
    assert {"ok memory", "ok map", "ok sections"} <= set(said)
    assert result.status == PASSED
