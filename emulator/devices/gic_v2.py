# SPDX-License-Identifier: GPL-2.0-or-later
"""Generic Interrupt Controller, version 2: the distributor of a machine with one processor.

After the ARM GIC Architecture Specification version 2.0 (IHI 0048B), without the Security Extensions, as a
kernel at EL1 meets it on QEMU's `virt`: both interrupt groups are the guest's, nothing is banked, and every
interrupt is in group 0 until the guest says otherwise. What belongs to the processor's side (masking,
acknowledging, preemption) is in `gic_cpu_interface`.

Interrupts are numbered by INTID: 0..15 are software-generated (SGI), 16..31 the processor's own peripherals
(PPI), 32 and above shared (SPI). An interrupt is pending while its latch is set (by an edge, an SGI or a
write to GICD_ISPENDR) or, when it is level-sensitive, while its line is high. SGIs are always enabled and
always edge-triggered. With one processor GICD_ITARGETSR reads as zero and ignores writes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringscope.emulator.devices.gic_cpu_interface import GicCpuInterface
from ringscope.emulator.devices.state import Stateful

if TYPE_CHECKING:
    from collections.abc import Callable

LENGTH = 0x1_0000  # bytes
SGIS, PPIS = 16, 16
MOST_SPIS = 960  # INTIDs end at 1019
SGI_MASK = (1 << SGIS) - 1

REG_CTLR, REG_TYPER, REG_IIDR = 0x000, 0x004, 0x008
REG_IGROUPR, REG_ISENABLER, REG_ICENABLER, REG_ISPENDR = 0x080, 0x100, 0x180, 0x200
REG_ICPENDR, REG_ISACTIVER, REG_ICACTIVER, REG_IPRIORITYR = 0x280, 0x300, 0x380, 0x400
REG_ITARGETSR, REG_ICFGR, REG_SGIR, REG_CPENDSGIR, REG_SPENDSGIR = 0x800, 0xC00, 0xF00, 0xF10, 0xF20
REG_IDENTIFICATION = 0xFD0
IIDR = 0x0200_143B  # GIC-400, designed by ARM
IDENTIFICATION = bytes.fromhex("04000000 90b42b00 0df005b1")  # one byte a word; GIC-400 TRM, table 3-2
ENABLE_GROUP_0, ENABLE_GROUP_1 = 1, 2
SGI_TO_LIST, SGI_TO_SELF = 0, 2


class GicLine:
    """The input of one shared or private peripheral interrupt."""

    __slots__ = ("_gic", "intid")

    def __init__(self, gic: GicV2, intid: int) -> None:
        """`intid` is 16 or above."""
        self._gic = gic
        self.intid = intid

    def set(self, level: bool) -> None:
        """Drive the input."""
        self._gic.set_line(self.intid, level)


class GicV2(Stateful):
    """The distributor's window at `base`; `cpu_interface` is the other one.

    `on_change` is called whenever the processor's interrupt inputs may have changed. Sets of interrupts are
    integers with one bit an INTID.
    """

    __slots__ = (
        "_known",
        "_on_change",
        "active",
        "base",
        "control",
        "cpu_interface",
        "edge",
        "enabled",
        "group_1",
        "interrupts",
        "latched",
        "length",
        "levels",
        "priority",
    )
    STATE = tuple("active control cpu_interface edge enabled group_1 latched levels priority".split())

    def __init__(self, base: int, cpu_base: int, spis: int, on_change: Callable[[], None]) -> None:
        """`spis` is how many shared interrupts there are: a multiple of 32, at most 960."""
        if not 32 <= spis <= MOST_SPIS or spis % 32:
            raise ValueError(f"{spis} shared interrupts: a GIC has a multiple of 32, from 32 to {MOST_SPIS}")
        self._on_change = on_change
        self.base = base
        self.length = LENGTH
        self.interrupts = SGIS + PPIS + spis
        self._known = (1 << self.interrupts) - 1
        self.control = 0
        self.group_1 = 0  # the others are in group 0
        self.enabled = SGI_MASK
        self.latched = 0
        self.levels = 0  # of the lines
        self.active = 0
        self.edge = SGI_MASK  # the others are level-sensitive
        self.priority = bytearray(self.interrupts)  # 0 is the highest
        self.cpu_interface = GicCpuInterface(cpu_base, self)

    # --- the chips' side ------------------------------------------------------------------------------------

    def line(self, intid: int) -> GicLine:
        """Return the input of a peripheral interrupt."""
        if not SGIS <= intid < self.interrupts:
            raise ValueError(f"interrupt {intid} has no line; lines are {SGIS} to {self.interrupts - 1}")
        return GicLine(self, intid)

    def set_line(self, intid: int, level: bool) -> None:
        """Drive a line."""
        bit = 1 << intid
        if level == bool(self.levels & bit):
            return
        self.levels ^= bit
        if level:
            self.latched |= bit & self.edge
        self._on_change()

    # --- the CPU interface's side ---------------------------------------------------------------------------

    @property
    def pending(self) -> int:
        """The pending interrupts."""
        return self.latched | self.levels & ~self.edge

    @property
    def forwarded(self) -> int:
        """The interrupts that would reach the CPU interface if they were pending."""
        groups = self.group_1 if self.control & ENABLE_GROUP_1 else 0
        if self.control & ENABLE_GROUP_0:
            groups |= self._known & ~self.group_1
        return self.enabled & groups

    def highest_pending(self) -> int | None:
        """Return the INTID that is forwarded: of the highest priority, of these the lowest number."""
        waiting = self.pending & self.forwarded & ~self.active
        highest = None
        while waiting:
            intid = (waiting & -waiting).bit_length() - 1
            if highest is None or self.priority[intid] < self.priority[highest]:
                highest = intid
            waiting &= waiting - 1
        return highest

    def in_group_1(self, intid: int) -> bool:
        """Return the group of an interrupt."""
        return bool(self.group_1 >> intid & 1)

    def activate(self, intid: int) -> None:
        """Make a pending interrupt active; it stays pending only while its line is high."""
        self.latched &= ~(1 << intid)
        self.active |= 1 << intid
        self._on_change()

    def deactivate(self, intid: int) -> None:
        """End the active state."""
        self.active &= ~(1 << intid)
        self._on_change()

    def changed(self) -> None:
        """Pass on that the CPU interface's registers have changed."""
        self._on_change()

    # --- registers ------------------------------------------------------------------------------------------

    def read_mmio(self, offset: int, size: int) -> int:
        """Read; arrays of bytes and of bits may be read in any width."""
        mask = (1 << 8 * size) - 1
        if REG_IGROUPR <= offset < REG_IPRIORITYR:
            return self._bits(offset & ~0x7F) >> 8 * (offset & 0x7F) & mask
        if REG_IPRIORITYR <= offset < REG_ITARGETSR:
            first = offset - REG_IPRIORITYR
            return int.from_bytes(self.priority[first : first + size], "little")
        if REG_ICFGR <= offset < REG_ICFGR + 0x100:
            return self._read_configuration(4 * (offset - REG_ICFGR), 4 * size)
        if REG_CPENDSGIR <= offset < REG_SPENDSGIR + SGIS:
            first = (offset - REG_CPENDSGIR) % SGIS
            return sum((self.latched >> first + index & 1) << 8 * index for index in range(size))
        return self._word(offset & ~3) >> 8 * (offset & 3) & mask

    def write_mmio(self, offset: int, size: int, value: int) -> None:
        """Write."""
        mask = (1 << 8 * size) - 1
        if offset == REG_CTLR:
            self.control = value & (ENABLE_GROUP_0 | ENABLE_GROUP_1)
        elif REG_IGROUPR <= offset < REG_IPRIORITYR:
            shift = 8 * (offset & 0x7F)
            self._write_bits(offset & ~0x7F, value << shift & self._known, mask << shift & self._known)
        elif REG_IPRIORITYR <= offset < REG_IPRIORITYR + self.interrupts:
            first = offset - REG_IPRIORITYR
            self.priority[first : first + size] = value.to_bytes(size, "little")
        elif REG_ICFGR <= offset < REG_ICFGR + 0x100:
            self._write_configuration(4 * (offset - REG_ICFGR), 4 * size, value)
        elif offset == REG_SGIR:
            self._send_sgi(value)
        elif REG_CPENDSGIR <= offset < REG_SPENDSGIR + SGIS:
            self._write_sgi_pending(offset, size, value)
        self._on_change()

    def _word(self, offset: int) -> int:
        if offset >= REG_IDENTIFICATION and offset < REG_IDENTIFICATION + 4 * len(IDENTIFICATION):
            return IDENTIFICATION[(offset - REG_IDENTIFICATION) // 4]
        words = {REG_CTLR: self.control, REG_TYPER: self.interrupts // 32 - 1, REG_IIDR: IIDR}
        return words.get(offset, 0)

    def _bits(self, register: int) -> int:
        match register:
            case 0x080:
                return self.group_1
            case 0x100 | 0x180:
                return self.enabled
            case 0x200 | 0x280:
                return self.pending
            case _:
                return self.active

    def _write_bits(self, register: int, value: int, written: int) -> None:
        """Write an array of one bit an interrupt: `value` where `written` has ones."""
        match register:
            case 0x080:
                self.group_1 = self.group_1 & ~written | value
            case 0x100:
                self.enabled |= value
            case 0x180:
                self.enabled &= ~value | SGI_MASK
            case 0x200:
                self.latched |= value & ~SGI_MASK
            case 0x280:
                self.latched &= ~value | SGI_MASK
            case 0x300:
                self.active |= value
            case 0x380:
                self.active &= ~value

    def _read_configuration(self, first: int, count: int) -> int:
        """Return two bits an interrupt; the upper one says edge-triggered."""
        return sum((self.edge >> first + index & 1) << 2 * index + 1 for index in range(count))

    def _write_configuration(self, first: int, count: int, value: int) -> None:
        for index in range(count):
            bit = 1 << first + index & self._known & ~SGI_MASK
            self.edge = self.edge | bit if value >> 2 * index + 1 & 1 else self.edge & ~bit

    def _send_sgi(self, value: int) -> None:
        target = value >> 24 & 3
        if target == SGI_TO_SELF or (target == SGI_TO_LIST and value & 0x1_0000):
            self.latched |= 1 << (value & 0xF)

    def _write_sgi_pending(self, offset: int, size: int, value: int) -> None:
        """Set or clear pending SGIs: a byte each, of which bit 0 means "sent by processor 0"."""
        first = (offset - REG_CPENDSGIR) % SGIS
        chosen = sum((value >> 8 * index & 1) << first + index for index in range(size))
        if offset >= REG_SPENDSGIR:
            self.latched |= chosen
        else:
            self.latched &= ~chosen
