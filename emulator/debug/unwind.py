# SPDX-License-Identifier: GPL-2.0-or-later
"""Backtraces: which calls led to where the processor is, across the crossing of rings.

Each frame's caller is found by the program's call-frame information (``call_frames.py``); without any by
where a function's first and last instructions leave the return address; else by the chain of frame
pointers. Under the kernel's last frame comes user mode, where it was left (``crossing.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ringscope.emulator.debug import crossing, function_edges
from ringscope.emulator.debug import registers as names
from ringscope.emulator.debug.dwarf_expressions import State

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ringscope.emulator.cpu.engine import Engine
    from ringscope.emulator.debug.our_kernel import OurKernel
    from ringscope.emulator.debug.programs import Programs

    Read = Callable[[int, int], bytes]

FRAMES_MOST: Final = 1024
RET: Final = b"\xc3"  # of x86
LONGEST_FUNCTION: Final = 1 << 32
PROLOGUE_MOST: Final = 64  # bytes
PUSH_FRAME, POP_FRAME, JUMPS = b"\x55", b"\x5d", (b"\xe9", b"\xeb")  # push rbp, pop rbp, jmp
ALIGNMENT: Final = {"x86_64": 4, "aarch64": 16}


@dataclass(frozen=True)
class Frame:
    """One activation: where it is, what it has, in which ring, and how its place was found.

    ``how`` is ``registers`` (the innermost), ``call frames``, ``return address``, ``frame pointer`` or ``ring
    crossing``. The address of a caller's frame is that of the return, one after the call.
    """

    address: int
    registers: Mapping[str, int]
    user: bool
    how: str

    @property
    def is_return(self) -> bool:
        """Whether the address is one to return to, so that the call before it is what happened."""
        return self.how in ("call frames", "return address", "frame pointer")

    @property
    def looked_up(self) -> int:
        """The address whose symbol and line tell where the frame is."""
        return self.address - 1 if self.is_return else self.address


class Unwinder:
    """Unwinds the stacks of a machine. ``ours`` reads the project's own kernel, None for any other."""

    def __init__(
        self,
        engine: Engine,
        programs: Programs,
        program_of: Callable[[int], str | None],
        ours: OurKernel | None,
    ) -> None:
        """``program_of`` returns which program runs in the address space with a root."""
        self._engine = engine
        self._programs = programs
        self._program_of = program_of
        self._ours = ours

    def backtrace(self, most: int = FRAMES_MOST) -> list[Frame]:
        """Return the frames from the innermost outwards, the kernel's before user mode's."""
        engine = self._engine
        known = names.in_force(engine)
        user = engine.in_user_mode
        program = self._program_of(engine.space)
        state = {name: engine.register(name) for name in known.general}
        frames = self._unwind(
            Frame(state[known.program_counter], state, user, "registers"), known, program, most
        )
        if user or len(frames) >= most:
            return frames
        left = crossing.left_user(engine, frames[-1].registers, self._ours)
        if left is None:
            return frames
        below = Frame(left[known.program_counter], left, True, "ring crossing")
        return frames + self._unwind(below, known, program, most - len(frames))

    def caller(self) -> Frame | None:
        """Return the frame that the innermost one returns to, in the same ring; None where none is known."""
        frames = self.backtrace(2)
        return frames[1] if len(frames) > 1 and frames[1].user == frames[0].user else None

    def _unwind(self, innermost: Frame, known: names.Mode, program: str | None, most: int) -> list[Frame]:
        found = [innermost]
        while len(found) < most:
            caller = self._caller(found[-1], known, program)
            if caller is None:
                break
            deeper = caller.registers[known.stack_pointer] > found[-1].registers[known.stack_pointer]
            if not deeper and (len(found) > 1 or known.link is None):
                break  # a stack that does not shrink is none; AArch64's innermost function may have no frame
            found.append(caller)
        return found

    def _caller(self, frame: Frame, known: names.Mode, program: str | None) -> Frame | None:
        read: Read = self._engine.read_virtual
        at = frame.looked_up
        if not frame.user:
            at = self._programs.linked(at)
        caller = (
            self._by_return_address(frame, at, known, program, read)
            or self._by_call_frames(frame, at, known, program, read)
            or self._by_frame_pointer(frame, known, program, read)
        )
        if caller is None or frame.user or self._ours is None:
            return caller
        return None if self._ours.is_beyond_stack(caller.registers[known.stack_pointer]) else caller

    def _is_code(self, address: int, program: str | None, *, user: bool) -> bool:
        return self._programs.describe(address - 1, program, user=user) is not None

    def _by_call_frames(
        self, frame: Frame, at: int, known: names.Mode, program: str | None, read: Read
    ) -> Frame | None:
        table = self._programs.frames(program, user=frame.user)
        if table is None:
            return None
        numbers = known.numbers
        state = {numbers[name]: value for name, value in frame.registers.items() if name in numbers}
        caller = table.caller(at, State(state, known.word, read), numbers[known.stack_pointer])
        if (
            caller is None
            or not caller.address
            or not self._is_code(caller.address, program, user=frame.user)
        ):
            return None
        registers = {
            known.dwarf[number]: value for number, value in caller.registers.items() if number in known.dwarf
        }
        registers[known.program_counter] = caller.address
        return Frame(caller.address, registers, frame.user, "call frames")

    def _by_return_address(
        self, frame: Frame, at: int, known: names.Mode, program: str | None, read: Read
    ) -> Frame | None:
        """Find the caller of an innermost function that has no frame yet, or none any more."""
        if frame.is_return:
            return None
        symbol, _, offset = (self._programs.describe(at, program, user=frame.user) or "").rpartition("+")
        distance = int(offset, 16) if symbol else LONGEST_FUNCTION
        if known.link is not None:
            size = self._programs.function_size(at, program, user=frame.user)
            registers = self._by_link(frame, distance, size, read)
            address = 0 if registers is None else registers[known.link]
        else:
            registers = self._by_top_of_stack(frame, distance, known, read)
            address = 0 if registers is None else registers[known.program_counter]
        if registers is None or not self._is_code(address, program, user=frame.user):
            return None
        registers[known.program_counter] = address
        return Frame(address, registers, frame.user, "return address")

    @staticmethod
    def _by_link(frame: Frame, distance: int, size: int, read: Read) -> dict[str, int] | None:
        """Return the caller's registers on AArch64, its address still or again in x30."""
        if distance < PROLOGUE_MOST:
            down = function_edges.lowered(read(frame.address - distance, distance))
            if down is not None:
                return {**frame.registers, "sp": frame.registers["sp"] + down}

        def ends(branch: int) -> bool:
            return size > 0 and not 0 <= distance + branch < size

        rest = read(frame.address, 4 * function_edges.LONGEST)
        return function_edges.carried_out(rest, frame.registers, read, ends)

    @staticmethod
    def _by_top_of_stack(frame: Frame, distance: int, known: names.Mode, read: Read) -> dict[str, int] | None:
        """Return the caller's registers on x86, its address on top of the stack, or under a frame pointer."""
        before, here = read(frame.address - 1, 1), read(frame.address, 1)
        pushed = distance == 1 and before == PUSH_FRAME
        tail_call = before == POP_FRAME and here in JUMPS
        if distance and not pushed and not tail_call and here != RET:
            return None
        at = frame.registers[known.stack_pointer] + known.word * pushed
        address = int.from_bytes(read(at, known.word), "little")
        return {**frame.registers, known.stack_pointer: at + known.word, known.program_counter: address}

    def _by_frame_pointer(
        self, frame: Frame, known: names.Mode, program: str | None, read: Read
    ) -> Frame | None:
        pointer = frame.registers.get(known.frame_pointer, 0)
        if not pointer or pointer % ALIGNMENT[known.arch] or pointer < frame.registers[known.stack_pointer]:
            return None
        content = read(pointer, 2 * known.word)
        address = int.from_bytes(content[known.word :], "little")
        if len(content) < 2 * known.word or not self._is_code(address, program, user=frame.user):
            return None
        registers = dict(frame.registers)
        registers |= {
            known.frame_pointer: int.from_bytes(content[: known.word], "little"),
            known.stack_pointer: pointer + 2 * known.word,
            known.program_counter: address,
        }
        return Frame(address, registers, frame.user, "frame pointer")
