# SPDX-License-Identifier: GPL-2.0-or-later
"""A live machine as a person debugs it: where it is in whose words, and what names mean there.

``Live`` joins what knows a part each: ``Control`` steers, ``Programs`` has symbols and lines,
``AddressSpaces`` tells whose space is in force, ``Unwinder`` follows the stack. It prints nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ringscope.emulator.debug import crossing, disassembly, kernel_view, our_kernel
from ringscope.emulator.debug import registers as names
from ringscope.emulator.debug.c_types import OTHER
from ringscope.emulator.debug.dwarf_expressions import NoValue, State
from ringscope.emulator.debug.expense import Expense, Reading
from ringscope.emulator.debug.expressions import ExpressionError, parse
from ringscope.emulator.debug.programs import Location, Programs, UnknownSymbol
from ringscope.emulator.debug.spaces import AddressSpaces
from ringscope.emulator.debug.unwind import Unwinder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringscope.bootimage import LoadedImage
    from ringscope.bootimage.arm64 import LoadedArm64
    from ringscope.emulator.debug.control import Control
    from ringscope.emulator.debug.disassembly import Instruction
    from ringscope.emulator.debug.source_lines import Place
    from ringscope.emulator.debug.variables import Variable
    from ringscope.emulator.machine import Machine

WORD: Final = 8
LINE_OF_FILE: Final = re.compile(r"(?:(?P<program>[^:]+):)?(?P<file>[^:]+):(?P<line>\d+)")


@dataclass(frozen=True)
class Spot:
    """Where to stop: an address in a program (None: the kernel), or whoever executes it: ``anyone``."""

    address: int
    program: str | None
    anyone: bool


@dataclass(frozen=True)
class Where:
    """A place in code: in whose, what it is called, and its line; each None where it is not known."""

    address: int
    user: bool
    program: str | None
    symbol: str | None
    place: Place | None


class Live:
    """One machine, its image, and how it is steered."""

    def __init__(self, machine: Machine, image: LoadedImage | LoadedArm64, control: Control) -> None:
        """Look at a machine that has been loaded."""
        self.machine, self.control = machine, control
        self.engine = engine = machine.engine
        modules = [(module.name, module.data) for module in image.modules]
        self.programs = Programs(image.kernel_elf, modules)
        self.spaces = AddressSpaces.on(engine, modules)
        self.view = kernel_view.view(engine.arch, image.kernel_elf)
        self.ours = our_kernel.of(engine, self.programs)
        self.unwinder = Unwinder(engine, self.programs, self.spaces.program.get, self.ours)
        self._before = Reading.of(machine)

    # ---- where we are ----

    @property
    def mode(self) -> names.Mode:
        """What the registers are called in the present mode."""
        return names.in_force(self.engine)

    @property
    def user(self) -> bool:
        """Whether the processor is in user mode."""
        return self.engine.in_user_mode

    @property
    def pc(self) -> int:
        """The address of the next instruction."""
        return self.engine.pc

    @property
    def program(self) -> str | None:
        """Whose address space is in force; None where nobody knows."""
        space = self.engine.space
        if self.user:
            self.spaces.learn(space, self.pc)
        elif self.spaces.program.get(space) is None:
            self._learn_from_kernel(space)
        return self.spaces.program.get(space)

    def _learn_from_kernel(self, space: int) -> None:
        """Find out whose space is in force by where user mode was left; what is not found stays open."""
        left = crossing.left_user(self.engine, {}, self.ours)
        if left is not None:
            self.spaces.program.pop(space, None)
            self.spaces.learn(space, left[self.mode.program_counter])
            if self.spaces.program[space] is None:
                del self.spaces.program[space]

    def where(self, address: int | None = None, *, user: bool | None = None) -> Where:
        """Say in words where an address is, or the next instruction; ``user`` as whose it counts."""
        at = self.pc if address is None else address
        in_user = self.user if user is None else user
        return self.describe(at, self.program if in_user else None, user=in_user)

    def describe(self, address: int, program: str | None, *, user: bool) -> Where:
        """Say in words where an address of a program is, or one of the kernel's."""
        return Where(
            address,
            user,
            program,
            self.programs.describe(address, program, user=user),
            self.programs.place(address, program, user=user),
        )

    def spent(self) -> Expense:
        """Return what was spent since the last time this was asked."""
        before, self._before = self._before, Reading.of(self.machine)
        return Expense.between(before, self._before)

    @property
    def cycle(self) -> int:
        """Simulated time, with what was done of a block yet to be left."""
        return Reading.of(self.machine).time

    # ---- what names mean (expressions.Context) ----

    def register(self, name: str) -> int | None:
        """Return a register by its name or an alias, ``cycle``, ``instructions``, ``space``, or a variable.

        A variable is an argument or a local one of the function here, and has one number as its value.
        """
        match name.lower():
            case "cycle":
                return self.cycle
            case "instructions":
                return self.control.instructions
            case "space":
                return self.engine.space
            case lower:
                known = self.mode.aliases.get(lower, lower)
                if known in (*self.mode.general, *self.control.register_names()):
                    return self.engine.register(known)
                return self.variable(name)

    def symbol(self, name: str) -> int:
        """Return the address of a symbol. Raises ExpressionError."""
        return self._find(name).address

    def _find(self, name: str) -> Location:
        try:
            return self.programs.find(name, self.program if self.user else None)[0]
        except UnknownSymbol as error:
            raise ExpressionError(str(error)) from error

    def read(self, address: int, size: int) -> bytes:
        """Return exactly so many bytes of memory. Raises ExpressionError."""
        content = self.control.read(address, size)
        if len(content) < size:
            raise ExpressionError(f"there is no memory at {address + len(content):#x}")
        return content

    def value(self, text: str) -> int:
        """Work out an expression. Raises ExpressionError."""
        return parse(text).value(self)

    # ---- places ----

    def spots(self, text: str) -> list[Spot]:
        """Return the places that a location means: SYMBOL, PROGRAM:SYMBOL, FILE:LINE or *ADDRESS.

        Raises ExpressionError, UnknownSymbol.
        """
        if text.startswith("*"):
            return [Spot(self.value(text[1:]), None, True)]
        line = LINE_OF_FILE.fullmatch(text)
        if line is not None:
            program = None if line["program"] is None else self.programs.program(line["program"])
            found = self.programs.at_line(
                line["file"], int(line["line"]), program, any_program=line["program"] is None
            )
            return [Spot(place.address, place.program, False) for place in found]
        place, _ = self.programs.find(text, self.program if self.user else None)
        return [Spot(place.address, place.program, False)]

    def is_at(self, spot: Spot) -> bool:
        """Return whether the processor is at a place, in whose it is."""
        if self.pc != spot.address:
            return False
        if spot.anyone:
            return True
        return not self.user if spot.program is None else self.user and self.program == spot.program

    def address_of(self, text: str) -> int:
        """Return the address that a line or an expression means. Raises ExpressionError, UnknownSymbol."""
        if LINE_OF_FILE.fullmatch(text):
            return self.spots(text)[0].address
        return self.value(text)

    # ---- variables ----

    def variables(self, number: int = 0) -> list[tuple[Variable, bytes | None]]:
        """Return the arguments and local variables of a frame of the backtrace, with their bytes.

        None where the program keeps a value nowhere. Raises IndexError where there is no such frame.
        """
        frames = self.unwinder.backtrace(number + 1)
        frame, mode = frames[number], self.mode
        numbers = mode.numbers
        known = {
            numbers[name]: value
            for name, value in frame.registers.items()
            if name in numbers and (number == 0 or name in mode.kept)
        }
        state = State(known, mode.word, self.engine.read_virtual)
        at = frame.looked_up if frame.user else self.programs.linked(frame.looked_up)
        found = self.programs.variables(at, self.program if frame.user else None, user=frame.user)
        return [(each, _bytes(each, state)) for each in found]

    def variable(self, name: str) -> int | None:
        """Return the value of the innermost argument or local variable that is called so."""
        for each, content in reversed(self.variables()):
            if each.name == name and content is not None and each.type.kind != OTHER:
                return each.type.number(content)
        return None

    # ---- code ----

    @property
    def bits(self) -> int:
        """How many bits the code in force has."""
        return 64 if self.mode.word == WORD else 32

    def instructions(self, address: int, count: int) -> Iterator[Instruction]:
        """Yield up to so many instructions from an address on."""
        code = self.control.read(address, count * disassembly.LONGEST[self.engine.arch])
        found = disassembly.instructions(self.engine.arch, self.bits, code, address)
        for _, instruction in zip(range(count), found, strict=False):
            yield instruction


def _bytes(variable: Variable, state: State) -> bytes | None:
    try:
        return variable.read(state)
    except NoValue:
        return None
