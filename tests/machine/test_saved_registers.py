# SPDX-License-Identifier: GPL-2.0-or-later
"""A processor that is given the registers of another one has them all, and does what they say."""

from __future__ import annotations

import contextlib
import itertools

import pytest

from ringscope.emulator.cpu.aarch64.saved_registers import SavedRegisters as ArmSavedRegisters
from ringscope.emulator.cpu.x86_64.saved_registers import SavedRegisters
from tests.machine.arm_rig import ArmRig
from tests.machine.arm_snippets import SAME_SYNC
from tests.machine.rig import Rig
from tests.machine.snippets import CODE

KERNEL = 0  # enum ring
#: Each of the registers that the guest can write, as far as one snippet goes.
X86 = """
    mov eax, 0x1234; movd xmm0, eax; movd xmm15, eax; pshufd xmm7, xmm0, 0
    fninit; fld1; fldpi; fld1; fmulp st(1), st
    push 0x1fa0; ldmxcsr [rsp]; pop rax; push 0x027f; fldcw [rsp]; pop rax
    mov ecx, 0xc0000102; mov eax, 0x5000; xor edx, edx; wrmsr
    mov ecx, 0xc0000101; mov eax, 0x6000; wrmsr; mov ecx, 0xc0000100; mov eax, 0x7000; wrmsr
    mov ecx, 0x277; mov eax, 0x00070406; mov edx, 0x00070406; wrmsr
    mov ecx, 0x174; mov eax, 0x1b; xor edx, edx; wrmsr; mov ecx, 0x175; mov eax, 0x4321; wrmsr
    mov eax, 0x8000; mov dr1, rax; mov eax, 0x9000; mov dr3, rax
    std; stc
"""
ARM = """
    mov x0, #0x300000; msr cpacr_el1, x0; isb
    movi v0.16b, #0x5a; movi v31.8h, #0x12; mov x1, #0x3000000; msr fpcr, x1; mov x1, #0x10; msr fpsr, x1
    mov x1, #0x77; msr tpidr_el0, x1; msr tpidr_el1, x1; msr tpidrro_el0, x1; msr contextidr_el1, x1
    msr afsr0_el1, x1; msr par_el1, x1; mov x2, #2; msr csselr_el1, x2; msr oslar_el1, xzr
    mov x1, #0x1000; msr dbgbvr1_el1, x1; msr dbgwvr2_el1, x1; msr sp_el0, x1; msr elr_el1, x1
    msr cntkctl_el1, x2; subs x3, x2, x2
"""
NAMED = {"x86_64": (Rig, SavedRegisters, X86), "aarch64": (ArmRig, ArmSavedRegisters, ARM)}
#: CNTHP_TVAL_EL2 and CNTPS_TVAL_EL1 read the host's clock; nothing of EL2 and EL3 can be reached by a guest.
HOST_CLOCK = {(3, 4, 14, 2, 0), (3, 7, 14, 2, 0)}


def pair(make):
    """Return two processors that have both been entered."""
    both = make(), make()
    for each in both:
        each.measure("nop")
    return both


def give(registers, engine, values) -> None:
    registers.write(values)
    engine.library.core_state_done(engine.core, KERNEL)


@pytest.mark.parametrize("arch", NAMED)
def test_all_registers_are_as_they_were_saved(arch: str) -> None:
    make, registers, snippet = NAMED[arch]
    rig, other = make(), make()
    fresh = registers(other.engine).read()
    rig.measure(snippet)
    values = registers(rig.engine).read()
    assert sum(values[name] != fresh[name] for name in values) > 15
    give(registers(other.engine), other.engine, values)
    assert registers(other.engine).read() == values
    for each in (rig, other):
        each.close()


def system_registers(engine) -> dict[tuple[int, ...], int]:
    """Return every system register that the engine has a field or a function for, but for counters."""
    found = {}
    for encoding in itertools.product((2, 3), range(8), range(16), range(16), range(8)):
        is_counter = encoding[2] == 9 or encoding[1:3] == (3, 14) or encoding in HOST_CLOCK
        if not is_counter:
            with contextlib.suppress(Exception):  # the engine's own, of a register that there is not
                found[encoding] = engine.system_register(encoding)
    return found


