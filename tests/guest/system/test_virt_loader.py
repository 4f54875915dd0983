# SPDX-License-Identifier: GPL-2.0-or-later
"""What the AArch64 kernel makes of a device tree and a table of modules, as QEMU hands them over."""

from __future__ import annotations

import re

import pytest

from ringscope.bootimage.arm64_image import wrap_arm64
from tests.guest.system import systems

MIB = 1 << 20
TIMEOUT_SECONDS = 60
#: For a kernel that stops for good.
PANIC_SECONDS = 5


def free_mib(said):
    return int(re.search(r"root: (\d+) MiB of memory are free", said)[1])


def boot(run, *arguments):
    result = run(["-kernel", systems.image("default", "aarch64"), *arguments], TIMEOUT_SECONDS)
    assert "root: every client has ended; power off" in result.output
    return result.output


@pytest.mark.parametrize("mib", [16, 64, 1024, 3072])
def test_all_of_memory_but_a_few_mebibytes_is_free(run_qemu_arm64, mib):
    assert mib - 8 <= free_mib(boot(run_qemu_arm64, "-m", f"{mib}M")) < mib


def test_memory_beyond_4_gib_stays_unused(run_qemu_arm64):
    said = [free_mib(boot(run_qemu_arm64, "-m", f"{mib}M")) for mib in (3072, 4096)]
    assert said[1] <= said[0]


def test_an_initrd_that_the_loader_brings_is_not_free(run_qemu_arm64, tmp_path):
    (tmp_path / "initrd").write_bytes(bytes(20 * MIB))
    without = free_mib(boot(run_qemu_arm64, "-m", "128M"))
    assert without - free_mib(boot(run_qemu_arm64, "-m", "128M", "-initrd", tmp_path / "initrd")) in {20, 21}


def panic_of(run, kernel):
    with pytest.raises(TimeoutError) as stopped:
        run(["-m", "128M", "-kernel", kernel], PANIC_SECONDS)
    return re.search(r"kernel panic: (.*) \(value", str(stopped.value))[1]


def test_a_kernel_without_a_root_server_says_so_and_stops(run_qemu_arm64, tmp_path):
    (tmp_path / "image").write_bytes(wrap_arm64(systems.programs("aarch64")["kernel"].read_bytes()))
    said = panic_of(run_qemu_arm64, tmp_path / "image")
    assert said == "the loader brings a root server as the first module; modules"


def test_a_kernel_without_a_device_tree_says_so_and_stops(run_qemu_arm64):
    """QEMU gives none to an ELF file."""
    said = panic_of(run_qemu_arm64, systems.programs("aarch64")["kernel"])
    assert said == "the loader brings a device tree, its address in x0; an arm64 Image gets one"
