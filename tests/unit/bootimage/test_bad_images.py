# SPDX-License-Identifier: GPL-2.0-or-later
"""``ringscope boot`` and ``image inspect`` of a bad file: one sentence with file and field, status 2."""

from __future__ import annotations

import struct

import pytest

from ringscope.tools.main import main

MIB = 1 << 20


@pytest.fixture
def good(make_elf, multiboot1):
    """A kernel that boots."""
    return make_elf((MIB, multiboot1(), None, None))


@pytest.fixture
def bad_kernels(good, make_elf, multiboot1, multiboot2):
    """Kernels that cannot be booted, each by what is wrong with it."""
    wrong1, wrong2 = bytearray(multiboot1()), bytearray(multiboot2())
    wrong1[8] ^= 1
    wrong2[12] ^= 1
    header = (MIB, multiboot1(), None, None)
    place = struct.pack("<5I", MIB, MIB, MIB + 0x2000, 0, MIB + 32)  # two pages are to be loaded
    return {
        "truncated": good[:-4],
        "truncated in its header": good[:40],
        "truncated, flat": multiboot1(1 << 16, place),
        "wrong checksum": make_elf((MIB, bytes(wrong1), None, None)),
        "wrong checksum, Multiboot 2": make_elf((MIB, bytes(wrong2), None, None)),
        "overlapping segments": make_elf(header, (MIB + 8, b"data", None, None)),
        "a segment out of RAM": make_elf(header, (1 << 30, b"data", None, None)),
        "a segment where firmware is": make_elf(header, (0xF0000, b"data", None, None)),
        "not an ELF": b"#!/bin/sh\nexit 0\n",
    }


#: What the sentence says behind the file's name.
SENTENCES = {
    "truncated": "program header 0: p_offset 0x58 and p_filesz 0xc reach beyond the file of 0x60 bytes",
    "truncated in its header": "truncated in the ELF header: 40 bytes",
    "truncated, flat": "header address fields: load_end_addr 0x102000 asks for 0x2000 bytes",
    "wrong checksum": "Multiboot 1 header at 0x58: wrong checksum ",
    "wrong checksum, Multiboot 2": "Multiboot 2 header at 0x58: wrong checksum ",
    "overlapping segments": "program header 1: p_paddr 0x100008 overlaps program header 0: p_paddr 0x100000",
    "a segment out of RAM": "program header 1: p_paddr 0x40000000 and 0x4 bytes are not",
    "a segment where firmware is": "program header 1: p_paddr 0xf0000 and 0x4 bytes are not",
    "not an ELF": "no Multiboot 1 or 2 header in the first 32768 bytes",
}


@pytest.mark.parametrize("what", SENTENCES)
def test_a_bad_kernel_is_refused_by_file_and_field(what, bad_kernels, tmp_path, capfd):
    file = tmp_path / "kernel"
    file.write_bytes(bad_kernels[what])
    assert main(["boot", str(file)]) == 2
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"ringscope: {file}: {SENTENCES[what]}")
    assert said.err.count("\n") == 1


def test_a_module_beyond_ram_is_refused_by_its_name(good, tmp_path, capfd):
    kernel, module = tmp_path / "kernel", tmp_path / "big"
    kernel.write_bytes(good)
    with module.open("wb") as file:
        file.truncate(3 * MIB)
    assert main(["boot", "-m", "4M", "-kernel", str(kernel), "-initrd", str(module)]) == 2
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"ringscope: {module}: the module of 0x300000 bytes does not fit in the RAM")
    assert said.err.count("\n") == 1


@pytest.mark.parametrize("what", ["truncated", "truncated in its header", "wrong checksum", "not an ELF"])
def test_inspecting_a_bad_file_is_one_sentence_too(what, bad_kernels, tmp_path, capfd):
    file = tmp_path / "kernel"
    file.write_bytes(bad_kernels[what])
    assert main(["image", "inspect", str(file)]) == 2
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"ringscope: {file}: ")
    assert said.err.count("\n") == 1
