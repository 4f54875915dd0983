# SPDX-License-Identifier: GPL-2.0-or-later
"""Other people's kernels boot: each shares no code with anything here and knows only the specifications."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.guest import catalogue
from tests.guest.machines import MACHINES, Ringscope, need
from tests.guest.qemu_monitor import WatchedQemu
from tests.guest.system.virt import QemuVirt
from tests.machine import command_line

if TYPE_CHECKING:
    from pathlib import Path

LIMIT_CYCLES = 20_000_000_000
TYPED = "Hello, ring 0!\nand a second line.\n\x1b"
SCREEN_END = [
    "a line of eighty characters is followed by the next one without an empty line...",
    "the end",
]
GRUB_MENU = """set timeout=0
menuentry "kernel" {
    multiboot2 /boot/kernel.elf first second
    module2 /boot/module.txt a module
}
"""
MODULE = "the module's content\n"


@pytest.fixture
def watched_qemu() -> type[WatchedQemu]:
    need(MACHINES["qemu"])
    return WatchedQemu


def ringscope(image: Path, *options: str, typed: str = "") -> tuple[str, int]:
    """Boot ``image`` on our machine; return its output and the command's exit status."""
    need(MACHINES["ringscope"])
    words = [*Ringscope.words("-kernel", str(image), limit_cycles=LIMIT_CYCLES), *options]
    said = command_line.ringscope(*words, typed=typed.encode(), timeout=120)
    return said.out, said.status


