# SPDX-License-Identifier: GPL-2.0-or-later
"""A slow, clear GICv2: each interrupt an object, each interrupt being served an entry on a stack.

After the prose of the ARM GIC Architecture Specification 2.0 (IHI 0048B) for one processor and no Security
Extensions. It holds what the fast one computes from bits: what is signalled, shown and served.
"""

from __future__ import annotations

from dataclasses import dataclass, field

SPURIOUS, GROUP_1_PENDING, IDLE = 1023, 1022, 0xFF


@dataclass
class Interrupt:
    """One interrupt and its state."""

    intid: int
    enabled: bool = False
    group: int = 0
    priority: int = 0
    edge: bool = False
    line: bool = False
    latched: bool = False
    active: bool = False

    @property
    def pending(self) -> bool:
        return self.latched or (self.line and not self.edge)


@dataclass
class Served:
    """An interrupt that was acknowledged and whose priority has not been dropped."""

    interrupt: Interrupt
    group_priority: int


@dataclass
class Oracle:
    """The controller; the flags have the names of the registers' fields."""

    interrupts: dict[int, Interrupt]
    forward: list[bool] = field(default_factory=lambda: [False, False])  # GICD_CTLR, by group
    signal: list[bool] = field(default_factory=lambda: [False, False])  # GICC_CTLR, by group
    ack_ctl: bool = False
    fiq_en: bool = False
    cbpr: bool = False
    eoi_mode: bool = False
    mask: int = 0
    bpr: int = 0
    abpr: int = 1
    served: list[Served] = field(default_factory=list)

    @property
    def running(self) -> int:
        return self.served[-1].group_priority if self.served else IDLE

    def group_priority(self, interrupt: Interrupt) -> int:
        dropped_bits = self.bpr + 1
        if interrupt.group == 1 and not self.cbpr:
            dropped_bits = self.abpr
        step = 2**dropped_bits
        return interrupt.priority // step * step

    def _highest(self) -> Interrupt | None:
        waiting = [
            one
            for one in self.interrupts.values()
            if one.pending and one.enabled and not one.active and self.forward[one.group]
        ]
        if not waiting:
            return None
        best = min(waiting, key=lambda one: (one.priority, one.intid))
        return best if self.signal[best.group] else None

    def signalled(self) -> Interrupt | None:
        best = self._highest()
        if best is None or best.priority >= self.mask:
            return None
        return best if self.group_priority(best) < self.running else None

    @property
    def pins(self) -> tuple[bool, bool]:
        """IRQ and FIQ."""
        one = self.signalled()
        fast = one is not None and one.group == 0 and self.fiq_en
        return one is not None and not fast, fast

    def shown(self, one: Interrupt | None, *, alias: bool) -> int:
        if one is None:
            return SPURIOUS
        if alias:
            return one.intid if one.group == 1 else SPURIOUS
        if one.group == 1 and not self.ack_ctl:
            return GROUP_1_PENDING
        return one.intid

    def highest_pending(self, *, alias: bool) -> int:
        return self.shown(self._highest(), alias=alias)

    def acknowledge(self, *, alias: bool) -> int:
        one = self.signalled()
        intid = self.shown(one, alias=alias)
        if one is not None and intid == one.intid:
            self.served.append(Served(one, self.group_priority(one)))
            one.active = True
            one.latched = False
        return intid

    def end(self) -> Interrupt:
        """End the interrupt being served, the last one taken."""
        one = self.served.pop().interrupt
        if not self.eoi_mode:
            one.active = False
        return one

    def set_line(self, intid: int, *, level: bool) -> None:
        one = self.interrupts[intid]
        if level and not one.line and one.edge:
            one.latched = True
        one.line = level
