# SPDX-License-Identifier: GPL-2.0-or-later
"""One arm64 Image boots by QEMU's loader and by ours, and a kernel hears the same from both."""

from __future__ import annotations

from pathlib import Path

import pytest
import unicorn
from unicorn import arm64_const as arm64

from ringscope import bootimage
from ringscope.bootimage import BootRequest, MemoryLayout, MemoryRegion, ModuleSpec
from ringscope.tools.build import compiler

KERNELS = Path(__file__).with_name("kernels")
RAM, SIZE = 0x4000_0000, 64 << 20
LAYOUT = MemoryLayout(SIZE, (MemoryRegion(RAM, SIZE, 1),))
UART = 0x0900_0000
MODULES = (
    ("first.bin one two", b"content of the first"),
    ("nothing.bin", b""),
    ("second.bin", b"content of the second"),
)
STATE = ["ok EL1", "ok MMU and caches off", "ok bss", "ok device tree", "ok device tree in 2 MiB"]
EL1_MASKED = 0x3C5  # PSTATE: EL1h, DAIF set


@pytest.fixture(scope="module")
def report(build_folder):
    """The ELF file of a kernel that says what its loader told it."""
    program = compiler.guest_program(
        output="boot/report.arm64.elf",
        sources=(str(KERNELS / "report_arm64.S"), str(KERNELS / "report_arm64.c")),
        flags=("-target", "aarch64-freestanding-none", "-mgeneral-regs-only", "-mstrict-align"),
        script=str(KERNELS / "arm64.ld"),
    )
    return compiler.build_program(program, build_folder)


@pytest.fixture
def image(report, tmp_path):
    path = tmp_path / "image"
    path.write_bytes(bootimage.wrap_arm64(report.read_bytes(), MODULES, "packed line"))
    return path


@pytest.fixture(scope="module")
def device_tree(tmp_path_factory, run_qemu_arm64):
    """The device tree of QEMU's own board, which has room for nothing of ours."""
    path = tmp_path_factory.mktemp("virt") / "virt.dtb"
    run_qemu_arm64(["-M", f"virt,dumpdtb={path}", "-m", "64M"], 60)
    return path.read_bytes()


def run_bare(loaded):
    """Enter what was loaded on the bare engine, and return what it said until it asked to be switched off."""
    engine = unicorn.Uc(unicorn.UC_ARCH_ARM64, unicorn.UC_MODE_ARM)
    engine.mem_map(RAM, SIZE)
    engine.mem_write(RAM, b"\xcc" * SIZE)  # memory that nobody wrote is not zero
    for address, content in loaded.writes:
        engine.mem_write(address, content)
    said = bytearray()
    engine.mmio_map(UART, 4096, None, None, lambda _uc, _at, _size, value, _data: said.append(value), None)
    engine.hook_add(unicorn.UC_HOOK_INTR, lambda uc, _number, _data: uc.emu_stop())
    engine.reg_write(arm64.UC_ARM64_REG_PSTATE, EL1_MASKED)
    engine.reg_write(arm64.UC_ARM64_REG_X0, loaded.x0)
    engine.emu_start(loaded.entry, 0, count=1_000_000)
    return said.decode().splitlines()


def told(*modules, line):
    said = ["table:", line]
    for module_line, content in modules:
        said += ["module:", module_line, content.decode()]
    return [*said, "ok bounds", "done"]


def test_a_packed_image_boots_in_qemu_with_its_modules_and_line(image, run_qemu_arm64):
    result = run_qemu_arm64(["-kernel", image], 60)
    assert result.output.splitlines() == [*STATE, *told(*MODULES, line="packed line")]
    assert result.status == 0


def test_a_command_line_given_to_qemu_arrives_beside_the_packed_one(image, run_qemu_arm64):
    result = run_qemu_arm64(["-kernel", image, "-append", "a b"], 60)
    assert result.output.splitlines() == [*STATE, "bootargs:", "a b", *told(*MODULES, line="packed line")]


@pytest.mark.parametrize("ram", ["32M", "1G", "4G"])
def test_a_packed_image_boots_in_qemu_whatever_the_size_of_ram(image, run_qemu_arm64, ram):
    result = run_qemu_arm64(["-kernel", image, "-m", ram], 60)
    assert result.output.splitlines() == [*STATE, *told(*MODULES, line="packed line")]


def test_an_initrd_given_to_qemu_arrives_beside_the_modules(image, run_qemu_arm64, tmp_path):
    (tmp_path / "initrd").write_bytes(b"files")
    result = run_qemu_arm64(["-kernel", image, "-initrd", tmp_path / "initrd"], 60)
    assert result.output.splitlines() == [*STATE, "initrd:", "files", *told(*MODULES, line="packed line")]


def test_our_loader_says_the_same_as_qemu(image, run_qemu_arm64, device_tree):
    loaded = bootimage.load_arm64(BootRequest(image), LAYOUT, lambda *_: device_tree)
    assert run_bare(loaded) == run_qemu_arm64(["-kernel", image], 60).output.splitlines()


def test_an_elf_kernel_gets_the_modules_from_our_loader(report, device_tree, tmp_path):
    specs = []
    for line, content in MODULES:
        path = tmp_path / line.partition(" ")[0]
        path.write_bytes(content)
        specs.append(ModuleSpec(path, line))
    loaded = bootimage.load_arm64(BootRequest(report, tuple(specs)), LAYOUT, lambda *_: device_tree)
    assert run_bare(loaded) == [*STATE, *told(*MODULES, line="")]


def test_an_elf_kernel_without_modules_has_no_table(report, device_tree):
    loaded = bootimage.load_arm64(BootRequest(report), LAYOUT, lambda *_: device_tree)
    assert run_bare(loaded) == [*STATE, "done"]