def grub_image(kernel: Path, folder: Path) -> Path:
    """Return a bootable CD image whose GRUB loads ``kernel`` by Multiboot 2, with one module."""
    for program in ("grub-mkrescue", "xorriso"):
        if shutil.which(program) is None:
            (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{program} is not installed")
    tree = folder / "tree"
    (tree / "boot" / "grub").mkdir(parents=True)
    shutil.copy(kernel, tree / "boot" / "kernel.elf")
    (tree / "boot" / "module.txt").write_text(MODULE, encoding="ascii")
    (tree / "boot" / "grub" / "grub.cfg").write_text(GRUB_MENU, encoding="ascii")
    image = folder / "cd.iso"
    subprocess.run(["grub-mkrescue", "-o", str(image), str(tree)], check=True, capture_output=True)
    return image


def test_thirty_lines_of_assembly_say_hello_in_qemu(watched_qemu: type[WatchedQemu], tmp_path: Path) -> None:
    with watched_qemu(tmp_path, "-kernel", str(catalogue.build_foreign("tiny"))) as qemu:
        qemu.wait_for_halt()
        assert qemu.said() == "Hello from thirty lines of assembly.\n"


def test_thirty_lines_of_assembly_say_hello_here() -> None:
    said, status = ringscope(catalogue.build_foreign("tiny"))
    assert (said, status) == ("Hello from thirty lines of assembly.\n", 0)


def test_a_kernel_that_writes_only_to_the_screen_is_seen_in_qemu(
    watched_qemu: type[WatchedQemu], tmp_path: Path
) -> None:
    with watched_qemu(tmp_path, "-kernel", str(catalogue.build_foreign("teletype"))) as qemu:
        qemu.wait_for_halt()
        assert qemu.screen()[-4:] == ["line 29", "line 30", *SCREEN_END]
        assert qemu.said() == ""


def test_a_kernel_that_writes_only_to_the_screen_is_seen_here() -> None:
    said, status = ringscope(catalogue.build_foreign("teletype"))
    lines = [line.rstrip() for line in said.splitlines()]
    assert lines[0] == "teletype: nothing but a screen"
    assert lines[2:] == [*(f"line {n}" for n in range(1, 31)), *SCREEN_END]
    assert status == 0


def test_what_is_typed_reaches_a_kernel_with_4_mib_pages_in_qemu(
    watched_qemu: type[WatchedQemu], tmp_path: Path
) -> None:
    with watched_qemu(tmp_path, "-kernel", str(catalogue.build_foreign("typist"))) as qemu:
        qemu.wait_for("typist ready")
        qemu.type_text(TYPED[:-1])
        qemu.wait_for("second line.\n")
        screen = qemu.screen()
        qemu.type_text(TYPED[-1:])
        assert qemu.wait_for_end() == 0
        assert "Hello, ring 0!" in screen
        assert qemu.said().splitlines()[1:] == [
            "you typed: Hello, ring 0!",
            "you typed: and a second line.",
            "bye",
        ]


def test_what_is_typed_reaches_a_kernel_with_4_mib_pages_here() -> None:
    said, status = ringscope(catalogue.build_foreign("typist"), typed=TYPED)
    for line in ("typist ready", "you typed: Hello, ring 0!", "you typed: and a second line.", "bye"):
        assert line in said
    assert "still on" not in said
    assert status == 0


def tags(said: str) -> list[str]:
    """Return the lines that do not depend on the loader."""
    return [line for line in said.splitlines() if not line.startswith("#")]


TAGS = {
    "magic: 0x36d76289",
    "information aligned: 0x1",
    "lower memory in KiB: 0x258",
    "map: version 0x0",
    "map: entry size 0x18",
    "map: usable memory from 1 MiB on",
    "module: page offset 0x0",
    MODULE.strip(),
    f"module: size {len(MODULE):#x}",
    "end",
}


def test_a_multiboot_2_kernel_walks_its_tags_in_qemu(watched_qemu: type[WatchedQemu], tmp_path: Path) -> None:
    image = grub_image(catalogue.build_foreign("tagwalker"), tmp_path)
    with watched_qemu(tmp_path, "-cdrom", str(image)) as qemu:
        assert qemu.wait_for_end() == 1  # it wrote 0 to the exit port
        said = tags(qemu.said())
        assert set(said) >= TAGS
        assert said[-1] == "end"
        assert "command line: first second" in said
        assert "module: a module" in said


def test_a_multiboot_2_kernel_walks_its_tags_here(tmp_path: Path) -> None:
    (tmp_path / "module.txt").write_text(MODULE, encoding="ascii")
    said, status = ringscope(
        catalogue.build_foreign("tagwalker"),
        *("-append", "first second", "-initrd", f"{tmp_path / 'module.txt'} a module"),
    )
    assert set(tags(said)) >= TAGS
    assert tags(said)[-1] == "end"
    assert status == 0


def test_two_ring_3_tasks_take_turns_under_pae_in_qemu(
    watched_qemu: type[WatchedQemu], tmp_path: Path
) -> None:
    with watched_qemu(tmp_path, "-kernel", str(catalogue.build_foreign("pae_tasks"))) as qemu:
        assert qemu.wait_for_end() == 1
        assert qemu.said() == "pae tasks\nababababab\nboth tasks are done\n"


def test_two_ring_3_tasks_take_turns_under_pae_here() -> None:
    said, status = ringscope(catalogue.build_foreign("pae_tasks"))
    assert (said, status) == ("pae tasks\nababababab\nboth tasks are done\n", 0)


HELLO_64 = "Hello from thirty lines for another processor.\n"


def qemu_virt(image: Path, *options: str, typed: tuple[tuple[str, str], ...] = ()) -> tuple[str, int | None]:
    """Boot ``image`` on QEMU's virt; return its output and status. ``typed`` is as in GuestProgram."""
    need(QemuVirt())
    outcome = QemuVirt.talk([*QemuVirt.command(image, "cortex-a57"), *options], typed)
    return outcome.text, outcome.status


def test_thirty_lines_for_aarch64_in_an_elf_file_say_hello_in_qemu() -> None:
    assert qemu_virt(catalogue.build_foreign("tiny64")) == (HELLO_64, 0)


def test_thirty_lines_for_aarch64_in_an_elf_file_say_hello_here() -> None:
    assert ringscope(catalogue.build_foreign("tiny64")) == (HELLO_64, 0)


PARROT = """parrot here
told: a b
given: the module's content

three ticks
say something
you said: Hello, EL1!
you said: and a second line.
bye
"""


@pytest.fixture
def parrot(tmp_path: Path) -> tuple[Path, str, str, str, str]:
    """A flat arm64 Image that finds its devices in the device tree, and the options with which to boot it."""
    (tmp_path / "module.txt").write_text(MODULE, encoding="ascii")
    return catalogue.build_foreign("parrot"), "-append", "a b", "-initrd", str(tmp_path / "module.txt")


def test_what_is_typed_reaches_a_flat_arm64_image_in_qemu(parrot: tuple[Path, str, str, str, str]) -> None:
    """It has the console by interrupt, and the timer; a line is typed when it has answered the one before."""
    typed = (
        ("say something", "Hello, EL1!\n"),
        ("you said: Hello, EL1!", "and a second line.\n"),
        ("you said: and a second line.", "bye\n"),
    )
    assert qemu_virt(*parrot, typed=typed) == (PARROT, 0)


def test_what_is_typed_reaches_a_flat_arm64_image_here(parrot: tuple[Path, str, str, str, str]) -> None:
    assert ringscope(*parrot, typed="Hello, EL1!\nand a second line.\nbye\n") == (PARROT, 0)
