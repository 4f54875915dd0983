# SPDX-License-Identifier: GPL-2.0-or-later
"""Small kernels that read aloud what their loader told them, built as they are needed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import unicorn

from ringscope.tools.build import compiler

KERNELS = Path(__file__).with_name("kernels")
TARGETS = {32: compiler.X86_32, 64: compiler.X86_64_KERNEL}


@pytest.fixture(scope="session")
def small_kernel(build_folder):
    """A function (name, bits) that returns the built ELF file of a kernel in tests/boot/kernels."""

    def build(name, bits):
        program = compiler.guest_program(
            output=f"boot/{name}.{bits}.elf",
            sources=(str(KERNELS / f"{name}.S"),),
            flags=TARGETS[bits],
            script=str(KERNELS / "kernel.ld"),
        )
        return compiler.build_program(program, build_folder)

    return build


@pytest.fixture(scope="session")
def run_bare():
    """A function (LoadedImage, bytes of RAM) that enters the image on the bare engine.

    No machine stands between: only memory, the two ports, and the state that Multiboot promises. Returns the
    text and the values written to the exit port.
    """

    def run(image, ram):
        engine = unicorn.Uc(unicorn.UC_ARCH_X86, unicorn.UC_MODE_32)
        engine.mem_map(0, ram)
        engine.mem_write(0, b"\xcc" * ram)  # memory that nobody wrote is not zero
        for address, content in image.writes:
            engine.mem_write(address, content)
        said, status = bytearray(), []

        def out(_engine, port, _size, value, _data):
            if port == 0xE9:
                said.append(value)
            elif port == 0xF4:
                status.append(value)
                engine.emu_stop()

        engine.hook_add(unicorn.UC_HOOK_INSN, out, None, 1, 0, unicorn.x86_const.UC_X86_INS_OUT)
        engine.reg_write(unicorn.x86_const.UC_X86_REG_EAX, image.eax)
        engine.reg_write(unicorn.x86_const.UC_X86_REG_EBX, image.ebx)
        engine.emu_start(image.entry, 1 << 32, count=1_000_000)
        return said.decode(), status

    return run


@pytest.fixture(scope="session")
def make_iso(require_program):
    """A function (folder, files, commands) that returns a GRUB ISO running ``commands`` at once."""
    require_program("grub-mkrescue")
    require_program("xorriso")

    def make(folder, files, commands):
        boot = folder / "iso" / "boot"
        (boot / "grub").mkdir(parents=True)
        for name, content in files.items():
            (boot / name).write_bytes(content)
        (boot / "grub" / "grub.cfg").write_text("\n".join([*commands, "boot", ""]), encoding="ascii")
        iso = folder / "grub.iso"
        command = ["grub-mkrescue", "-o", str(iso), str(folder / "iso")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return iso

    return make
