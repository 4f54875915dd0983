# SPDX-License-Identifier: GPL-2.0-or-later
"""Where user mode was left, while the processor is in the kernel: what lies under the kernel's frames.

Three sources, the better first. Our own kernel saves what user mode had into the running thread
(``our_kernel.py``). Any kernel on x86 has the frame that the processor pushed at the end of the stack that
its task-state segment names, and kernels that enter by SYSCALL build the same there. On AArch64 the
processor keeps the return address in ELR_EL1 and the stack pointer in SP_EL0, until the next exception. The
other registers are those that the kernel's outermost frame began with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ringscope.emulator.debug import registers as names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringscope.emulator.cpu.engine import Engine
    from ringscope.emulator.debug.our_kernel import OurKernel

STACK_MOST: Final = 1 << 16  # bytes of a kernel stack: further from its end we are on another
FRAME_WORDS: Final = 5  # rip, cs, rflags, rsp, ss
RING: Final = 3
IDLE: Final = "arch_idle"  # our kernel waits for an interrupt, on behalf of nobody
MODE: Final = 0xF  # of SPSR_EL1; 0 is EL0
USER_SYNC: Final = range(
    0x404, 0x480
)  # from VBAR_EL1: our entry of system calls, after its first instruction


def left_user(engine: Engine, outermost: Mapping[str, int], ours: OurKernel | None) -> dict[str, int] | None:
    """Return the registers that user mode was left with; None where nobody left it or it is not known.

    ``outermost`` are the registers in the kernel's outermost frame. Not to be asked in user mode.
    """
    if engine.arch == "aarch64":
        found = _arm_ours(engine, outermost, ours) if ours is not None else _arm_any(engine, outermost)
    else:
        found = _x86_ours(engine, outermost, ours) if ours is not None else _x86_any(engine, outermost)
    return found if found is not None and found[names.in_force(engine).program_counter] else None


def _end_of_stack(engine: Engine, word: int) -> int:
    """Return where the stack for entries from ring 3 ends: the task-state segment's RSP0 or ESP0."""
    return int.from_bytes(engine.read_virtual(engine.register("tr_base") + 4, word), "little")


def _x86_any(engine: Engine, outermost: Mapping[str, int]) -> dict[str, int] | None:
    known = names.in_force(engine)
    word = known.word
    here = engine.register(known.program_counter)
    if word == 8 and here == engine.register("lstar"):  # SYSCALL was executed, and nothing else
        return {**_all(engine, known), "rip": engine.register("rcx"), "rflags": engine.register("r11")}
    end = _end_of_stack(engine, word)
    stack = engine.register(known.stack_pointer)
    frame = engine.read_virtual(end - FRAME_WORDS * word, FRAME_WORDS * word)
    if not 0 <= end - stack <= STACK_MOST or len(frame) < FRAME_WORDS * word:
        return None
    words = [int.from_bytes(frame[at : at + word], "little") for at in range(0, len(frame), word)]
    if words[1] & RING != RING or words[4] & RING != RING:
        return None
    held = (known.program_counter, "cs", known.flags, known.stack_pointer, "ss")
    return {**outermost, **dict(zip(held, words, strict=True))}


def _all(engine: Engine, known: names.Mode) -> dict[str, int]:
    return {name: engine.register(name) for name in known.general}


def _x86_ours(engine: Engine, outermost: Mapping[str, int], ours: OurKernel) -> dict[str, int] | None:
    here, current = engine.register("rip"), ours.current
    if not current or ours.function_at(here) == IDLE:
        return None
    live, saved = _all(engine, names.LONG), ours.registers_of(current)
    if ours.function_at(here) == "entry_syscall":
        if here == engine.register("lstar"):
            return {**live, "rip": live["rcx"], "rflags": live["r11"]}
        stack = ours.variable("user_rsp")
        if live["rsp"] not in (stack, _end_of_stack(engine, 8)):  # all is saved
            return {**live, **{name: saved[name] for name in ("rip", "rsp", "rbp")}}
        left = saved["rip"] if live["rcx"] == stack else live["rcx"]  # which by then is saved
        return {**live, "rip": left, "rsp": stack}
    entering = 0 < _end_of_stack(engine, 8) - live["rsp"] <= ours.frame_size()
    if entering and not ours.function_at(here).startswith("arch_resume"):
        return {**live, **{name: saved[name] for name in ("rip", "rflags", "rsp", "cs", "ss")}}
    return {**dict(outermost), **saved}


def _arm_left(engine: Engine) -> dict[str, int]:
    return {
        "pc": engine.register("elr_el1"),
        "pstate": engine.register("spsr_el1"),
        "sp": engine.register("sp_el0"),
    }


def _arm_any(engine: Engine, outermost: Mapping[str, int]) -> dict[str, int] | None:
    if engine.register("spsr_el1") & MODE or not engine.register("elr_el1"):
        return None
    return {**outermost, **_arm_left(engine)}


def _arm_ours(engine: Engine, outermost: Mapping[str, int], ours: OurKernel) -> dict[str, int] | None:
    here, current = engine.register("pc"), ours.current
    if not current or ours.function_at(here) == IDLE:
        return None
    saved = ours.registers_of(current)
    on_frame = engine.register("sp") == ours.frame_of(current)
    if not on_frame or ours.function_at(here).startswith("arch_resume"):
        return {**outermost, **saved}
    found = {**_all(engine, names.ARM), **_arm_left(engine)}
    if here - engine.register("vbar_el1") in USER_SYNC or ours.function_at(here) == "entry_exception":
        found |= {name: saved[name] for name in ("x29", "x30")}
    return found
