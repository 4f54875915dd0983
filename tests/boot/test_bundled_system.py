# SPDX-License-Identifier: GPL-2.0-or-later
"""Our kernel and servers, brought by every loader there is, tell the same story."""

from __future__ import annotations

import pytest

from ringscope.bootimage.container import wrap
from ringscope.bootimage.system import pack, read_system
from ringscope.tools.build import guest
from ringscope.tools.build.compiler import ROOT

SYSTEM = ROOT / "bootimage" / "systems" / "default.toml"
ARM_SYSTEM = ROOT / "bootimage" / "systems" / "default-aarch64.toml"
STORY = (ROOT / "tests" / "guest" / "system" / "default_console.txt").read_text(encoding="utf-8").splitlines()
TIMEOUT_SECONDS = 120
SUCCESS = 1  # QEMU's status for a 0 that the guest wrote to its exit port


@pytest.fixture(scope="module")
def system():
    guest.build(ROOT / "build")
    return read_system(SYSTEM)


def check(result, *, memory_is_said=True):
    said = result.output.splitlines()
    skip = 0 if memory_is_said else 1
    assert said[skip:] == STORY[skip:], result.output + result.complaints
    assert result.status == SUCCESS


@pytest.mark.usefixtures("system")
def test_qemu_for_aarch64_boots_the_packed_system(run_qemu_arm64, tmp_path):
    """But for the size of memory and the console's devices it tells the same story; power-off is status 0."""
    guest.build(ROOT / "build", guest.ARCHITECTURES["aarch64"])
    pack(ARM_SYSTEM, tmp_path / "system.img")
    result = run_qemu_arm64(["-m", "64M", "-kernel", tmp_path / "system.img"], TIMEOUT_SECONDS)
    said = result.output.splitlines()
    differing = [here for here, there in zip(said, STORY, strict=True) if here != there]
    assert differing == [
        said[0],
        "root: started console, priority 20, device memory 9000000-9000fff, interrupt line 1",
    ]
    assert result.status == 0


@pytest.mark.usefixtures("system")
def test_qemu_boots_the_packed_system(run_qemu, tmp_path):
    pack(SYSTEM, tmp_path / "system.img")
    check(run_qemu(["-m", "64M", "-kernel", tmp_path / "system.img"], TIMEOUT_SECONDS, console="serial"))


def test_qemu_boots_the_kernel_with_a_list_of_modules(system, run_qemu, tmp_path):
    (tmp_path / "kernel").write_bytes(wrap(system.kernel.read_bytes()))
    lines = []
    for module in system.modules:
        (tmp_path / module.path.name).write_bytes(module.path.read_bytes())
        lines.append(module.command_line.replace(",", ",,"))  # a single comma ends a module's line
    arguments = ["-m", "64M", "-kernel", tmp_path / "kernel", "-initrd", ",".join(lines)]
    check(run_qemu(arguments, TIMEOUT_SECONDS, console="serial", folder=tmp_path))


@pytest.mark.parametrize("protocol", ["multiboot", "multiboot2"])
def test_grub_boots_the_unpacked_kernel_by_either_protocol(system, run_qemu, make_iso, tmp_path, protocol):
    files = {"kernel": system.kernel.read_bytes()}
    command = "module" if protocol == "multiboot" else "module2"
    lines = [f"{protocol} /boot/kernel"]
    for module in system.modules:
        name, _, arguments = module.command_line.partition(" ")
        files[name] = module.path.read_bytes()
        lines.append(f"{command} /boot/{name} {arguments}")
    iso = make_iso(tmp_path, files, lines)
    result = run_qemu(["-m", "64M", "-cdrom", iso], TIMEOUT_SECONDS, console="serial")
    check(result, memory_is_said=False)  # GRUB puts modules elsewhere, which leaves another amount free
