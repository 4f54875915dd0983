# SPDX-License-Identifier: GPL-2.0-or-later
"""The systems there are: a board, the processor that fits it, and what each asks of the other.

``Machine`` runs a system without knowing which; the architectures differ here and in ``cpu/ARCH``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ringscope.bootimage import BootRequest, LoadedImage, MemoryLayout, MemoryRegion, load
from ringscope.bootimage.arm64 import LoadedArm64, load_arm64
from ringscope.emulator.cpu.aarch64.decode import Decoder as ArmDecoder
from ringscope.emulator.cpu.aarch64.engine import ArmEngine
from ringscope.emulator.cpu.aarch64.saved_registers import SavedRegisters as ArmSavedRegisters
from ringscope.emulator.cpu.handlers import Handlers
from ringscope.emulator.cpu.x86_64.cpuid import Cpuid
from ringscope.emulator.cpu.x86_64.decode import Decoder
from ringscope.emulator.cpu.x86_64.engine import X86Engine
from ringscope.emulator.cpu.x86_64.msr import ModelSpecificRegisters
from ringscope.emulator.cpu.x86_64.saved_registers import SavedRegisters
from ringscope.emulator.devices.generic_timer import TimerRegister
from ringscope.emulator.devices.vga_text import MEMORY_BASE, MEMORY_LENGTH
from ringscope.emulator.devices.virtqueue import BusError
from ringscope.emulator.native import library as native
from ringscope.emulator.platforms.pc import Board, Outputs
from ringscope.emulator.platforms.pc_config import PcConfig
from ringscope.emulator.platforms.virt import VirtBoard, VirtOutputs
from ringscope.emulator.platforms.virt_config import VirtConfig
from ringscope.emulator.timing import native_config

if TYPE_CHECKING:
    import ctypes
    from collections.abc import Callable

    from ringscope.emulator.cpu.engine import Engine
    from ringscope.emulator.devices.disk_image import DiskImage
    from ringscope.emulator.devices.event_queue import EventQueue
    from ringscope.emulator.devices.interfaces import MmioDevice
    from ringscope.emulator.devices.state import Stateful
    from ringscope.emulator.timing.cost_table import CostTable


@dataclass(frozen=True)
class Surroundings:
    """What a system is built into: its clock, its processor's prices, and where what it prints goes."""

    clock: EventQueue
    costs: CostTable
    ram_bytes: int
    timing: bool
    disk: DiskImage | None
    print_serial: Callable[[int], None]
    print_debug: Callable[[int], None]
    print_text: Callable[[str], None]

    def config(self, arch: str) -> ctypes.Array[ctypes.c_char]:
        """Return the models' configuration."""
        return native_config.native_config(native.load(arch), self.costs.profile)


class System(Protocol):
    """A board with its processor."""

    @property
    def engine(self) -> Engine:
        """The processor."""
        ...

    @property
    def board(self) -> Board | VirtBoard:
        """The chips around it."""
        ...

    @property
    def registers(self) -> SavedRegisters | ArmSavedRegisters:
        """The processor's registers by name, all of them."""
        ...

    def parts(self) -> dict[str, Stateful]:
        """Return everything but the processor that has a state, by names."""
        ...

    def read_image(self, request: BootRequest) -> LoadedImage | LoadedArm64:
        """Read what is to be booted, as this board's boot loader does. Raises ImageError."""
        ...

    def load(self, image: LoadedImage | LoadedArm64) -> None:
        """Put a boot image into memory and the processor at its entry."""
        ...

    def finish(self) -> None:
        """Print what is still to be printed at the end of a run."""
        ...


class _Windows:
    """Dispatches accesses outside of RAM to the devices' windows; elsewhere nothing answers."""

    def __init__(self, devices: tuple[MmioDevice, ...]) -> None:
        self._devices = devices

    def _at(self, paddr: int) -> MmioDevice | None:
        return next((d for d in self._devices if d.base <= paddr < d.base + d.length), None)

    def read(self, paddr: int, size: int) -> int:
        device = self._at(paddr)
        return (1 << 8 * size) - 1 if device is None else device.read_mmio(paddr - device.base, size)

    def write(self, paddr: int, size: int, value: int) -> None:
        device = self._at(paddr)
        if device is not None:
            device.write_mmio(paddr - device.base, size, value)


def _run_events(clock: EventQueue, engine: Engine) -> None:
    clock.run_due(engine.time)
    engine.set_next_event(clock.next_due())


