# SPDX-License-Identifier: GPL-2.0-or-later
"""``ringscope image``: 0 and the answer, or 2 and one sentence."""

from __future__ import annotations

import argparse
import struct

import pytest

from ringscope import bootimage
from ringscope.bootimage import arm64_header
from ringscope.tools import image
from ringscope.tools.main import main

MIB = 1 << 20


@pytest.fixture
def command(capsys):
    """A function that runs ``ringscope ARGUMENTS`` and returns status, output and complaints."""

    def run(*arguments):
        parser = argparse.ArgumentParser()
        image.register(parser.add_subparsers(required=True))
        namespace = parser.parse_args(["image", *map(str, arguments)])
        status = namespace.func(namespace)
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


@pytest.fixture
def system(tmp_path, make_elf, multiboot1):
    (tmp_path / "kernel.elf").write_bytes(make_elf((MIB, multiboot1(), None, None), bits=64))
    (tmp_path / "root.elf").write_bytes(b"root")
    (tmp_path / "system.toml").write_text(
        'kernel = "kernel.elf"\n[[module]]\nfile = "root.elf"\nargs = "[bold] x"\n', encoding="ascii"
    )
    return tmp_path / "system.toml"


def test_pack_then_inspect_shows_the_module_and_its_line_as_written(command, system, tmp_path):
    status, said, complaints = command("pack", system, "-o", tmp_path / "image")
    assert (status, complaints) == (0, "")
    assert said == f"{tmp_path / 'image'}: {(tmp_path / 'image').stat().st_size} bytes\n"
    status, said, complaints = command("inspect", tmp_path / "image")
    assert (status, complaints) == (0, "")
    assert "packed image, ELF32 i386" in said
    assert "holds the kernel whole: ELF kernel, ELF64 x86-64" in said
    assert "root.elf [bold] x" in said
    assert not [line for line in said.splitlines() if line != line.rstrip()]


def test_inspect_shows_the_header_of_an_arm64_image(command, system, tmp_path, make_elf):
    kernel = make_elf((0x4008_0000, bytes(64), None, None), bits=64, machine=183)
    (tmp_path / "kernel.elf").write_bytes(kernel)
    system.write_text('arch = "aarch64"\n' + system.read_text(encoding="ascii"), encoding="ascii")
    assert command("pack", system, "-o", tmp_path / "image")[0] == 0
    status, said, complaints = command("inspect", tmp_path / "image")
    assert (status, complaints) == (0, "")
    assert "packed image, AArch64, " in said
    assert "arm64 Image header: text_offset 0x7f000, image_size 0x15000, pages: 4 KiB" in said
    assert "holds the kernel whole: ELF kernel, ELF64 AArch64" in said
    assert "root.elf [bold] x" in said


KINDS = ("ELF kernel", "flat kernel", "ELF program", "arm64 Image", "packed image")


@pytest.fixture(params=KINDS)
def file_of_a_kind(request, tmp_path, make_elf, multiboot1):
    """Each kind of file that can be inspected, and the kind."""
    place = struct.pack("<5I", MIB, MIB, 0, MIB + 0x2000, MIB + 32)
    kernel = make_elf((MIB, multiboot1(), None, None))
    data = {
        "ELF kernel": kernel,
        "flat kernel": multiboot1(1 << 16, place) + b"code",
        "ELF program": make_elf((0x400000, b"code", None, None), bits=64),
        "arm64 Image": arm64_header.build(0x14000010, 0, 0x1000, 0),
        "packed image": bootimage.wrap(kernel, ()),
    }[request.param]
    (tmp_path / "file").write_bytes(data)
    return tmp_path / "file", request.param


def test_inspect_prints_every_kind_of_file(command, file_of_a_kind):
    file, kind = file_of_a_kind
    status, said, complaints = command("inspect", file)
    assert (status, complaints) == (0, "")
    assert said.startswith(f"{file}: {kind}, ")
    assert "segments" in said


def test_bad_input_is_one_sentence_and_status_2(command, tmp_path):
    (tmp_path / "notes").write_bytes(b"some notes")
    status, said, complaints = command("inspect", tmp_path / "notes")
    assert (status, said) == (2, "")
    assert complaints == (
        f"ringscope: {tmp_path}/notes: neither an ELF file nor a Multiboot kernel; there is nothing to show\n"
    )


def test_a_bad_system_file_is_one_sentence_and_status_2(command, tmp_path):
    status, said, complaints = command("pack", tmp_path / "none.toml", "-o", tmp_path / "image")
    assert (status, said) == (2, "")
    assert complaints == f"ringscope: {tmp_path}/none.toml: cannot be read: No such file or directory\n"


def test_an_image_on_stdout_is_alone_there(system, tmp_path, capfdbinary):
    assert main(["image", "pack", str(system), "-o", str(tmp_path / "image")]) == 0
    capfdbinary.readouterr()
    assert main(["image", "pack", str(system), "-o", "/dev/stdout"]) == 0
    said = capfdbinary.readouterr()
    assert said.out == (tmp_path / "image").read_bytes()
    assert said.err.decode() == f"/dev/stdout: {len(said.out)} bytes\n"


def test_help_says_what_the_arguments_of_pack_are(command, capsys):
    with pytest.raises(SystemExit):
        command("pack", "--help")
    said = " ".join(capsys.readouterr().out.split())
    assert "kernel = FILE" in said
    assert "the image to write" in said
