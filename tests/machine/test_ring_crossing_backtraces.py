# SPDX-License-Identifier: GPL-2.0-or-later
"""Under a kernel that nobody knows: where user mode was left, from what the processor itself keeps."""

from __future__ import annotations

from ringscope.emulator.debug.programs import Programs
from ringscope.emulator.debug.unwind import Unwinder

NOBODY = Programs(None, [])


def frames(rig):
    return Unwinder(rig.engine, NOBODY, lambda _: None, None).backtrace()


def enter_user_mode_x86(rig, source):
    """Go to ring 3 at USER_CODE by IRETQ and to the end of what is there."""
    snippets = rig.snippets
    end = rig.place(snippets.USER_CODE, source)
    rig.place(
        snippets.CODE,
        f"push {snippets.USER_SS}; push {snippets.USER_STACK}; push 0x202; push {snippets.USER_CS};"
        f"push {snippets.USER_CODE}; iretq",
    )
    rig.begin()
    return end


def test_under_an_x86_exception_lies_the_frame_that_the_processor_pushed(rig):
    snippets = rig.snippets
    rig.handler(6, "push rax; push rbx; nop; iretq")
    fault = enter_user_mode_x86(rig, "mov ebp, 0x1234")
    rig.place(fault, "ud2")
    handler = snippets.HANDLERS + 6 * 0x40
    for address in (handler, handler + 1, handler + 2):
        rig.run_to(address)
        kernel, user = frames(rig)
        assert (kernel.address, kernel.user) == (address, False)
        assert (user.address, user.user, user.how) == (fault, True, "ring crossing")
        assert user.registers["rsp"] == snippets.USER_STACK
        assert user.registers["rbp"] == 0x1234


def test_at_the_entry_of_an_x86_system_call_user_mode_is_in_rcx(rig):
    snippets = rig.snippets
    entry = snippets.CODE + 0x800
    rig.place(entry, "hlt")
    after = enter_user_mode_x86(rig, "syscall")
    rig.place(
        snippets.CODE,
        f"mov ecx, 0xc0000082; mov eax, {entry}; xor edx, edx; wrmsr;"
        "mov ecx, 0xc0000081; mov edx, 0x180008; xor eax, eax; wrmsr;"
        f"push {snippets.USER_SS}; push {snippets.USER_STACK}; push 0x202; push {snippets.USER_CS};"
        f"push {snippets.USER_CODE}; iretq",
    )
    rig.run_to(entry)
    assert [frame.address for frame in frames(rig)] == [entry, after]
    assert frames(rig)[1].registers["rsp"] == snippets.USER_STACK


def test_before_the_first_user_code_nothing_lies_under_the_kernel(either):
    either.begin()
    assert [frame.user for frame in frames(either)] == [False]


def test_under_an_aarch64_exception_lies_what_elr_and_sp_el0_say(arm):
    snippets = arm.snippets
    vector = snippets.VECTORS + snippets.USER_SYNC
    arm.place(vector, "nop; eret")
    after = arm.place(snippets.USER_CODE, "movz x29, #0x1230; svc #0")
    arm.place(
        snippets.CODE,
        f"set x1, {snippets.USER_STACK}; msr sp_el0, x1; set x1, {snippets.USER_CODE}; msr elr_el1, x1;"
        "mov x1, #0; msr spsr_el1, x1; eret",
    )
    arm.begin()
    arm.run_to(vector)
    kernel, user = frames(arm)
    assert (kernel.address, kernel.user) == (vector, False)
    assert (user.address, user.user) == (after, True)
    assert (user.registers["sp"], user.registers["x29"]) == (snippets.USER_STACK, 0x1230)
