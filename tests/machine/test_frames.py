# SPDX-License-Identifier: GPL-2.0-or-later
"""Backtraces at every instruction of a C program, held against the calls that were seen to be made."""

from __future__ import annotations

import pytest

from ringscope.bootimage import BootRequest
from ringscope.bootimage.arm64_image import wrap_arm64
from ringscope.bootimage.container import wrap
from ringscope.emulator.debug import registers as names
from ringscope.emulator.debug.control import Control, Why
from ringscope.emulator.debug.disassembly import LONGEST, instructions
from ringscope.emulator.debug.programs import Programs
from ringscope.emulator.debug.unwind import Unwinder
from ringscope.emulator.machine import Machine, MachineConfig
from ringscope.tools.build.compiler import build_program, guest_program
from tests.guest.catalogue import HERE, TOOLCHAINS

#: With call-frame information and no frame pointers; with these alone. 32-bit code too.
KINDS = {"call frames": ("-fomit-frame-pointer",), "frame pointer": ("-g0",)}
ARCHITECTURES = ("x86_64", "i386", "aarch64")


@pytest.fixture(params=[(arch, how) for arch in ARCHITECTURES for how in KINDS], ids="-".join)
def program(request, build_folder):
    """The program, built for one architecture in one way, on its machine and about to begin."""
    arch, how = request.param
    tools = TOOLCHAINS[arch]
    sources = (*(f"{HERE}/lib/{name}" for name in tools.library), "tests/machine/frames/frames.c")
    elf = build_program(
        guest_program(
            output=f"frames-{arch}-{how.replace(' ', '-')}.elf",
            sources=sources,
            flags=(*tools.flags, *KINDS[how]),
            script=f"{HERE}/lib/{arch}/link.ld",
            include=(f"{HERE}/lib/{arch}", f"{HERE}/lib", "emulator/guest"),
        ),
        build_folder,
    )
    data = elf.read_bytes()
    if arch != "i386":
        elf = elf.with_suffix(".img")
        elf.write_bytes(wrap_arm64(data) if arch == "aarch64" else wrap(data, [], name="frames"))
    machine = Machine(MachineConfig(arch="aarch64" if arch == "aarch64" else "x86_64"), lambda _: None)
    image = machine.system.read_image(BootRequest(elf))
    machine.load(image)
    programs = Programs(image.kernel_elf, [])
    control = Control(machine)
    place = control.add_breakpoint(programs.find("guest_main")[0].address)
    assert control.resume().why is Why.BREAKPOINT
    control.remove(place)
    yield machine, programs, how
    machine.engine.close()


def test_at_every_instruction_the_backtrace_is_the_calls_that_were_made(program):
    machine, programs, how = program
    engine = machine.engine
    unwinder = Unwinder(engine, programs, lambda _: None, None)
    calls, deepest, found = ["guest_main"], 0, set()
    while True:
        instruction = executed_next(engine)
        machine.step()
        if instruction.text.startswith("ret"):
            calls.pop()
        elif instruction.is_call:
            calls.append("")
        if not calls:
            break
        calls[-1] = function(engine, programs)
        frames = unwinder.backtrace()
        told = [programs.describe(frame.looked_up, None, user=False).partition("+")[0] for frame in frames]
        assert told[: len(calls)] == calls[::-1], hex(engine.pc)
        found |= {frame.how for frame in frames[2 : len(calls)]}
        deepest = max(deepest, len(calls))
    assert found == {how}
    assert deepest >= len(("guest_main", "again", "keeping", "large", "small", "leaf"))


def executed_next(engine):
    """The instruction that the next step executes."""
    bits = 8 * names.in_force(engine).word
    code = engine.read_virtual(engine.pc, LONGEST[engine.arch])
    return next(instructions(engine.arch, bits, code, engine.pc))


def function(engine, programs):
    """The function that the next instruction is in."""
    return (programs.describe(engine.pc, None, user=False) or "?").partition("+")[0]
