# SPDX-License-Identifier: GPL-2.0-or-later
"""Intel 8259A programmable interrupt controller, and the pair of them in a PC.

After the data sheet (order 231468): fixed and rotating priority, automatic end of interrupt, special mask
mode, special fully nested mode, poll mode, edge and level triggering. The ELCR (ports 0x4D0, 0x4D1) is the
ISA bridge's addition. An edge-triggered request is withdrawn when its line falls before it was acknowledged;
an acknowledge that finds no request gives level 7 and sets no in-service bit (the *spurious* interrupt).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringscope.emulator.devices.state import Stateful

if TYPE_CHECKING:
    from collections.abc import Callable

CASCADE = 2  # the master's input that the slave drives
SPURIOUS = 7
ELCR_WRITABLE = (0xF8, 0xDE)  # lines 0, 1, 2, 8 and 13 are always edge triggered


class Pic8259(Stateful):
    """One chip. `cascade` is the input that a slave drives, None on the slave itself."""

    __slots__ = (
        "_icw4_expected",
        "_init_step",
        "_single",
        "auto_eoi",
        "cascade",
        "elcr",
        "fully_nested",
        "imr",
        "irr",
        "isr",
        "level_mode",
        "lines",
        "lowest",
        "poll",
        "read_isr",
        "rotate_auto_eoi",
        "special_mask",
        "vector_base",
    )
    STATE = tuple(
        """
        _icw4_expected _init_step _single auto_eoi elcr fully_nested imr irr isr level_mode lines lowest
        poll read_isr rotate_auto_eoi special_mask vector_base
    """.split()
    )

    def __init__(self, vector_base: int, cascade: int | None) -> None:
        """Leave the chip as firmware does: initialised, `vector_base` set, every line masked."""
        self.cascade = cascade
        self.lines = 0
        self.elcr = 0
        self._init_step = 0
        self._single = False
        self._icw4_expected = False
        self.vector_base = vector_base
        self._reset()
        self.imr = 0xFF

    def _reset(self) -> None:
        self.irr = 0
        self.isr = 0
        self.imr = 0
        self.lowest = 7
        self.auto_eoi = False
        self.rotate_auto_eoi = False
        self.special_mask = False
        self.fully_nested = False
        self.poll = False
        self.read_isr = False
        self.level_mode = False

    def set_line(self, number: int, level: bool) -> None:
        """Drive input `number` (0..7)."""
        bit = 1 << number
        if level:
            if not self.lines & bit or self._level_triggered(bit):
                self.irr |= bit
            self.lines |= bit
        else:
            self.irr &= ~bit
            self.lines &= ~bit

    def _level_triggered(self, bit: int) -> bool:
        return self.level_mode or bool(self.elcr & bit)

    def request(self) -> int | None:
        """Return the input that INT is raised for: the one that the next acknowledge takes."""
        requests = self.irr & ~self.imr
        if not requests:
            return None
        serving = self.isr & ~self.imr if self.special_mask else self.isr
        for step in range(1, 9):
            number = (self.lowest + step) & 7
            bit = 1 << number
            if serving & bit and not (self.fully_nested and number == self.cascade):
                return None
            if requests & bit:
                return number
        return None

    def acknowledge(self) -> int:
        """Answer an INTA pulse: return the input taken into service, `SPURIOUS` when there is no request."""
        number = self.request()
        if number is None:
            return SPURIOUS
        bit = 1 << number
        if not self._level_triggered(bit):
            self.irr &= ~bit
        if not self.auto_eoi:
            self.isr |= bit
        elif self.rotate_auto_eoi:
            self.lowest = number
        return number

    def read(self, register: int) -> int:
        """Read A0 = `register`: a poll word, the IMR, or the IRR or ISR as OCW3 chose."""
        if self.poll:
            self.poll = False
            if self.request() is None:
                return 0
            return 0x80 | self.acknowledge()
        if register:
            return self.imr
        return self.isr if self.read_isr else self.irr

    def write(self, register: int, value: int) -> None:
        """Write A0 = `register`: one of ICW1..4 or OCW1..3."""
        if register == 0:
            if value & 0x10:
                self._write_icw1(value)
            elif value & 0x08:
                self._write_ocw3(value)
            else:
                self._write_ocw2(value)
        elif self._init_step == 0:
            self.imr = value
        else:
            self._write_icw(value)

    def _write_icw1(self, value: int) -> None:
        """Start the initialisation; an edge already high must fall before it counts again."""
        self._reset()
        self.level_mode = bool(value & 0x08)
        self._single = bool(value & 0x02)
        self._icw4_expected = bool(value & 0x01)
        self.irr = self.lines & (0xFF if self.level_mode else self.elcr)
        self._init_step = 2

    def _write_icw(self, value: int) -> None:
        if self._init_step == 2:
            self.vector_base = value & 0xF8
            self._init_step = 4 if self._single else 3
        elif self._init_step == 3:  # which input the slave is on is wired, not programmed
            self._init_step = 4
        else:
            self.auto_eoi = bool(value & 0x02)
            self.fully_nested = bool(value & 0x10)
            self._init_step = 0
        if self._init_step == 4 and not self._icw4_expected:
            self._init_step = 0

    def _write_ocw2(self, value: int) -> None:
        number = value & 7
        match value >> 5:
            case 0b001 | 0b101:
                ended = self._end_highest()
                if value & 0x80 and ended is not None:
                    self.lowest = ended
            case 0b011:
                self.isr &= ~(1 << number)
            case 0b111:
                self.isr &= ~(1 << number)
                self.lowest = number
            case 0b110:
                self.lowest = number
            case 0b100:
                self.rotate_auto_eoi = True
            case 0b000:
                self.rotate_auto_eoi = False

    def _end_highest(self) -> int | None:
        """Do a non-specific EOI; in special mask mode it passes over masked in-service bits."""
        serving = self.isr & ~self.imr if self.special_mask else self.isr
        for step in range(1, 9):
            number = (self.lowest + step) & 7
            if serving & (1 << number):
                self.isr &= ~(1 << number)
                return number
        return None

    def _write_ocw3(self, value: int) -> None:
        if value & 0x40:
            self.special_mask = bool(value & 0x20)
        if value & 0x04:
            self.poll = True
        elif value & 0x02:
            self.read_isr = bool(value & 0x01)


class PicPair(Stateful):
    """Master and slave as a PC wires them; `on_change` is called when INT or its vector may have changed."""

    __slots__ = ("_elcr_port", "_master_port", "_on_change", "_slave_port", "master", "ports", "slave")
    STATE = ("master", "slave")
    port_width = 1

    def __init__(
        self, master_port: int, slave_port: int, elcr_port: int, on_change: Callable[[], None]
    ) -> None:
        """Take the first ports of the chips and of the ELCR. Vectors start at 0x08 and 0x70."""
        self._master_port = master_port
        self._slave_port = slave_port
        self._elcr_port = elcr_port
        self._on_change = on_change
        self.master = Pic8259(0x08, CASCADE)
        self.slave = Pic8259(0x70, None)
        self.ports = (
            range(master_port, master_port + 2),
            range(slave_port, slave_port + 2),
            range(elcr_port, elcr_port + 2),
        )

    def set_line(self, irq: int, level: bool) -> None:
        """Drive ISA interrupt request `irq` (0..15, not 2)."""
        if irq < 8:
            self.master.set_line(irq, level)
        else:
            self.slave.set_line(irq - 8, level)
        self._update()

    @property
    def interrupt(self) -> bool:
        """The level of the master's INT output."""
        return self.master.request() is not None

    def unmasked(self, irq: int) -> bool:
        """Whether a request on `irq` could reach INT."""
        if irq < 8:
            return not self.master.imr & (1 << irq)
        return not (self.slave.imr & (1 << (irq - 8)) or self.master.imr & (1 << CASCADE))

    def acknowledge(self) -> int:
        """Answer the processor's INTA cycles with a vector."""
        number = self.master.acknowledge()
        if number == CASCADE:
            vector = self.slave.vector_base | self.slave.acknowledge()
            self.master.set_line(
                CASCADE, False
            )  # INTA drops the slave's INT, even if another request is waiting
        else:
            vector = self.master.vector_base | number
        self._update()
        return vector

    def read_port(self, port: int, size: int) -> int:
        """Read a register of either chip, or the ELCR."""
        del size
        if port - self._elcr_port in (0, 1):
            return (self.master, self.slave)[port - self._elcr_port].elcr
        chip, register = self._decode(port)
        polled = chip.poll
        value = chip.read(register)
        if polled:
            if chip is self.slave:
                self.master.set_line(CASCADE, False)
            self._update()
        return value

    def write_port(self, port: int, size: int, value: int) -> None:
        """Write a command word to either chip, or the ELCR."""
        del size
        if port - self._elcr_port in (0, 1):
            index = port - self._elcr_port
            (self.master, self.slave)[index].elcr = value & ELCR_WRITABLE[index]
        else:
            chip, register = self._decode(port)
            chip.write(register, value)
        self._update()

    def _decode(self, port: int) -> tuple[Pic8259, int]:
        if port - self._master_port in (0, 1):
            return self.master, port - self._master_port
        return self.slave, port - self._slave_port

    def _update(self) -> None:
        self.master.set_line(CASCADE, self.slave.request() is not None)
        self._on_change()