class PcSystem:
    """A PC with an x86 processor."""

    def __init__(self, around: Surroundings) -> None:
        """Power on."""
        self.board = Board(
            PcConfig.load(),
            around.clock,
            around.ram_bytes,
            Outputs(around.print_serial, around.print_serial, around.print_debug),
            around.disk,
        )
        windows = _Windows(self.board.mmio)
        costs = around.costs
        self.engine = X86Engine(
            around.ram_bytes,
            around.config("x86_64"),
            Handlers(
                events=lambda: _run_events(around.clock, self.engine),
                acknowledge=self._acknowledge,
                mmio_read=windows.read,
                mmio_write=windows.write,
                port_in=self.board.read_port,
                port_out=self.board.write_port,
                cpuid=Cpuid(around.costs.profile, around.costs.profile.frequency_hz),
                msr_read=self._msr_read,
                msr_write=self._msr_write,
                task_priority=lambda: self.board.local_apic.task_priority,
                set_task_priority=self.board.local_apic.set_task_priority,
            ),
            lambda out: Decoder(costs, out).decode,
            timing=around.timing,
        )
        self._msrs = ModelSpecificRegisters(self.engine, self.board.local_apic)
        around.clock.cycle_source = lambda: self.engine.time
        self.board.on_nmi = self._nmi
        self._screen = self.board.attach_screen(self._text_memory, around.print_text)
        self.registers = SavedRegisters(self.engine)

    def parts(self) -> dict[str, Stateful]:
        """Return everything but the processor that has a state, by names."""
        return {"board": self.board, "screen": self._screen, "msrs": self._msrs}

    def _acknowledge(self) -> int:
        return self.board.acknowledge()

    def _msr_read(self, index: int) -> int | None:
        return self._msrs.read(index)

    def _msr_write(self, index: int, value: int) -> bool:
        return self._msrs.write(index, value)

    def _nmi(self) -> None:
        self.engine.raise_nmi()
        self.board.take_nmi()

    def _text_memory(self) -> bytes:
        return bytes(self.engine.ram[MEMORY_BASE : MEMORY_BASE + MEMORY_LENGTH])

    def memory_layout(self) -> MemoryLayout:
        """Return the memory as firmware describes it to a boot loader."""
        ram = self.engine.ram_bytes
        regions = tuple(MemoryRegion(*region) for region in self.board.memory_map(ram))
        return MemoryLayout(ram, regions, self.board.root_pointer())

    def read_image(self, request: BootRequest) -> LoadedImage:
        """Read what is to be booted as a Multiboot loader does."""
        return load(request, self.memory_layout())

    def load(self, image: LoadedImage | LoadedArm64) -> None:
        """Put a Multiboot image and firmware's tables into memory."""
        if not isinstance(image, LoadedImage):
            raise TypeError("a PC boots Multiboot images")
        for paddr, data in (*self.board.firmware_tables(self.engine.ram_bytes), *image.writes):
            self.engine.ram[paddr : paddr + len(data)] = data
        self.engine.enter_multiboot(image.entry, image.eax, image.ebx)

    def finish(self) -> None:
        """Print what is new on the text screen."""
        self._screen.finish()


class VirtSystem:
    """The ARM board of QEMU's ``virt`` with an AArch64 processor."""

    def __init__(self, around: Surroundings) -> None:
        """Power on."""
        config = VirtConfig.load()
        self._cpu = around.costs.profile.name
        self.board = VirtBoard(config, around.clock, VirtOutputs(around.print_serial), self, around.disk)
        windows = _Windows(self.board.mmio)
        costs = around.costs
        timer = self.board.timer
        self.engine = ArmEngine(
            around.ram_bytes,
            around.config("aarch64"),
            Handlers(
                events=lambda: _run_events(around.clock, self.engine),
                acknowledge=lambda: 0 if self.board.interrupt_pending() else -1,
                mmio_read=windows.read,
                mmio_write=windows.write,
                firmware=lambda function, first, second: self.board.psci(function, (first, second)) % 2**64,
                timer_read=lambda name: timer.read(TimerRegister(name)),
                timer_write=lambda name, value: timer.write(TimerRegister(name), value),
            ),
            lambda out: ArmDecoder(costs, out).decode,
            timing=around.timing,
            ram_base=config.memory.base,
        )
        around.clock.cycle_source = lambda: self.engine.time
        self.registers = ArmSavedRegisters(self.engine)

    def parts(self) -> dict[str, Stateful]:
        """Return everything but the processor that has a state, by names."""
        return {"board": self.board}

    def read(self, paddr: int, length: int) -> bytes:
        """Return bytes of RAM, for devices that use it by themselves. Raises BusError elsewhere."""
        at = self._offset(paddr, length)
        return bytes(self.engine.ram[at : at + length])

    def write(self, paddr: int, data: bytes) -> None:
        """Store bytes in RAM for such a device; code there is forgotten. Raises BusError elsewhere."""
        at = self._offset(paddr, len(data))
        self.engine.ram[at : at + len(data)] = data
        self.engine.forget_code()

    def _offset(self, paddr: int, length: int) -> int:
        at = paddr - self.engine.ram_base
        if at < 0 or at + length > self.engine.ram_bytes:
            raise BusError(paddr)
        return at

    def read_image(self, request: BootRequest) -> LoadedArm64:
        """Read what is to be booted by the arm64 boot protocol."""
        ram = self.engine.ram_bytes
        regions = tuple(MemoryRegion(*region) for region in self.board.memory_map(ram))

        def make_tree(first: int | None, end: int | None, command_line: str) -> bytes:
            initrd = None if first is None or end is None else (first, end)
            return self.board.device_tree(ram, command_line, initrd, self._cpu)

        return load_arm64(request, MemoryLayout(ram, regions), make_tree)

    def load(self, image: LoadedImage | LoadedArm64) -> None:
        """Put an arm64 image and the device tree into memory."""
        if not isinstance(image, LoadedArm64):
            raise TypeError("this board boots arm64 images")
        for paddr, data in image.writes:
            self.write(paddr, data)
        self.engine.enter_arm64(image.entry, image.x0, 0)

    def finish(self) -> None:
        """Print nothing: the serial port prints at once."""


def build(arch: str, around: Surroundings) -> System:
    """Return the system of an architecture."""
    return PcSystem(around) if arch == "x86_64" else VirtSystem(around)
