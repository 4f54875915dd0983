# SPDX-License-Identifier: GPL-2.0-or-later
"""The CPU interface of a GICv2 without the Security Extensions (IHI 0048B, chapters 3 and 4.4).

All 8 bits of a priority count. The binary point splits them: the *group priority* decides preemption, the
rest only the order among those that wait. The smallest binary point is 0 (group priority in bits 7..1), and
one more for group 1, which has a register of its own unless CBPR shares group 0's.

The *running priority* is that of the highest active group priority, kept as GICC_APR and GICC_NSAPR show
it: one bit for each of the 128 possible. An end of interrupt drops the highest one of its group and, unless
EOImode splits the two, deactivates the interrupt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringscope.emulator.devices.state import Stateful

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringscope.emulator.devices.gic_v2 import GicV2

LENGTH = 0x1_0000  # bytes
REG_CTLR, REG_PMR, REG_BPR, REG_IAR, REG_EOIR, REG_RPR = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14
REG_HPPIR, REG_ABPR, REG_AIAR, REG_AEOIR, REG_AHPPIR = 0x18, 0x1C, 0x20, 0x24, 0x28
REG_APR, REG_NSAPR, REG_IIDR, REG_DIR = 0xD0, 0xE0, 0xFC, 0x1000
IIDR = 0x0202_143B  # GIC-400

ENABLE_GROUP_0, ENABLE_GROUP_1, ACK_CTL, FIQ_ENABLE, CBPR, EOI_MODE = 0x01, 0x02, 0x04, 0x08, 0x10, 0x200
CTLR_WRITABLE = ENABLE_GROUP_0 | ENABLE_GROUP_1 | ACK_CTL | FIQ_ENABLE | CBPR | EOI_MODE
LEAST_BINARY_POINT, LEAST_ALIASED_BINARY_POINT = 0, 1
INTID_MASK = 0x3FF
GROUP_1_PENDING, SPURIOUS = 1022, 1023  # instead of an INTID
IDLE_PRIORITY = 0xFF


class GicCpuInterface(Stateful):
    """The window at `base`, and the two interrupt inputs of the processor."""

    __slots__ = (
        "_distributor",
        "_readers",
        "_writers",
        "active_priorities",
        "aliased_binary_point",
        "base",
        "binary_point",
        "control",
        "length",
        "priority_mask",
    )
    STATE = ("active_priorities", "aliased_binary_point", "binary_point", "control", "priority_mask")

    def __init__(self, base: int, distributor: GicV2) -> None:
        """Start disabled, with everything masked."""
        self._distributor = distributor
        self.base = base
        self.length = LENGTH
        self.control = 0
        self.priority_mask = 0  # only priorities below it are signalled
        self.binary_point = LEAST_BINARY_POINT
        self.aliased_binary_point = LEAST_ALIASED_BINARY_POINT
        self.active_priorities = [0, 0]  # by group; bit n stands for the group priority 2n
        self._readers: dict[int, Callable[[], int]] = {
            REG_CTLR: lambda: self.control,
            REG_PMR: lambda: self.priority_mask,
            REG_BPR: lambda: self.binary_point,
            REG_IAR: lambda: self._acknowledge(aliased=False),
            REG_RPR: lambda: self.running_priority,
            REG_HPPIR: lambda: self._highest_pending(aliased=False),
            REG_ABPR: lambda: self.aliased_binary_point,
            REG_AIAR: lambda: self._acknowledge(aliased=True),
            REG_AHPPIR: lambda: self._highest_pending(aliased=True),
            REG_IIDR: lambda: IIDR,
        }
        self._writers: dict[int, Callable[[int], None]] = {
            REG_CTLR: self._write_control,
            REG_PMR: self._write_priority_mask,
            REG_BPR: self._write_binary_point,
            REG_EOIR: lambda value: self._end(value, aliased=False),
            REG_ABPR: self._write_aliased_binary_point,
            REG_AEOIR: lambda value: self._end(value, aliased=True),
            REG_DIR: self._deactivate,
        }

    # --- the processor's side -------------------------------------------------------------------------------

    @property
    def interrupt(self) -> bool:
        """The level of the IRQ input."""
        intid = self._deliverable()
        return intid is not None and not self._is_fast(intid)

    @property
    def fast_interrupt(self) -> bool:
        """The level of the FIQ input: group 0, while FIQEn is set."""
        intid = self._deliverable()
        return intid is not None and self._is_fast(intid)

    @property
    def running_priority(self) -> int:
        """The group priority of the interrupt being served, 0xFF for none."""
        active = self.active_priorities[0] | self.active_priorities[1]
        return 2 * ((active & -active).bit_length() - 1) if active else IDLE_PRIORITY

    def reaches_processor(self, intid: int) -> bool:
        """Return whether the interrupt would be signalled if it became pending while none is served."""
        forwarded = self._distributor.forwarded >> intid & 1
        return bool(forwarded and self._enabled(intid) and self._unmasked(intid))

    def _is_fast(self, intid: int) -> bool:
        return bool(self.control & FIQ_ENABLE) and not self._distributor.in_group_1(intid)

    def _enabled(self, intid: int) -> bool:
        group = ENABLE_GROUP_1 if self._distributor.in_group_1(intid) else ENABLE_GROUP_0
        return bool(self.control & group)

    def _unmasked(self, intid: int) -> bool:
        return self._distributor.priority[intid] < self.priority_mask

    def _group_priority(self, intid: int) -> int:
        point = self.binary_point
        if self._distributor.in_group_1(intid) and not self.control & CBPR:
            point = self.aliased_binary_point - 1
        return self._distributor.priority[intid] & -2 << point

    def _forwarded(self) -> int | None:
        """Return what the distributor forwards, None when this side has its group disabled."""
        intid = self._distributor.highest_pending()
        return intid if intid is not None and self._enabled(intid) else None

    def _deliverable(self) -> int | None:
        """Return the interrupt that is signalled to the processor."""
        intid = self._forwarded()
        if intid is None or not self._unmasked(intid):
            return None
        return intid if self._group_priority(intid) < self.running_priority else None

    # --- registers ------------------------------------------------------------------------------------------

    def read_mmio(self, offset: int, size: int) -> int:
        """Read a register; all are 32 bits wide."""
        register = offset & ~3
        if REG_APR <= register < REG_APR + 0x20:
            active = self.active_priorities[register >= REG_NSAPR]
            value = active >> 8 * (register & 0xF) & 0xFFFFFFFF
        else:
            reader = self._readers.get(register)
            value = reader() if reader is not None else 0
        return value >> 8 * (offset & 3) & (1 << 8 * size) - 1

    def write_mmio(self, offset: int, size: int, value: int) -> None:
        """Write a register."""
        del size
        if REG_APR <= offset < REG_APR + 0x20:
            shift = 8 * (offset & 0xC)
            group = offset >= REG_NSAPR
            kept = self.active_priorities[group] & ~(0xFFFFFFFF << shift)
            self.active_priorities[group] = kept | value << shift
        elif offset in self._writers:
            self._writers[offset](value)
        self._distributor.changed()

    def _write_control(self, value: int) -> None:
        self.control = value & CTLR_WRITABLE

    def _write_priority_mask(self, value: int) -> None:
        self.priority_mask = value & 0xFF

    def _write_binary_point(self, value: int) -> None:
        self.binary_point = value & 7

    def _write_aliased_binary_point(self, value: int) -> None:
        self.aliased_binary_point = max(value & 7, LEAST_ALIASED_BINARY_POINT)

    # --- taking and ending interrupts -----------------------------------------------------------------------

    def _visible(self, intid: int | None, *, aliased: bool) -> int:
        """Return what a register shows of an interrupt: the aliased ones know group 1 alone."""
        if intid is None:
            return SPURIOUS
        group_1 = self._distributor.in_group_1(intid)
        if aliased:
            return intid if group_1 else SPURIOUS
        return GROUP_1_PENDING if group_1 and not self.control & ACK_CTL else intid

    def _highest_pending(self, *, aliased: bool) -> int:
        """Read GICC_HPPIR, which neither the priority mask nor the running priority limits."""
        return self._visible(self._forwarded(), aliased=aliased)

    def _acknowledge(self, *, aliased: bool) -> int:
        intid = self._visible(self._deliverable(), aliased=aliased)
        if intid < GROUP_1_PENDING:
            group = self._distributor.in_group_1(intid)
            self.active_priorities[group] |= 1 << self._group_priority(intid) // 2
            self._distributor.activate(intid)
        return intid

    def _end(self, value: int, *, aliased: bool) -> None:
        intid = value & INTID_MASK
        if intid >= self._distributor.interrupts:
            return
        group = self._distributor.in_group_1(intid)
        if aliased and not group:
            return
        self.active_priorities[group] &= self.active_priorities[group] - 1  # the lowest bit, if there is one
        if not self.control & EOI_MODE:
            self._distributor.deactivate(intid)

    def _deactivate(self, value: int) -> None:
        intid = value & INTID_MASK
        if self.control & EOI_MODE and intid < self._distributor.interrupts:
            self._distributor.deactivate(intid)
