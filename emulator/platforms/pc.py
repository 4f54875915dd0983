# SPDX-License-Identifier: GPL-2.0-or-later
"""The PC: its chips created and wired, its port space, its interrupt pin.

Each ISA interrupt request goes to both controllers: the 8259s, whose INTR enters the local APIC at LINT0, and
the I/O APIC, where the interval timer is on pin 2 and every other request on the pin of its own number. The
machine sees one INTR pin (`interrupt_pending`) and one way to take it (`acknowledge`).

A port that no chip claims reads as all ones and takes no write; `unclaimed` counts the accesses to each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from ringscope.emulator.devices.acpi_pm import AcpiPm
from ringscope.emulator.devices.ata_disk import AtaDisk
from ringscope.emulator.devices.cmos_rtc import CmosRtc
from ringscope.emulator.devices.debug_ports import DebugConsole, ExitPort
from ringscope.emulator.devices.i8042 import I8042
from ringscope.emulator.devices.input_router import InputRouter
from ringscope.emulator.devices.interfaces import (
    Clock,
    ExitKind,
    ExitRequest,
    Line,
    MmioDevice,
    PortDevice,
    Receiver,
)
from ringscope.emulator.devices.io_apic import IoApic
from ringscope.emulator.devices.local_apic import LVT_MASKED, REG_LVT_TIMER, LocalApic
from ringscope.emulator.devices.pic8259 import PicPair
from ringscope.emulator.devices.pit8254 import Pit8254
from ringscope.emulator.devices.state import Stateful
from ringscope.emulator.devices.system_control import SystemControl
from ringscope.emulator.devices.uart16550 import Uart16550
from ringscope.emulator.devices.vga_console import VgaConsole
from ringscope.emulator.devices.vga_text import VgaText
from ringscope.emulator.platforms.acpi_tables import ROOT_POINTER_BYTES, TIMER_GSI, acpi_tables
from ringscope.emulator.platforms.bios_data import BDA, bios_data_area, extended_bios_data_area
from ringscope.emulator.platforms.memory_map import EBDA, FIRMWARE, MemoryRange, memory_map
from ringscope.emulator.platforms.mp_table import mp_table
from ringscope.emulator.platforms.pc_config import BoardConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringscope.emulator.devices.disk_image import DiskImage
    from ringscope.emulator.platforms.pc_config import PcConfig, UartConfig

MP_POINTER = 0xF0000  # the specification has it searched for from here


class Outputs(NamedTuple):
    """Where what the guest prints goes, byte by byte."""

    com1: Callable[[int], None]
    com2: Callable[[int], None]
    debug: Callable[[int], None]


class Expecting(Protocol):
    """A chip that knows whether it will ask for an interrupt by itself."""

    @property
    def expecting(self) -> bool:
        """Whether something is due."""
        ...


class IsaLine(Stateful):
    """One interrupt request, wired to both controllers."""

    __slots__ = ("_io_apic", "_irq", "_pic", "_pin", "level")
    STATE = ("level",)

    def __init__(self, pic: PicPair, io_apic: IoApic, irq: int, pin: int) -> None:
        """Start at rest."""
        self._pic = pic
        self._io_apic = io_apic
        self._irq = irq
        self._pin = pin
        self.level = False

    def set(self, level: bool) -> None:
        """Drive both inputs."""
        if level != self.level:
            self.level = level
            self._pic.set_line(self._irq, level)
            self._io_apic.set_line(self._pin, level)


class Board(Stateful):
    """A PC with one processor's worth of board around it.

    `on_interrupt_change` is called whenever the INTR pin or the vector behind it may have changed, `on_nmi`
    at every NMI (`nmi_pending` stays set until `take_nmi`), `on_exit` when `exit_request` has been made.
    """

    STATE = tuple(
        """
        exit_request nmi_pending unclaimed pic local_apic io_apic pit system_control rtc keyboard com1
        com2 disk vga acpi
    """.split()
    )

    def __init__(
        self, config: PcConfig, clock: Clock, ram_bytes: int, outputs: Outputs, disk: DiskImage | None = None
    ) -> None:
        """Power on; hooks are set afterwards. Raise BoardConfigError when two chips share a port."""
        self.config = config
        self.clock = clock
        self.exit_request: ExitRequest | None = None
        self.nmi_pending = False
        self.unclaimed: dict[int, int] = {}
        self.on_interrupt_change: Callable[[], None] = _nothing
        self.on_nmi: Callable[[], None] = _nothing
        self.on_exit: Callable[[], None] = _nothing

        self.pic = PicPair(config.pic.master, config.pic.slave, config.pic.elcr, self._pic_changed)
        self.local_apic = LocalApic(
            clock,
            config.apic.timer_hz,
            self.pic,
            self._interrupt_changed,
            on_nmi=self._nmi,
            end_of_interrupt=self._end_of_interrupt,
        )
        self.io_apic = IoApic(config.apic.io_apic_id, self.local_apic.deliver, self._io_apic_changed)
        self.pit = Pit8254(clock, config.pit.port, self._line(config.pit.irq))
        self.system_control = SystemControl(self.pit, self._reset)
        self.rtc = CmosRtc(clock, config.rtc.port, self._line(config.rtc.irq), config.clock.date)
        self.rtc.set_memory_size(ram_bytes)
        self.keyboard = I8042(
            self._line(config.keyboard.irq), lambda: self._unmasked(config.keyboard.irq), self._reset
        )
        self.com1 = self._uart(config.com1, outputs.com1)
        self.com2 = self._uart(config.com2, outputs.com2) if config.com2 is not None else None
        self.disk = AtaDisk(
            clock,
            self._line(config.disk.irq),
            disk,
            config.disk.access_us * clock.hz // 1_000_000,
            config.disk.block_us * clock.hz // 1_000_000,
        )
        self.vga = VgaText(clock)
        self.acpi = AcpiPm(clock, config.acpi.port, self._line(config.acpi.irq), self._power_off)
        self.receiver: Receiver = InputRouter((self.com1, self.keyboard))
        self._sources: tuple[tuple[int, Expecting, bool], ...] = (
            (config.pit.irq, self.pit, False),
            (config.rtc.irq, self.rtc, False),
            (config.com1.irq, self.com1, True),
            *(((config.com2.irq, self.com2, False),) if config.com2 and self.com2 else ()),
            (config.keyboard.irq, self.keyboard, True),
            (config.disk.irq, self.disk, False),
            (config.acpi.irq, self.acpi, False),
        )
        self.mmio: tuple[MmioDevice, ...] = (self.local_apic, self.io_apic)
        self._ports = self._claim(
            self.pic,
            self.pit,
            self.system_control,
            self.rtc,
            self.keyboard,
            self.com1,
            *((self.com2,) if self.com2 is not None else ()),
            self.disk,
            self.vga,
            self.acpi,
            DebugConsole(config.debug.console, outputs.debug),
            ExitPort(config.debug.exit, self._exit_port),
        )

    def attach_screen(self, memory: Callable[[], bytes], output: Callable[[str], None]) -> VgaConsole:
        """Print what appears on the text screen; `memory` returns a copy of the 32 KiB at 0xB8000."""
        return VgaConsole(self.clock, self.vga, memory, output)

    # --- port space -----------------------------------------------------------------------------------------

    def read_port(self, port: int, size: int) -> int:
        """Return what `in` of 1, 2 or 4 bytes reads."""
        device = self._ports.get(port)
        if device is None:
            return self._read_unclaimed(port, size)
        if size <= device.port_width:
            return device.read_port(port, size)
        width = device.port_width
        return sum(self.read_port(port + done, width) << 8 * done for done in range(0, size, width))

    def write_port(self, port: int, size: int, value: int) -> None:
        """Do what `out` of 1, 2 or 4 bytes does."""
        device = self._ports.get(port)
        if device is None:
            self.unclaimed[port] = self.unclaimed.get(port, 0) + 1
        elif size <= device.port_width:
            device.write_port(port, size, value)
        else:
            width = device.port_width
            mask = (1 << 8 * width) - 1
            for done in range(0, size, width):
                self.write_port(port + done, width, value >> 8 * done & mask)

    def _read_unclaimed(self, port: int, size: int) -> int:
        self.unclaimed[port] = self.unclaimed.get(port, 0) + 1
        return (1 << 8 * size) - 1

    def _claim(self, *devices: PortDevice) -> dict[int, PortDevice]:
        claimed: dict[int, PortDevice] = {}
        for device in devices:
            for port in (port for ports in device.ports for port in ports):
                if port in claimed:
                    names = f"{type(claimed[port]).__name__} and {type(device).__name__}"
                    raise BoardConfigError(f"the board puts both {names} at port {port:#x}; move one of them")
                claimed[port] = device
        return claimed

    # --- interrupts -----------------------------------------------------------------------------------------

    def interrupt_pending(self) -> bool:
        """Return the level of the processor's INTR pin."""
        return self.local_apic.interrupt

    def acknowledge(self) -> int:
        """Take the interrupt and return its vector; a spurious one when INTR has fallen meanwhile."""
        return self.local_apic.acknowledge()

    def take_nmi(self) -> None:
        """Note that the processor has taken the NMI."""
        self.nmi_pending = False

    def wake_possible(self, *, input_alive: bool = True) -> bool:
        """Return whether anything is on its way that could interrupt the processor.

        False means that a halted processor sleeps for ever: every chip that has something due is masked.
        `input_alive` says whether the host may still send something.
        """
        timer = self.local_apic.timer.armed and not self.local_apic.lvt[REG_LVT_TIMER] & LVT_MASKED
        return timer or any(
            (chip.expecting or (input_alive and takes_input)) and self._unmasked(irq)
            for irq, chip, takes_input in self._sources
        )

    def _unmasked(self, irq: int) -> bool:
        """Return whether a request on `irq` reaches the processor on either way."""
        through_pic = self.local_apic.external_open and self.pic.unmasked(irq)
        return through_pic or self.io_apic.unmasked(self._pin(irq))

    def _line(self, irq: int) -> Line:
        return IsaLine(self.pic, self.io_apic, irq, self._pin(irq))

    def _pin(self, irq: int) -> int:
        return TIMER_GSI if irq == self.config.pit.irq else irq

    def _uart(self, config: UartConfig, output: Callable[[int], None]) -> Uart16550:
        programmed = config.rate == "programmed"
        return Uart16550(self.clock, config.port, self._line(config.irq), output, programmed_rate=programmed)

    def _pic_changed(self) -> None:
        self.local_apic.external_changed()

    def _io_apic_changed(self) -> None:
        self.local_apic.routed_external = self.io_apic.external_open
        self._interrupt_changed()

    def _interrupt_changed(self) -> None:
        self.on_interrupt_change()

    def _end_of_interrupt(self, vector: int) -> None:
        self.io_apic.end_of_interrupt(vector)

    def _nmi(self) -> None:
        self.nmi_pending = True
        self.on_nmi()

    # --- the end --------------------------------------------------------------------------------------------

    def _exit_port(self, value: int) -> None:
        self._exit(ExitRequest(ExitKind.EXIT_PORT, value, f"port {self.config.debug.exit:#x}"))

    def _power_off(self) -> None:
        self._exit(ExitRequest(ExitKind.POWER_OFF, 0, "ACPI S5"))

    def _reset(self, source: str) -> None:
        self._exit(ExitRequest(ExitKind.RESET, 0, source))

    def _exit(self, request: ExitRequest) -> None:
        """Keep the first request."""
        if self.exit_request is None:
            self.exit_request = request
            self.on_exit()

    # --- what firmware leaves in memory ---------------------------------------------------------------------

    def memory_map(self, ram_bytes: int) -> list[MemoryRange]:
        """Return (base, length, kind) of each range of memory that firmware reports, in ascending order."""
        return memory_map(ram_bytes)

    def root_pointer(self) -> bytes:
        """Return the 36 bytes of the ACPI root pointer, which loaders hand on."""
        return acpi_tables(self.config, FIRMWARE)[:ROOT_POINTER_BYTES]

    def firmware_tables(self, ram_bytes: int) -> list[tuple[int, bytes]]:
        """Return (physical address, bytes) of what firmware leaves: BIOS data, ACPI and MP tables."""
        del ram_bytes  # the same for every size of memory
        return [
            (BDA, bios_data_area(self.config, disks=0 if self.disk.disk is None else 1)),
            (EBDA, extended_bios_data_area()),
            (FIRMWARE, acpi_tables(self.config, FIRMWARE)),
            (MP_POINTER, mp_table(self.config, MP_POINTER)),
        ]


def _nothing() -> None:
    """Do nothing until the machine sets its hook."""
