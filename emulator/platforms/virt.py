# SPDX-License-Identifier: GPL-2.0-or-later
"""The ARM board: its chips created and wired, as QEMU's `virt` has them around one processor.

The machine sees two interrupt inputs (`interrupt_pending`, `fast_interrupt_pending`), the windows in
`mmio`, the timer's registers (`timer`), and firmware's calls (`psci`). The processor acknowledges
interrupts itself, by reading the interrupt controller.

The guest ends the run by PSCI SYSTEM_OFF, with status 0: the board has no way to give another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ringscope.emulator.devices.generic_timer import GenericTimer
from ringscope.emulator.devices.gic_v2 import PPIS, SGIS, GicV2
from ringscope.emulator.devices.interfaces import Clock, ExitKind, ExitRequest, MmioDevice, Receiver
from ringscope.emulator.devices.pl011 import Pl011
from ringscope.emulator.devices.pl031 import Pl031
from ringscope.emulator.devices.state import Stateful
from ringscope.emulator.devices.virtio_block import VirtioBlock
from ringscope.emulator.devices.virtio_mmio import VirtioMmio, VirtioSlots
from ringscope.emulator.platforms.memory_map import MemoryKind, MemoryRange
from ringscope.emulator.platforms.psci import Psci
from ringscope.emulator.platforms.virt_tree import BootArguments, device_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ringscope.emulator.devices.disk_image import DiskImage
    from ringscope.emulator.devices.virtqueue import PhysicalMemory
    from ringscope.emulator.platforms.virt_config import VirtConfig


class VirtOutputs(NamedTuple):
    """Where what the guest prints goes, byte by byte."""

    uart: Callable[[int], None]


class VirtBoard(Stateful):
    """A board with one processor.

    `on_interrupt_change` is called whenever an interrupt input may have changed, `on_exit` when
    `exit_request` has been made.
    """

    STATE = ("exit_request", "gic", "timer", "uart", "rtc", "disk")

    def __init__(
        self,
        config: VirtConfig,
        clock: Clock,
        outputs: VirtOutputs,
        memory: PhysicalMemory,
        disk: DiskImage | None = None,
    ) -> None:
        """Power on; hooks are set afterwards. `memory` is for the devices that use it by themselves."""
        self.config = config
        self.clock = clock
        self.exit_request: ExitRequest | None = None
        self.on_interrupt_change: Callable[[], None] = _nothing
        self.on_exit: Callable[[], None] = _nothing

        self.gic = GicV2(
            config.gic.distributor, config.gic.cpu_interface, config.gic.spis, self._interrupt_changed
        )
        self.timer = GenericTimer(
            clock,
            config.timer.hz,
            physical=self.gic.line(_private(config.timer.physical_ppi)),
            virtual=self.gic.line(_private(config.timer.virtual_ppi)),
        )
        self.uart = Pl011(
            clock,
            config.uart.base,
            self.gic.line(_shared(config.uart.spi)),
            outputs.uart,
            config.uart.clock_hz,
            programmed_rate=config.uart.rate == "programmed",
        )
        self.rtc = Pl031(clock, config.rtc.base, self.gic.line(_shared(config.rtc.spi)), config.clock.date)
        self.disk = self._disk(disk, memory) if disk is not None else None
        slots = {} if self.disk is None else {config.disk.slot: self.disk}
        self.receiver: Receiver = self.uart
        self.mmio: tuple[MmioDevice, ...] = (
            self.gic,
            self.gic.cpu_interface,
            self.uart,
            self.rtc,
            VirtioSlots(config.virtio.base, config.virtio.stride, config.virtio.slots, slots),
        )
        self._psci = Psci(self._power_off, self._reset)

    def _disk(self, disk: DiskImage, memory: PhysicalMemory) -> VirtioMmio:
        config = self.config.disk
        function = VirtioBlock(
            self.clock,
            disk,
            config.access_us * self.clock.hz // 1_000_000,
            config.block_us * self.clock.hz // 1_000_000,
        )
        return VirtioMmio(function, memory, self.gic.line(self._disk_intid))

    @property
    def _disk_intid(self) -> int:
        return _shared(self.config.virtio.spi + self.config.disk.slot)

    # --- interrupts -----------------------------------------------------------------------------------------

    def interrupt_pending(self) -> bool:
        """Return the level of the processor's IRQ input."""
        return self.gic.cpu_interface.interrupt

    def fast_interrupt_pending(self) -> bool:
        """Return the level of the processor's FIQ input."""
        return self.gic.cpu_interface.fast_interrupt

    def wake_possible(self, *, input_alive: bool = True) -> bool:
        """Return whether anything is on its way that could interrupt the processor.

        False means that a processor that waits for an interrupt sleeps for ever. `input_alive` says whether
        the host may still send something.
        """
        config = self.config
        sources = (
            (_private(config.timer.physical_ppi), self.timer.physical.armed),
            (_private(config.timer.virtual_ppi), self.timer.virtual.armed),
            (_shared(config.uart.spi), self.uart.expecting or (input_alive and self.uart.listening)),
            (_shared(config.rtc.spi), self.rtc.expecting),
            (self._disk_intid, self.disk is not None and self.disk.expecting),
        )
        return any(due and self.gic.cpu_interface.reaches_processor(intid) for intid, due in sources)

    def _interrupt_changed(self) -> None:
        self.on_interrupt_change()

    # --- the end --------------------------------------------------------------------------------------------

    def psci(self, function: int, args: Sequence[int]) -> int:
        """Do what HVC asks of firmware, `function` from w0 and `args` from x1 on; return what x0 becomes.

        Negative for an error, as a signed number. After SYSTEM_OFF, SYSTEM_RESET and CPU_OFF, which do not
        return to the guest, there is an `exit_request`.
        """
        return self._psci.call(function, args)

    def _power_off(self, source: str) -> None:
        self._exit(ExitRequest(ExitKind.POWER_OFF, 0, source))

    def _reset(self, source: str) -> None:
        self._exit(ExitRequest(ExitKind.RESET, 0, source))

    def _exit(self, request: ExitRequest) -> None:
        """Keep the first request."""
        if self.exit_request is None:
            self.exit_request = request
            self.on_exit()

    # --- what firmware knows --------------------------------------------------------------------------------

    def memory_map(self, ram_bytes: int) -> list[MemoryRange]:
        """Return the ranges of RAM; firmware keeps none of it."""
        return [MemoryRange(self.config.memory.base, ram_bytes, MemoryKind.USABLE)]

    def device_tree(
        self,
        ram_bytes: int,
        bootargs: str = "",
        initrd: tuple[int, int] | None = None,
        cpu: str = "cortex-a57",
    ) -> bytes:
        """Return the flattened device tree, which the guest finds by the address in x0.

        `initrd` is (first, end), physical, of the initial RAM disk; `cpu` is the profile's processor.
        """
        return device_tree(self.config, ram_bytes, cpu, BootArguments(bootargs, initrd))


def _private(ppi: int) -> int:
    """Return the INTID of a processor's own peripheral interrupt."""
    return SGIS + ppi


def _shared(spi: int) -> int:
    """Return the INTID of a shared peripheral interrupt."""
    return SGIS + PPIS + spi


def _nothing() -> None:
    """Do nothing until the machine sets its hook."""
