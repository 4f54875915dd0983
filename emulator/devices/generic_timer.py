# SPDX-License-Identifier: GPL-2.0-or-later
"""The generic timer of an ARM processor that has EL1 and EL0: one counter, two comparators.

After the Arm Architecture Reference Manual (DDI 0487), chapter D11. The physical and the virtual counter
are the same (there is no EL2 to set CNTVOFF_EL2) and count simulated time. Each comparator drives a level
line to the interrupt controller: high while its timer is enabled, not masked, and the counter has reached
the compare value, as unsigned 64-bit numbers. While a timer is disabled its ISTATUS, which is then unknown
by the architecture, reads as 0.

The processor's side calls `read` and `write` when it executes MRS and MSR.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from ringscope.emulator.devices.oscillator import Oscillator
from ringscope.emulator.devices.state import Stateful

if TYPE_CHECKING:
    from ringscope.emulator.devices.interfaces import Clock, Event, Line

CTL_ENABLE, CTL_IMASK, CTL_ISTATUS = 1, 2, 4
KERNEL_CONTROL_WRITABLE = 0x3FF
EL0_PHYSICAL_COUNTER, EL0_VIRTUAL_COUNTER, EL0_VIRTUAL_TIMER, EL0_PHYSICAL_TIMER = 0x001, 0x002, 0x100, 0x200
HORIZON = 1 << 63  # cycles; what is due later than this never comes
U64, U32 = (1 << 64) - 1, (1 << 32) - 1


class TimerRegister(IntEnum):
    """The registers, numbered as MRS encodes them: op0 << 14 | op1 << 11 | CRn << 7 | CRm << 3 | op2."""

    CNTKCTL_EL1 = 0xC708
    CNTFRQ_EL0 = 0xDF00
    CNTPCT_EL0 = 0xDF01
    CNTVCT_EL0 = 0xDF02
    CNTP_TVAL_EL0 = 0xDF10
    CNTP_CTL_EL0 = 0xDF11
    CNTP_CVAL_EL0 = 0xDF12
    CNTV_TVAL_EL0 = 0xDF18
    CNTV_CTL_EL0 = 0xDF19
    CNTV_CVAL_EL0 = 0xDF1A


PHYSICAL = (TimerRegister.CNTP_TVAL_EL0, TimerRegister.CNTP_CTL_EL0, TimerRegister.CNTP_CVAL_EL0)
VIRTUAL = (TimerRegister.CNTV_TVAL_EL0, TimerRegister.CNTV_CTL_EL0, TimerRegister.CNTV_CVAL_EL0)
COUNTERS = (TimerRegister.CNTPCT_EL0, TimerRegister.CNTVCT_EL0)
READ_ONLY = frozenset(COUNTERS)


class Comparator(Stateful):
    """One timer: a compare value and what is to happen when the counter reaches it."""

    __slots__ = ("_clock", "_event", "_line", "_oscillator", "compare", "control")
    STATE = ("_event", "compare", "control")

    def __init__(self, clock: Clock, oscillator: Oscillator, line: Line) -> None:
        """Start disabled."""
        self._clock = clock
        self._oscillator = oscillator
        self._line = line
        self._event: Event | None = None
        self.compare = 0
        self.control = 0

    @property
    def armed(self) -> bool:
        """Whether the line will rise by itself."""
        return self._event is not None

    @property
    def reached(self) -> bool:
        """Whether the timer is enabled and its condition met."""
        return bool(self.control & CTL_ENABLE) and self._oscillator.now >= self.compare

    def read(self, kind: int) -> int:
        """Read TVAL (0), CTL (1) or CVAL (2)."""
        match kind:
            case 0:
                return self.compare - self._oscillator.now & U32
            case 1:
                return self.control | (CTL_ISTATUS if self.reached else 0)
            case _:
                return self.compare

    def write(self, kind: int, value: int) -> None:
        """Write TVAL (0: a signed number of ticks from now), CTL (1) or CVAL (2)."""
        match kind:
            case 0:
                ticks = (value & U32 ^ 1 << 31) - (1 << 31)
                self.compare = self._oscillator.now + ticks & U64
            case 1:
                self.control = value & (CTL_ENABLE | CTL_IMASK)
            case _:
                self.compare = value & U64
        self._update()

    def _update(self) -> None:
        """Drive the line; while it is low for want of time only, ask to be called when it rises."""
        if self._event is not None:
            self._clock.cancel(self._event)
            self._event = None
        self._line.set(self.reached and not self.control & CTL_IMASK)
        if self.control == CTL_ENABLE and not self.reached:
            due = self._oscillator.cycle_of(self.compare)
            if due < HORIZON:
                self._event = self._clock.at(due, self._on_reached)

    def _on_reached(self, cycle: int) -> None:
        del cycle
        self._event = None
        self._update()


class GenericTimer(Stateful):
    """The counter, of `hz` ticks a simulated second, and the comparators CNTP and CNTV."""

    __slots__ = ("_oscillator", "frequency", "kernel_control", "physical", "virtual")
    STATE = ("frequency", "kernel_control", "physical", "virtual")

    def __init__(self, clock: Clock, hz: int, *, physical: Line, virtual: Line) -> None:
        """`hz` is at most the clock's; CNTFRQ_EL0 starts with it, as firmware leaves it."""
        self._oscillator = Oscillator(clock, hz)
        self.frequency = hz
        self.kernel_control = 0
        self.physical = Comparator(clock, self._oscillator, physical)
        self.virtual = Comparator(clock, self._oscillator, virtual)

    @property
    def count(self) -> int:
        """The counter."""
        return self._oscillator.now & U64

    def allowed_at_el0(self, register: TimerRegister, *, writing: bool) -> bool:
        """Return whether CNTKCTL_EL1 lets EL0 do this; otherwise the access traps to EL1.

        Writing a counter or CNTFRQ_EL0 at EL0 is undefined, not trapped; here that is False too.
        """
        match register:
            case TimerRegister.CNTKCTL_EL1:
                needed = 0
            case TimerRegister.CNTFRQ_EL0:
                needed = EL0_PHYSICAL_COUNTER | EL0_VIRTUAL_COUNTER
            case TimerRegister.CNTPCT_EL0:
                needed = EL0_PHYSICAL_COUNTER
            case TimerRegister.CNTVCT_EL0:
                needed = EL0_VIRTUAL_COUNTER
            case _:
                return bool(
                    self.kernel_control & (EL0_PHYSICAL_TIMER if register in PHYSICAL else EL0_VIRTUAL_TIMER)
                )
        return not writing and bool(self.kernel_control & needed)

    def read(self, register: TimerRegister) -> int:
        """Return what MRS reads."""
        if register in PHYSICAL:
            return self.physical.read(PHYSICAL.index(register))
        if register in VIRTUAL:
            return self.virtual.read(VIRTUAL.index(register))
        if register in COUNTERS:
            return self.count
        return self.frequency if register is TimerRegister.CNTFRQ_EL0 else self.kernel_control

    def write(self, register: TimerRegister, value: int) -> None:
        """Do what MSR does at EL1. Raise ValueError for a counter, which MSR cannot name: it is undefined.

        CNTFRQ_EL0 only tells software a number; the counter keeps its rate.
        """
        if register in READ_ONLY:
            raise ValueError(f"{register.name} is read-only; MSR to it is an undefined instruction")
        if register in PHYSICAL:
            self.physical.write(PHYSICAL.index(register), value)
        elif register in VIRTUAL:
            self.virtual.write(VIRTUAL.index(register), value)
        elif register is TimerRegister.CNTFRQ_EL0:
            self.frequency = value & U32
        else:
            self.kernel_control = value & KERNEL_CONTROL_WRITABLE
