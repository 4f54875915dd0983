# SPDX-License-Identifier: GPL-2.0-or-later
"""Local APIC of the one processor.

After Intel SDM vol. 3, chapter "Advanced Programmable Interrupt Controller". xAPIC registers at 0xFEE00000;
no x2APIC. It takes interrupts from its local vector table, from the I/O APIC and from itself (ICR), and
passes the 8259's INTR through LINT0 while that is programmed as ExtINT (*virtual wire*), or straight to the
processor while the APIC is off in IA32_APIC_BASE. Firmware leaves it in virtual wire mode.

Acknowledging with nothing deliverable gives the spurious vector and sets no in-service bit. INIT, SMI and
start-up messages have no second processor to go to and are dropped. The timer is in `apic_timer`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ringscope.emulator.devices.apic_timer import ApicTimer
from ringscope.emulator.devices.interfaces import Clock, DeliveryMode, InterruptMessage
from ringscope.emulator.devices.state import Stateful

if TYPE_CHECKING:
    from collections.abc import Callable

BASE = 0xFEE00000
LENGTH = 0x1000
VERSION = 0x0005_0014  # integrated, six entries in the local vector table

REG_ID, REG_VERSION, REG_TPR, REG_APR, REG_PPR, REG_EOI = 0x20, 0x30, 0x80, 0x90, 0xA0, 0xB0
REG_LDR, REG_DFR, REG_SVR, REG_ISR, REG_TMR, REG_IRR, REG_ESR = 0xD0, 0xE0, 0xF0, 0x100, 0x180, 0x200, 0x280
REG_ICR_LOW, REG_ICR_HIGH = 0x300, 0x310
REG_LVT_TIMER, REG_LVT_THERMAL, REG_LVT_PERF = 0x320, 0x330, 0x340
REG_LVT_LINT0, REG_LVT_LINT1, REG_LVT_ERROR = 0x350, 0x360, 0x370
REG_TIMER_INITIAL, REG_TIMER_CURRENT, REG_TIMER_DIVIDE = 0x380, 0x390, 0x3E0

LVT_MASKED = 0x1_0000
LVT_WRITABLE = {
    REG_LVT_TIMER: 0x7_00FF,
    REG_LVT_THERMAL: 0x1_07FF,
    REG_LVT_PERF: 0x1_07FF,
    REG_LVT_LINT0: 0x1_A7FF,
    REG_LVT_LINT1: 0x1_A7FF,
    REG_LVT_ERROR: 0x1_00FF,
}
SVR_ENABLED = 0x100
BASE_BSP, BASE_X2APIC, BASE_ENABLED = 0x100, 0x400, 0x800
ESR_SEND_ILLEGAL, ESR_RECEIVED_ILLEGAL, ESR_ILLEGAL_REGISTER = 0x20, 0x40, 0x80


class ExternalController(Protocol):
    """The 8259 pair as LINT0 sees it."""

    @property
    def interrupt(self) -> bool:
        """The level of INTR."""
        ...

    def acknowledge(self) -> int:
        """Answer INTA with a vector."""
        ...


class LocalApic(Stateful):
    """`on_change` is called whenever the INTR pin or its vector may have changed, `on_nmi` at every NMI.

    `end_of_interrupt` is called with the vector of each level-triggered interrupt that ended.
    """

    __slots__ = (
        "_end_of_interrupt",
        "_external",
        "_external_level",
        "_on_change",
        "_on_nmi",
        "_readers",
        "_writers",
        "apic_base",
        "base",
        "destination_format",
        "error",
        "error_latched",
        "icr",
        "identity",
        "irr",
        "isr",
        "length",
        "logical_destination",
        "lvt",
        "routed_external",
        "spurious",
        "timer",
        "tmr",
        "tpr",
    )
    STATE = tuple(
        """
        _external_level apic_base destination_format error error_latched icr identity irr isr
        logical_destination lvt routed_external spurious timer tmr tpr
    """.split()
    )

    def __init__(
        self,
        clock: Clock,
        timer_hz: int,
        external: ExternalController,
        on_change: Callable[[], None],
        *,
        on_nmi: Callable[[], None],
        end_of_interrupt: Callable[[int], None],
    ) -> None:
        """`timer_hz` is the input clock of the timer, before the divider."""
        self._external = external
        self._external_level = False
        self._on_change = on_change
        self._on_nmi = on_nmi
        self._end_of_interrupt = end_of_interrupt
        self.base = BASE
        self.length = LENGTH
        self.apic_base = BASE | BASE_BSP | BASE_ENABLED
        self.identity = 0
        self.tpr = 0
        self.isr = 0  # 256 bits each, bit = vector
        self.tmr = 0
        self.irr = 0
        self.logical_destination = 0
        self.destination_format = 0xFFFFFFFF
        self.spurious = 0xFF | SVR_ENABLED
        self.error = 0
        self.error_latched = 0
        self.icr = 0
        self.lvt = dict.fromkeys(LVT_WRITABLE, LVT_MASKED)
        self.lvt[REG_LVT_LINT0] = DeliveryMode.EXTINT << 8
        self.lvt[REG_LVT_LINT1] = DeliveryMode.NMI << 8
        self.routed_external = False  # the I/O APIC passes INTR on as ExtINT
        self.timer = ApicTimer(clock, timer_hz, self._timer_expired)
        self._readers: dict[int, Callable[[], int]] = {
            REG_ID: lambda: self.identity << 24,
            REG_VERSION: lambda: VERSION,
            REG_TPR: lambda: self.tpr,
            REG_APR: lambda: 0,
            REG_PPR: lambda: self.processor_priority,
            REG_LDR: lambda: self.logical_destination << 24,
            REG_DFR: lambda: self.destination_format,
            REG_SVR: lambda: self.spurious,
            REG_ESR: lambda: self.error_latched,
            REG_ICR_LOW: lambda: self.icr & 0xFFFFFFFF,
            REG_ICR_HIGH: lambda: self.icr >> 32,
            REG_TIMER_INITIAL: lambda: self.timer.initial,
            REG_TIMER_CURRENT: lambda: self.timer.current,
            REG_TIMER_DIVIDE: lambda: self.timer.divide_register,
        }
        self._writers: dict[int, Callable[[int], None]] = {
            REG_ID: self._write_id,
            REG_TPR: self._write_tpr,
            REG_EOI: self._write_eoi,
            REG_LDR: self._write_ldr,
            REG_DFR: self._write_dfr,
            REG_SVR: self._write_svr,
            REG_ESR: self._write_esr,
            REG_ICR_LOW: self._write_icr_low,
            REG_ICR_HIGH: self._write_icr_high,
            REG_TIMER_INITIAL: self.timer.write_initial,
            REG_TIMER_DIVIDE: self.timer.write_divide,
        }

    # --- the processor's side -------------------------------------------------------------------------------

    @property
    def enabled(self) -> bool:
        """Whether the APIC is on in IA32_APIC_BASE; when off, its window is plain memory space."""
        return bool(self.apic_base & BASE_ENABLED)

    def write_apic_base(self, value: int) -> bool:
        """Write IA32_APIC_BASE; False when the write must raise #GP(0).

        Only the enable bit can change: moving the window and x2APIC are not modelled, and CPUID offers no
        x2APIC.
        """
        if value & (BASE_X2APIC | 0xFF) or value >> 52:
            return False
        self.apic_base = BASE | BASE_BSP | (value & BASE_ENABLED)
        self._on_change()
        return True

    @property
    def processor_priority(self) -> int:
        """PPR: the task priority or the class of the interrupt in service, whichever is higher."""
        in_service = _highest(self.isr)
        return self.tpr if self.tpr >> 4 >= in_service >> 4 else in_service & 0xF0

    @property
    def task_priority(self) -> int:
        """CR8: the upper half of TPR."""
        return self.tpr >> 4

    def set_task_priority(self, value: int) -> None:
        """Write CR8 (0..15)."""
        self.tpr = (value & 15) << 4
        self._on_change()

    def deliverable(self) -> int:
        """Return the vector of the APIC's own interrupt that the processor may take now, 0 for none."""
        if not self.irr or not self.enabled or not self.spurious & SVR_ENABLED:
            return 0
        vector = _highest(self.irr)
        return vector if vector >> 4 > self.processor_priority >> 4 else 0

    @property
    def external_open(self) -> bool:
        """Whether the 8259's INTR reaches the processor."""
        if not self.enabled or self.routed_external:
            return True
        lint0 = self.lvt[REG_LVT_LINT0]
        return not lint0 & LVT_MASKED and lint0 >> 8 & 7 == DeliveryMode.EXTINT

    @property
    def interrupt(self) -> bool:
        """The level of the processor's INTR pin."""
        return self.deliverable() != 0 or (self._external.interrupt and self.external_open)

    def acknowledge(self) -> int:
        """Take the interrupt: return its vector. The APIC's own come before the 8259's."""
        vector = self.deliverable()
        if vector:
            self.irr &= ~(1 << vector)
            self.isr |= 1 << vector
            self._on_change()
            return vector
        if self.external_open:
            return self._external.acknowledge()
        return self.spurious & 0xFF

    def write_tsc_deadline(self, value: int) -> None:
        """Write IA32_TSC_DEADLINE; ignored unless the timer is in that mode."""
        self.timer.write_deadline(value)

    # --- the wires' side ------------------------------------------------------------------------------------

    def external_changed(self) -> None:
        """Notice that the 8259's INTR, which is wired to LINT0, may have moved."""
        level = self._external.interrupt
        lint0 = self.lvt[REG_LVT_LINT0]
        if level and not self._external_level and self.enabled and not lint0 & LVT_MASKED:
            mode = lint0 >> 8 & 7
            if mode != DeliveryMode.EXTINT:
                self._accept(lint0 & 0xFF, mode, level=False)
        self._external_level = level
        self._on_change()

    def deliver(self, message: InterruptMessage) -> bool:
        """Take a message from the interrupt bus; False when it is for another or cannot be taken."""
        if not self.enabled or not self._addressed(message.destination, message.logical):
            return False
        return self._accept(message.vector, message.mode, level=message.level)

    def _addressed(self, destination: int, logical: bool) -> bool:
        if destination == 0xFF:
            return True
        if not logical:
            return destination == self.identity
        own = self.logical_destination
        if self.destination_format >> 28 == 0xF:  # flat model
            return bool(own & destination)
        return own >> 4 == destination >> 4 and bool(own & destination & 15)

    def _accept(self, vector: int, mode: int, *, level: bool) -> bool:
        if mode == DeliveryMode.NMI:
            self._on_nmi()
            return True
        if mode not in (DeliveryMode.FIXED, DeliveryMode.LOWEST_PRIORITY):
            return False
        if not self.spurious & SVR_ENABLED:
            return False
        if vector < 16:
            self._raise_error(ESR_RECEIVED_ILLEGAL)
            return True
        bit = 1 << vector
        self.irr |= bit
        self.tmr = self.tmr | bit if level else self.tmr & ~bit
        self._on_change()
        return True

    def _timer_expired(self) -> None:
        entry = self.lvt[REG_LVT_TIMER]
        if not entry & LVT_MASKED:
            self._accept(entry & 0xFF, DeliveryMode.FIXED, level=False)

    def _raise_error(self, bit: int) -> None:
        self.error |= bit
        entry = self.lvt[REG_LVT_ERROR]
        if not entry & LVT_MASKED and entry & 0xFF >= 16:
            self._accept(entry & 0xFF, DeliveryMode.FIXED, level=False)

    # --- registers ------------------------------------------------------------------------------------------

    def read_mmio(self, offset: int, size: int) -> int:
        """Read a register; parts of one and accesses across several give what a memory of them would."""
        value = 0
        for index in range(size):
            at = offset + index
            if at & 15 < 4:
                value |= (self._read(at & ~15) >> 8 * (at & 3) & 0xFF) << 8 * index
        return value

    def write_mmio(self, offset: int, size: int, value: int) -> None:
        """Write a register: 32 bits at a multiple of 16. Anything else is undefined, and ignored."""
        if size >= 4 and not offset & 15:
            self._write(offset, value & 0xFFFFFFFF)
            self._on_change()

    def _read(self, register: int) -> int:
        if register in self.lvt:
            return self.lvt[register]
        reader = self._readers.get(register)
        if reader is not None:
            return reader()
        for first, bits in ((REG_ISR, self.isr), (REG_TMR, self.tmr), (REG_IRR, self.irr)):
            if first <= register < first + 0x80:
                return bits >> 2 * (register - first) & 0xFFFFFFFF
        self._raise_error(ESR_ILLEGAL_REGISTER)
        return 0

    def _write(self, register: int, value: int) -> None:
        if register in LVT_WRITABLE:
            self._write_lvt(register, value)
        elif register in self._writers:
            self._writers[register](value)
        else:
            self._raise_error(ESR_ILLEGAL_REGISTER)

    def _write_id(self, value: int) -> None:
        self.identity = value >> 24

    def _write_tpr(self, value: int) -> None:
        self.tpr = value & 0xFF

    def _write_eoi(self, value: int) -> None:
        del value
        vector = _highest(self.isr)
        if vector:
            self.isr &= ~(1 << vector)
            if self.tmr & (1 << vector):
                self._end_of_interrupt(vector)

    def _write_ldr(self, value: int) -> None:
        self.logical_destination = value >> 24

    def _write_dfr(self, value: int) -> None:
        self.destination_format = value | 0x0FFFFFFF

    def _write_svr(self, value: int) -> None:
        self.spurious = value & 0x1FF
        if not value & SVR_ENABLED:
            for register in self.lvt:
                self.lvt[register] |= LVT_MASKED

    def _write_esr(self, value: int) -> None:
        del value
        self.error_latched = self.error
        self.error = 0

    def _write_lvt(self, register: int, value: int) -> None:
        value &= LVT_WRITABLE[register]
        if not self.spurious & SVR_ENABLED:
            value |= LVT_MASKED
        self.lvt[register] = value
        if register == REG_LVT_TIMER:
            self.timer.set_mode(value >> 17 & 3)

    def _write_icr_high(self, value: int) -> None:
        self.icr = self.icr & 0xFFFFFFFF | (value & 0xFF000000) << 32

    def _write_icr_low(self, value: int) -> None:
        value &= 0xCCFFF  # the delivery status reads 0: a message takes no time
        self.icr = self.icr & ~0xFFFFFFFF | value
        vector, mode, shorthand = value & 0xFF, value >> 8 & 7, value >> 18 & 3
        if mode in (DeliveryMode.FIXED, DeliveryMode.LOWEST_PRIORITY) and vector < 16:
            self._raise_error(ESR_SEND_ILLEGAL)
            return
        to_self = (
            self._addressed(self.icr >> 56, bool(value & 0x800)) if shorthand == 0 else shorthand in (1, 2)
        )
        if to_self:
            self._accept(vector, mode, level=False)


def _highest(bits: int) -> int:
    """Return the number of the highest bit set, 0 for none (vectors below 16 never get here)."""
    return bits.bit_length() - 1 if bits else 0
