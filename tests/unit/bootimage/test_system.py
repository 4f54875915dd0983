# SPDX-License-Identifier: GPL-2.0-or-later
"""A system file is packed whole or not at all, and what is wrong in it is named by its key."""

from __future__ import annotations

import errno
import io

import pytest

from ringscope import bootimage
from ringscope.bootimage import ImageError, elf, files, packed

MIB = 1 << 20
SYSTEM = """
kernel = "bin/kernel.elf"
command_line = "quiet"
[[module]]
file = "bin/root.elf"
args = "a b"
[[module]]
file = "pager.elf"
"""


class OnAFullDisk(io.FileIO):
    """A file that opens, and has no room."""

    def write(self, _data):
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def system(tmp_path, make_elf, multiboot1):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "kernel.elf").write_bytes(make_elf((MIB, multiboot1(), None, None), bits=64))
    (tmp_path / "bin" / "root.elf").write_bytes(b"root")
    (tmp_path / "pager.elf").write_bytes(b"pager")
    path = tmp_path / "system.toml"
    path.write_text(SYSTEM, encoding="utf-8")
    return path


def test_a_system_is_packed_with_paths_from_its_own_folder(system, tmp_path):
    size = bootimage.pack(system, tmp_path / "image")
    data = (tmp_path / "image").read_bytes()
    assert len(data) == size
    content = packed.read(elf.parse(data, "image"))
    assert [(module.command_line, module.data) for module in content.modules] == [
        ("root.elf a b", b"root"),
        ("pager.elf", b"pager"),
    ]
    assert content.command_line == "kernel.elf quiet"


def test_a_system_for_aarch64_is_packed_as_an_arm64_image(system, tmp_path, make_elf):
    kernel = make_elf((0x4008_0000, bytes(64), None, None), bits=64, machine=183)
    (tmp_path / "bin" / "kernel.elf").write_bytes(kernel)
    system.write_text(f'arch = "aarch64"\n{SYSTEM}', encoding="utf-8")
    bootimage.pack(system, tmp_path / "image")
    found = bootimage.inspect(tmp_path / "image")
    assert (found.kind, found.machine) == ("packed image", "AArch64")
    assert [module.command_line for module in found.modules] == ["root.elf a b", "pager.elf"]
    assert found.command_line == "quiet"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kernel = ", "not a system file in TOML"),
        ("", "the key 'kernel' is missing"),
        ("kernel = 'k'\narch = 'arm'", "arch is 'arm'; known are x86_64, aarch64"),
        ("kernel = 3", "kernel must be a non-empty string"),
        ("kernel = ''", "kernel must be a non-empty string"),
        ("kernel = 'k'\nmodule = 'm'", "module is not a list of tables"),
        ("kernel = 'k'\nmodule = ['m']", "module 1: is not a table"),
        ("kernel = 'k'\n[[module]]\nargs = 'a'", "module 1: the key 'file' is missing"),
        (
            "kernel = 'k'\n[[module]]\nfile = 'm'\n[[module]]\nfile = 'm'\nargs = 1",
            "module 2: args must be a string",
        ),
        ("kernel = 'k'\nkernal = 'k'", "unknown key 'kernal'; known are arch, command_line, kernel, module"),
        ("kernel = 'k'\n[[module]]\nfile = 'm'\narg = 'a'", "module 1: unknown key 'arg'"),
    ],
)
def test_a_wrong_system_file_is_refused_by_its_key(tmp_path, text, words):
    path = tmp_path / "system.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ImageError) as caught:
        bootimage.read_system(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert words in str(caught.value)


def test_a_system_file_that_is_not_text_is_refused(tmp_path):
    path = tmp_path / "system.toml"
    path.write_bytes(b"\xff\xfe\0")
    with pytest.raises(ImageError, match=r"not a system file in TOML: it is not text$"):
        bootimage.read_system(path)


def test_a_missing_module_is_named_and_nothing_is_written(system, tmp_path):
    (tmp_path / "pager.elf").unlink()
    with pytest.raises(ImageError, match=r"pager.elf: cannot be read: No such file or directory$"):
        bootimage.pack(system, tmp_path / "image")
    assert not (tmp_path / "image").exists()


@pytest.mark.parametrize("name", ["system.toml", "bin/kernel.elf", "pager.elf"])
def test_what_is_packed_is_never_overwritten(system, tmp_path, name):
    before = (tmp_path / name).read_bytes()
    with pytest.raises(ImageError, match=f"{name}: is one of the files to be packed"):
        bootimage.pack(system, tmp_path / name)
    assert (tmp_path / name).read_bytes() == before


def test_a_kernel_for_an_architecture_that_was_not_said_is_told_how_to_say_it(system, tmp_path, make_elf):
    kernel = make_elf((0x4008_0000, bytes(64), None, None), bits=64, machine=183)
    (tmp_path / "bin" / "kernel.elf").write_bytes(kernel)
    with pytest.raises(ImageError, match=r'a kernel for aarch64; say so in .*toml: arch = "aarch64"$'):
        bootimage.pack(system, tmp_path / "image")


def test_a_full_disk_leaves_the_old_file_and_no_other(system, tmp_path, monkeypatch):
    target = tmp_path / "out" / "image"
    target.parent.mkdir()
    target.write_bytes(b"old")

    monkeypatch.setattr(files.os, "fdopen", OnAFullDisk)
    with pytest.raises(ImageError, match=r"out/image: cannot be written: No space left on device$"):
        bootimage.pack(system, target)
    assert [path.name for path in target.parent.iterdir()] == ["image"]
    assert target.read_bytes() == b"old"


def test_an_output_folder_that_does_not_exist_is_named(system, tmp_path):
    with pytest.raises(ImageError, match=r"none/image: cannot be written: No such file or directory$"):
        bootimage.pack(system, tmp_path / "none" / "image")


def test_the_image_is_readable_by_others_as_the_umask_allows(system, tmp_path):
    bootimage.pack(system, tmp_path / "image")
    plain = tmp_path / "plain"
    plain.write_bytes(b"")
    assert (tmp_path / "image").stat().st_mode == plain.stat().st_mode
