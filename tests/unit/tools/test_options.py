# SPDX-License-Identifier: GPL-2.0-or-later
"""What the shared options mean."""

from __future__ import annotations

import argparse

import pytest

from ringscope.bootimage import bundled
from ringscope.tools.command_line import parse
from ringscope.tools.options import ARCHITECTURES, BootOptions, cycle_count, memory_size

MIB = 1 << 20


@pytest.mark.parametrize(
    ("text", "size"), [("64", 64 * MIB), ("64M", 64 * MIB), ("2g", 2 << 30), ("2048K", 2 * MIB)]
)
def test_a_memory_size_is_in_mebibytes_unless_it_says_otherwise(text, size):
    assert memory_size(text) == size


@pytest.mark.parametrize("text", ["", "M", "-64", "64 M", "1.5G", "64MB", "9" * 30])
def test_what_is_not_a_memory_size_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match="is not a size"):
        memory_size(text)


@pytest.mark.parametrize(("text", "cycles"), [("1", 1), ("10M", 10_000_000), ("2g", 2 * 10**9), ("5k", 5000)])
def test_cycles_are_counted_in_powers_of_a_thousand(text, cycles):
    assert cycle_count(text) == cycles


@pytest.mark.parametrize("text", ["", "0", "0G", "-1", "1.5M", "99999999T", "ten"])
def test_what_is_not_a_number_of_cycles_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match="is not a number of cycles"):
        cycle_count(text)


def options(*words):
    return BootOptions.of(parse(["boot", *words]))


def test_options_have_the_defaults_that_help_states():
    given = options("image")
    assert given.machine.ram_bytes == 64 * MIB
    assert (given.machine.cpu, given.machine.fidelity, given.machine.serial) == (None, "timing", True)
    assert (given.disk, given.disk_write, given.limit, given.exit_on) == (None, False, None, None)


def test_the_bundled_system_is_what_boots_unless_another_is_named(tmp_path, monkeypatch):
    image = tmp_path / "images" / "x86_64" / "default.img"
    image.parent.mkdir(parents=True)
    image.write_bytes(b"")
    monkeypatch.setattr(bundled, "HERE", tmp_path)
    assert options().request.kernel == image


def test_a_checkout_keeps_the_bundled_system_in_its_build_folder(tmp_path, monkeypatch):
    image = tmp_path / "build" / "images" / "x86_64" / "default.img"
    image.parent.mkdir(parents=True)
    image.write_bytes(b"")
    monkeypatch.setattr(bundled, "HERE", tmp_path / "bootimage")
    assert bundled.bundled_image("x86_64") == image


def test_an_unbuilt_system_is_said_with_how_to_build_it(tmp_path, monkeypatch):
    monkeypatch.setattr(bundled, "HERE", tmp_path)
    with pytest.raises(bundled.ImageError, match=r"is not built; run `make build`"):
        bundled.bundled_image("x86_64")


def test_a_packed_image_may_be_given_another_command_line():
    assert options("image", "-append", "quiet").request.command_line == "quiet"


def test_qemus_spellings_are_ours():
    assert options("image", "-serial", "none").machine.serial is False
    assert options("image", "-serial", "null").machine.serial is False
    assert options("image", "-nographic") == options("image")
    assert options("image", "-m128M").machine.ram_bytes == 128 * MIB


def test_help_offers_only_the_machines_that_there_are(capsys):
    with pytest.raises(SystemExit):
        parse(["boot", "--help"])
    assert f"--arch {'|'.join(ARCHITECTURES)}" in capsys.readouterr().out
    for arch in ARCHITECTURES:
        assert options("image", "--arch", arch).machine.arch == arch
