# SPDX-License-Identifier: GPL-2.0-or-later
"""Every guest program: what it is built from, what it needs of a machine, and how it ends."""

from __future__ import annotations

import contextlib
import fcntl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from elftools.elf.elffile import ELFFile

from ringscope.bootimage.arm64_image import wrap_arm64
from ringscope.bootimage.container import wrap
from ringscope.tools.build.compiler import (
    AARCH64_KERNEL,
    ROOT,
    X86_32,
    X86_64_KERNEL,
    build_program,
    guest_program,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUILD = ROOT / "build"
HERE = "tests/guest"
COMMON = ("print.c", "report.c")
_OF_X86 = ("start.S", "vectors.S", "guard.S", "descriptors.c", "paging.c")
_OF_ARM = ("start.S", "vectors.S", "guard.S", "trap.c", "paging.c", "console.c", "chips.c")
_PORTS = ("chips.c", "console.c", "trap.c")

Ending = Literal["exit", "triple-fault"]
Arch = Literal["x86_64", "i386", "aarch64"]


@dataclass(frozen=True)
class Toolchain:
    """How programs for one architecture are built: compiler flags, and files below lib to link."""

    flags: tuple[str, ...]
    library: tuple[str, ...]


TOOLCHAINS: dict[Arch, Toolchain] = {
    "x86_64": Toolchain(X86_64_KERNEL, (*COMMON, *_PORTS, *(f"x86_64/{name}" for name in _OF_X86))),
    "i386": Toolchain(X86_32, (*COMMON, *_PORTS, *(f"i386/{name}" for name in _OF_X86))),
    "aarch64": Toolchain(AARCH64_KERNEL, (*COMMON, *(f"aarch64/{name}" for name in _OF_ARM))),
}


@dataclass(frozen=True)
class GuestProgram:
    """One bootable program.

    ``source`` and ``extra`` are paths below tests/guest. ``cpu`` is QEMU's model; ``disk`` asks for the
    prepared disk; ``typed`` has, for each line that the program waits with, what is typed then.
    ``limit_cycles`` bounds it on our machine.
    """

    name: str
    source: str
    arch: Arch = "x86_64"
    cpu: str = "qemu64"
    ending: Ending = "exit"
    disk: bool = False
    typed: tuple[tuple[str, str], ...] = ()
    limit_cycles: int = 2_000_000_000
    extra: tuple[str, ...] = ()
    command_line: str = ""


def _program(name: str, **needs: object) -> GuestProgram:
    return GuestProgram(name=name, source=f"programs/{name}.c", **needs)  # type: ignore[arg-type]  # as declared


def _arm(name: str, *, folder: str = "programs", **needs: object) -> GuestProgram:
    """Return an AArch64 program; its name begins with the architecture, and so does its file's."""
    source = f"{folder}/aarch64/{name}.c"
    return GuestProgram(f"aarch64/{name}", source, "aarch64", "cortex-a57", **needs)  # type: ignore[arg-type]  # as declared


#: Features such as SMEP, SMAP and 1 GiB pages are in QEMU's `max`; SYSENTER in 64-bit mode is Intel's alone.
INTEL = "max,vendor=GenuineIntel"

PROGRAMS = (
    _program("multiboot_entry"),
    _program("system_call"),
    _program("fast_entry", cpu=INTEL),
    _program("software_interrupt"),
    _program("exceptions"),
    _program("segment_faults"),
    _program("floating_point"),
    _program("alignment"),
    _program("page_fault"),
    _program("canonical"),
    _program("crossing_faults"),
    _program("double_fault"),
    _program("triple_fault", ending="triple-fault"),
    _program("pages", cpu=INTEL),
    _program("write_protect"),
    _program("supervisor_access", cpu=INTEL),
    _program("global_pages"),
    _program("process_context", cpu=INTEL),
    _program("self_modifying"),
    _program("two_spaces"),
    _program("pit_timer"),
    _program("local_apic"),
    _program("io_apic"),
    _program("interrupt_shadow"),
    _program("rtc", limit_cycles=40_000_000_000),  # it waits for the second to change, twice
    _program("serial_port"),
    _program("keyboard", typed=(("ready for the PIC", "aB"), ("ready for the I/O APIC", "aB"))),
    _program("disk", disk=True),
    _program("io_permission"),
    _program("firmware_tables"),
    _program("cpuid_truth"),
    _program("segment_bases"),
    _program("single_step"),
    _program("interrupted_user"),
    _program("gates32", arch="i386"),
    _program("task_gate", arch="i386"),
    _program("paging32", arch="i386"),
    _program("paging_pae", arch="i386"),
    _program("fast_entry32", arch="i386"),
    _program("ledger_tlb", extra=("programs/ledger_tlb.S",)),
    _program("ledger_same_address", extra=("programs/ledger_same_address.S",)),
    _program("ledger_marks", extra=("programs/ledger_marks.S",)),
    _program("ledger_strings", extra=("programs/ledger_strings.S",)),
    # Made to be measured; here they are only short. `throughput` takes 1000 million instructions by default.
    GuestProgram(
        name="throughput",
        source="bench/throughput.c",
        extra=("bench/visits.S",),
        command_line="millions=5",
    ),
    GuestProgram(name="crossings", source="bench/crossings.c"),
    _arm("entry_state"),
    _arm("system_call"),
    _arm("exceptions"),
    _arm("page_fault"),
    _arm("canonical"),
    _arm("pages"),
    _arm("global_pages"),
    _arm("process_context"),
    _arm("write_protect"),
    _arm("alignment"),
    _arm("two_spaces"),
    _arm("self_modifying"),
    _arm("floating_point", extra=("programs/aarch64/floating_point.S",)),
    _arm("single_step"),
    _arm("interrupted_user"),
    _arm("ledger_tlb", extra=("programs/aarch64/ledger_tlb.S",)),
    _arm("ledger_same_address", extra=("programs/aarch64/ledger_same_address.S",)),
    _arm("ledger_marks", extra=("programs/aarch64/ledger_marks.S",)),
    _arm("ledger_copies", extra=("programs/aarch64/ledger_copies.S",)),
    # AArch64's board.
    _arm("generic_timer"),
    _arm("interrupt_controller"),
    _arm("interrupt_wait"),
    _arm(
        "serial_port",
        typed=(
            ("ready to be polled", "a"),
            ("ready for an interrupt without FIFOs", "b"),
            ("ready for an interrupt with FIFOs", "c"),
        ),
    ),
    _arm("rtc", limit_cycles=40_000_000_000),  # it waits for the second to change, some times
    _arm("disk", disk=True),
    _arm("firmware_calls"),
    _arm("device_tree", limit_cycles=10_000_000_000),  # and here for a second to pass
    _arm(
        "throughput",
        folder="bench",
        extra=("bench/aarch64/visits.S",),
        command_line="millions=5",
    ),
    _arm("crossings", folder="bench"),
)


def by_name(name: str) -> GuestProgram:
    """Return the program called ``name``; raises KeyError."""
    return {program.name: program for program in PROGRAMS}[name]


def build_bench() -> None:
    """Compile what is made to be measured, for every architecture."""
    for program in PROGRAMS:
        if program.source.startswith("bench/"):
            build(program)


@dataclass(frozen=True)
class ForeignKernel:
    """A kernel as a stranger would have written it: its folder has all it needs.

    A ``flat`` one is what its linker's output is in memory, without the ELF file around it.
    """

    name: str
    sources: tuple[str, ...]
    script: str
    flags: tuple[str, ...] = X86_32
    flat: bool = False


#: With the MMU off all memory is Device memory, which takes no unaligned access.
ARM_WITHOUT_MMU = ("-target", "aarch64-freestanding-none", "-mgeneral-regs-only", "-mstrict-align")

FOREIGN = (
    ForeignKernel("tiny", ("tiny.S",), "tiny.ld"),
    ForeignKernel("teletype", ("boot.S", "teletype.c"), "link.ld"),
    ForeignKernel("typist", ("entry.S", "typist.c", "power.c"), "typist.ld"),
    ForeignKernel("tagwalker", ("head.S", "walk.c"), "tagwalker.ld"),
    ForeignKernel("pae_tasks", ("start.S", "kernel.c"), "kernel.lds"),
    ForeignKernel("tiny64", ("tiny64.S",), "tiny64.ld", ARM_WITHOUT_MMU),
    ForeignKernel("parrot", ("head.S", "parrot.c", "tree.c"), "parrot.ld", ARM_WITHOUT_MMU, flat=True),
)


def build_foreign(name: str, folder: Path = BUILD) -> Path:
    """Compile the foreign kernel ``name`` and return the file to boot; raises BuildError."""
    kernel = {kernel.name: kernel for kernel in FOREIGN}[name]
    place = f"{HERE}/foreign/{name}"
    with _alone(folder):
        elf = build_program(
            guest_program(
                output=f"{place}.elf",
                sources=tuple(f"{place}/{source}" for source in kernel.sources),
                flags=kernel.flags,
                script=f"{place}/{kernel.script}",
            ),
            folder,
        )
        return _flatten(elf) if kernel.flat else elf


def _flatten(elf: Path) -> Path:
    """Write the one segment that ``elf`` loads as a file of its own, and return that."""
    flat = elf.with_suffix(".bin")
    with elf.open("rb") as file:
        (segment,) = (part for part in ELFFile(file).iter_segments() if part["p_type"] == "PT_LOAD")
        flat.write_bytes(segment.data())
    return flat


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep test processes that run side by side from building into one folder at once."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "guest.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def build(program: GuestProgram, folder: Path = BUILD) -> Path:
    """Compile ``program`` and return the image that loaders take; raises BuildError or ImageError."""
    with _alone(folder):
        return _build(program, folder)


def _build(program: GuestProgram, folder: Path) -> Path:
    tools = TOOLCHAINS[program.arch]
    output = f"{HERE}/{program.name}.elf"
    elf = build_program(
        guest_program(
            output=output,
            sources=tuple(
                f"{HERE}/{name}"
                for name in (*(f"lib/{name}" for name in tools.library), program.source, *program.extra)
            ),
            flags=tools.flags,
            script=f"{HERE}/lib/{program.arch}/link.ld",
            # An architecture's own header of a name hides the common one.
            include=(f"{HERE}/lib/{program.arch}", f"{HERE}/lib", "emulator/guest"),
        ),
        folder,
    )
    if program.arch == "i386":
        return elf
    image = elf.with_suffix(".img")
    if not image.exists() or image.stat().st_mtime_ns < elf.stat().st_mtime_ns:
        kernel = elf.read_bytes()
        packed = wrap_arm64(kernel) if program.arch == "aarch64" else wrap(kernel, [], name=program.name)
        partial = image.with_suffix(".partial")  # who is killed here leaves nothing that looks finished
        partial.write_bytes(packed)
        partial.replace(image)
    return image
