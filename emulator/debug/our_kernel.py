# SPDX-License-Identifier: GPL-2.0-or-later
"""The state of the project's own microkernel, read from its memory by its own DWARF: threads and messages.

The kernel keeps no list of its threads. Every one is a frame of memory, and the frame table says which
frames hold objects. What a thread is while it does not run is in its struct (kernel/thread.h).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from ringscope.emulator.debug import kernel_view
from ringscope.emulator.debug.programs import UnknownSymbol
from ringscope.emulator.debug.structures import Structures, UnknownStructure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ringscope.emulator.cpu.engine import Engine
    from ringscope.emulator.debug.kernel_view import KernelView
    from ringscope.emulator.debug.programs import Programs

PAGE: Final = 0x1000
ENTERED_AT: Final = 16  # bytes below the end of the stack, under the word that stands for a return address
FRAME_ENTRY: Final = 4  # bytes of struct frame, whose lowest bits are its kind
FRAME_KIND: Final = 7
ADDRESS: Final = {"x86_64": 0x000F_FFFF_FFFF_F000, "aarch64": 0x0000_FFFF_FFFF_FFFE}  # of a root's register
ROOT_FIELD: Final = {"x86_64": "arch.cr3", "aarch64": "arch.ttbr0"}
#: What a system call keeps for its caller (kernel/arch/ARCH/entry.S).
KEPT: Final = {
    "x86_64": frozenset("rbx rbp r12 r13 r14 r15 rsp rip rflags".split()),
    "aarch64": frozenset((*(f"x{number}" for number in range(19, 31)), "sp", "pc", "pstate")),
}
#: States in which a thread's message waits in its struct.
WAITS_TO_SEND: Final = frozenset(("sending", "calling"))
#: Functions through which a message goes in the registers that the contract has it in, in assembly;
IN_REGISTERS: Final = frozenset(("entry_syscall", "arch_resume_message"))
#: and in C, with the variables of the threads from which it comes and to which it goes.
SENDER_AND_PARTNER: Final = {
    "fastpath_call": ("caller", "server"),
    "fastpath_reply_wait": ("server", "caller"),
}


NOBODY_KNOWN: Final = 32  # bytes at the beginning of those, before they have fetched the current thread


@dataclass(frozen=True)
class Message:
    """A message: its badge, its tag and its words; None for what is kept nowhere any more."""

    badge: int
    tag: int | None
    words: tuple[int | None, ...]


@dataclass(frozen=True)
class InRegisters:
    """A message on its way, and in which function; it is from the current thread, or it ``arrives`` there."""

    function: str
    message: Message
    arrives: bool


@dataclass(frozen=True)
class Thread:
    """A thread. ``space`` is the root of its address space, ``port`` and ``peer`` addresses, 0 for none.

    ``registers`` are those it left user mode with, where the kernel has saved them; ``message`` waits to be
    taken. ``fault`` names what it waits for the answer to, if it did not call by itself.
    """

    address: int
    state: str
    priority: int
    space: int
    port: int
    peer: int
    caller: int
    fault: str
    message: Message | None
    registers: Mapping[str, int]


class OurKernel:
    """What can be read of it on a machine that runs it."""

    def __init__(self, engine: Engine, programs: Programs, view: KernelView) -> None:
        """``programs`` has the kernel's file."""
        self._engine = engine
        self._programs = programs
        self._view = view
        self._structures = Structures(programs.kernel or b"")

    # ---- memory ----

    def _word(self, address: int, size: int = 8) -> int:
        return int.from_bytes(self._engine.read_virtual(address, size), "little")

    def _symbol(self, name: str) -> int:
        return self._programs.find(f"kernel:{name}")[0].address

    def _get(self, content: bytes, kind: str, path: str) -> int:
        field = self._structures.field(kind, path)
        return int.from_bytes(content[field.offset : field.offset + field.size], "little")

    @property
    def current(self) -> int:
        """The address of the thread that runs, 0 before the first."""
        return self._word(self._view.current)

    @property
    def kept(self) -> frozenset[str]:
        """The registers that a system call keeps for its caller."""
        return KEPT[self._engine.arch]

    def variable(self, name: str) -> int:
        """Return the 64-bit value of a variable of the kernel."""
        return self._word(self._symbol(name))

    def is_beyond_stack(self, stack_pointer: int) -> bool:
        """Return whether a frame would lie where the stack begins: who enters there has no caller."""
        return 0 <= self._symbol("kernel_stack_end") - stack_pointer <= ENTERED_AT

    def function_at(self, address: int) -> str:
        """Return the name of the kernel's function at an address, or nothing."""
        return (self._programs.table.describe(address) or "").partition("+")[0]

    # ---- threads ----

    @cached_property
    def _states(self) -> dict[int, str]:
        found = self._structures.enumerators.items()
        return {
            value: name.removeprefix("THREAD_").replace("_", " ").lower()
            for name, value in found
            if name.startswith("THREAD_")
        }

    def frame_of(self, thread: int) -> int:
        """Return the address of the registers that a thread left user mode with."""
        return thread + self._structures.field("thread", "arch.frame").offset

    def frame_size(self) -> int:
        """Return the bytes of those registers."""
        return self._structures.field("thread", "arch.frame").size

    def registers_of(self, thread: int) -> dict[str, int]:
        """Return the registers in a thread's frame by the processor's names.

        After a system call they are those that it keeps for its caller, and whatever was there of the others.
        """
        content = self._engine.read_virtual(thread, self._structures.size("thread"))
        return self._registers(content)

    def _registers(self, content: bytes) -> dict[str, int]:
        if self._engine.arch == "aarch64":
            field = self._structures.field("thread", "arch.frame.x")
            words = struct.unpack_from(f"<{field.count}Q", content, field.offset)
            found = {f"x{number}": word for number, word in enumerate(words)}
            names = {"sp": "sp", "pc": "pc", "pstate": "pstate"}
        else:
            found = {}
            general = "r15 r14 r13 r12 rbp rbx r9 r8 r10 rdx rsi rdi rax r11 rcx rip rflags rsp cs ss".split()
            names = dict(zip(general, general, strict=True))
        return found | {
            name: self._get(content, "thread", f"arch.frame.{path}") for name, path in names.items()
        }

    def threads(self) -> list[Thread]:
        """Return every thread that is alive, by address; none before the kernel has made the first."""
        if not self.current:
            return []
        try:
            return [self._thread(address) for address in self._addresses()]
        except (UnknownStructure, UnknownSymbol, struct.error):
            return []

    def _addresses(self) -> list[int]:
        """Return the addresses of the threads: those of the frames that hold objects of that type."""
        engine = self._engine
        table, count = self._word(self._symbol("frames")), self._word(self._symbol("frame_count"))
        first = engine.ram_base // PAGE
        entries = engine.read_virtual(table + FRAME_ENTRY * first, FRAME_ENTRY * (count - first))
        kind = self._structures.enumerators["FRAME_OBJECT"]
        current = self.current
        physical = engine.physical(current)
        if physical is None:
            return []
        direct, found = current - physical, []
        thread = self._view.objects["thread"]
        for number, (entry,) in enumerate(struct.iter_unpack("<I", entries), first):
            if entry & FRAME_KIND != kind:
                continue
            at = number * PAGE - engine.ram_base
            header = engine.ram[at : at + self._structures.size("object")]
            if self._get(header, "object", "type") == thread and self._get(header, "object", "alive"):
                found.append(direct + number * PAGE)
        return found

    def _thread(self, address: int) -> Thread:
        content = self._engine.read_virtual(address, self._structures.size("thread"))

        def get(path: str) -> int:
            return self._get(content, "thread", path)

        state = self._states.get(get("state"), str(get("state")))
        field = self._structures.field("thread", "message.word")
        words = struct.unpack_from(f"<{field.count}Q", content, field.offset)
        waits = state in WAITS_TO_SEND
        space = self._word(
            get("space") + self._structures.field("space", ROOT_FIELD[self._engine.arch]).offset
        )
        return Thread(
            address=address,
            state=state,
            priority=get("priority"),
            space=space & ADDRESS[self._engine.arch],
            port=get("port") if waits or state == "receiving" else 0,
            peer=get("peer") if state == "awaiting reply" else 0,
            caller=get("caller"),
            fault=self._view.faults.get(get("fault"), "") if get("fault") else "",
            message=Message(get("badge"), get("message.tag"), words) if waits else None,
            registers=self._registers(content),
        )

    def message_in_registers(self, pc: int, variable: Callable[[str], int | None]) -> InRegisters | None:
        """Return the message that is on its way through the kernel in registers.

        On the fast path a message never leaves them; elsewhere it waits in its thread. ``variable`` returns a
        local variable's value at ``pc``: C may keep a word in any register, or none that nobody needs any
        more. Before the partner is known, the badge is 0.
        """
        function = self.function_at(pc)
        if function in SENDER_AND_PARTNER:
            tag, *kept = (variable(name) for name in ("tag", "w0", "w1", "w2", "w3"))
            message = Message(0, tag, tuple(kept))
            return InRegisters(function, message, self._has_switched(function, pc, variable))
        if function not in IN_REGISTERS:
            return None
        if self._engine.arch == "aarch64":
            names = [f"x{number}" for number in range(6)]
        else:
            arrived = function == "arch_resume_message" and pc == self._symbol(function)
            names = ["rdi", "rsi", "rdx", "rcx" if arrived else "r10", "r8", "r9"]
        first, tag, *words = (self._engine.register(name) for name in names)
        leaves = function == "arch_resume_message"
        return InRegisters(function, Message(first if leaves else 0, tag, tuple(words)), leaves)

    def _has_switched(self, function: str, pc: int, variable: Callable[[str], int | None]) -> bool:
        """Return whether the current thread is already the one that the message goes to.

        One of the two is known until then, but for the first instructions.
        """
        sender, partner = (variable(name) for name in SENDER_AND_PARTNER[function])
        if sender is not None:
            return sender != self.current
        if partner is not None:
            return partner == self.current
        return pc - self._symbol(function) >= NOBODY_KNOWN


def of(engine: Engine, programs: Programs) -> OurKernel | None:
    """Return what is read of it on a machine, None where another kernel was booted."""
    view = kernel_view.view(engine.arch, programs.kernel)
    return OurKernel(engine, programs, view) if view.current else None