def test_no_system_register_is_left_out(monkeypatch) -> None:
    monkeypatch.setenv("UC_IGNORE_REG_BREAK", "1")  # or the engine says so on stderr
    rig, other = ArmRig(), ArmRig()
    before = system_registers(other.engine)
    rig.measure(ARM)
    give(ArmSavedRegisters(other.engine), other.engine, ArmSavedRegisters(rig.engine).read())
    after = system_registers(rig.engine)
    assert sum(after[name] != before[name] for name in after) > 10
    assert system_registers(other.engine) == after
    for each in (rig, other):
        each.close()


def test_an_exclusive_store_succeeds_where_the_load_was_saved_and_fails_where_it_was_not() -> None:
    rig, other = pair(ArmRig)
    place = rig.snippets.DATA
    load, store = f"mov x1, #{place}; ldxr x2, [x1]", f"mov x1, #{place}; stxr w3, x2, [x1]"
    rig.measure(f"clrex; {load}")
    loaded = ArmSavedRegisters(rig.engine).read()
    assert loaded["exclusive_address"] == place
    for values, failed in ((loaded, 0), ({**loaded, "exclusive_address": (1 << 64) - 1}, 1)):
        give(ArmSavedRegisters(other.engine), other.engine, values)
        other.measure(store)
        assert other.engine.register("x3") == failed
    for each in (rig, other):
        each.close()


def test_the_interrupt_shadow_is_saved() -> None:
    rig = Rig()
    registers = SavedRegisters(rig.engine)
    values = registers.read()
    for shadow in (1, 0):
        give(registers, rig.engine, values | {"interrupt_shadow": shadow})
        assert registers.read()["interrupt_shadow"] == shadow
    rig.close()


MARK = "mov r15d, 0x77; xor eax, eax; mov dr7, rax; iretq"


def test_a_breakpoint_of_the_guest_s_is_in_force_where_it_was_saved_and_only_there() -> None:
    rig, other = pair(Rig)
    for each in (rig, other):
        each.handler(1, MARK)
    place = CODE + 0x400
    rig.measure(f"mov eax, {place}; mov dr0, rax; mov eax, 0x401; mov dr7, rax")
    on, off = (SavedRegisters(each.engine).read() for each in (rig, other))
    for values, expected in ((on, 0x77), (off, 0), (on, 0x77)):
        give(SavedRegisters(other.engine), other.engine, off | {f"dr{n}": values[f"dr{n}"] for n in (0, 7)})
        other.write(place, bytes.fromhex("90c3"))  # nop; ret
        other.measure(f"xor r15d, r15d; mov eax, {place}; call rax")
        assert other.engine.register("r15") == expected
    for each in (rig, other):
        each.close()


def test_a_breakpoint_of_an_arm_guest_s_is_in_force_where_it_was_saved() -> None:
    rig, other = pair(ArmRig)
    for each in (rig, other):
        each.handler(SAME_SYNC, "mov x28, #0x77; msr mdscr_el1, xzr; eret")
    place = rig.snippets.CODE + 0x400
    rig.engine.set_register("x9", place)
    enable = "msr dbgbvr0_el1, x9; mov x1, #0x1e7; msr dbgbcr0_el1, x1"
    rig.measure(f"msr oslar_el1, xzr; {enable}; mov x2, #0xa000; msr mdscr_el1, x2; msr daifclr, #8; isb")
    give(ArmSavedRegisters(other.engine), other.engine, ArmSavedRegisters(rig.engine).read())
    other.write(place, bytes.fromhex("1f2003d5 c0035fd6"))  # nop; ret
    other.measure("mov x28, #0; blr x9")
    assert other.engine.register("x28") == 0x77
    for each in (rig, other):
        each.close()
