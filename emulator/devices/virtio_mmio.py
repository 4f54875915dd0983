# SPDX-License-Identifier: GPL-2.0-or-later
"""virtio over memory-mapped registers, version 2 (Virtual I/O Device specification 1.1, section 4.2).

`VirtioMmio` is the transport: identification, feature negotiation, the device's status, one queue, and the
interrupt. What the device does is a `VirtioFunction` behind it. A driver that breaks the rules of the queue
finds DEVICE_NEEDS_RESET in the status. `VirtioSlots` is the board's row of windows, which may be empty: an
empty one shows device 0.

Registers are read and written in 32 bits; an access of another width reads 0 and writes nothing, as the
specification lets a device do. The configuration space behind them takes any width.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ringscope.emulator.devices.state import Stateful
from ringscope.emulator.devices.virtqueue import MOST_DESCRIPTORS, PhysicalMemory, Virtqueue

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ringscope.emulator.devices.interfaces import Line

MAGIC, VERSION, VENDOR = 0x74726976, 2, 0x554D4551  # "virt"; small kernels insist on "QEMU"
REG_MAGIC, REG_VERSION, REG_DEVICE, REG_VENDOR = 0x000, 0x004, 0x008, 0x00C
REG_DEVICE_FEATURES, REG_DEVICE_FEATURES_SEL = 0x010, 0x014
REG_DRIVER_FEATURES, REG_DRIVER_FEATURES_SEL = 0x020, 0x024
REG_QUEUE_SEL, REG_QUEUE_NUM_MAX, REG_QUEUE_NUM, REG_QUEUE_READY = 0x030, 0x034, 0x038, 0x044
REG_QUEUE_NOTIFY, REG_INTERRUPT_STATUS, REG_INTERRUPT_ACK, REG_STATUS = 0x050, 0x060, 0x064, 0x070
REG_QUEUE_DESC, REG_QUEUE_DRIVER, REG_QUEUE_DEVICE = 0x080, 0x090, 0x0A0  # and their upper halves, 4 further
REG_SHM = range(0x0B0, 0x0C0)  # length and base of the shared memory chosen
CONFIG = 0x100
IDENTIFICATION = {REG_MAGIC: MAGIC, REG_VERSION: VERSION, REG_VENDOR: VENDOR}

STATUS_DRIVER_OK, STATUS_FEATURES_OK, STATUS_NEEDS_RESET = 0x04, 0x08, 0x40
INTERRUPT_USED, INTERRUPT_CONFIGURATION = 1, 2
VERSION_1 = 1 << 32  # the feature bit of a device after version 1 of the specification
U32 = 0xFFFFFFFF


class VirtioFunction(Protocol):
    """What a transport carries."""

    @property
    def device_id(self) -> int:
        """The kind of device (section 5)."""
        ...

    @property
    def features(self) -> int:
        """What it offers, besides VERSION_1."""
        ...

    @property
    def expecting(self) -> bool:
        """Whether a request is being served."""
        ...

    def configuration(self) -> bytes:
        """Return the device's configuration space, which the driver cannot write."""
        ...

    def connect(self, queue: Virtqueue, used: Callable[[], None], broken: Callable[[], None]) -> None:
        """Take the queue, and whom to tell that a buffer was used or that the driver broke the rules."""
        ...

    def notify(self) -> None:
        """Look at the queue: the driver has put something there."""
        ...

    def stop(self) -> None:
        """Give up what is being served."""
        ...


class VirtioMmio(Stateful):
    """One window of registers, without a place of its own."""

    __slots__ = (
        "_function",
        "_line",
        "_writers",
        "driver_features",
        "driver_features_select",
        "features_select",
        "interrupts",
        "queue",
        "queue_select",
        "status",
    )
    STATE = tuple(
        """
        _function driver_features driver_features_select features_select interrupts queue queue_select
        status
    """.split()
    )

    def __init__(self, function: VirtioFunction, memory: PhysicalMemory, line: Line) -> None:
        """Connect a device with the guest's memory and an interrupt."""
        self._function = function
        self._line = line
        self.queue = Virtqueue(memory)
        function.connect(self.queue, self._used, self._broken)
        self._writers: dict[int, Callable[[int], None]] = {
            REG_DEVICE_FEATURES_SEL: self._choose_features,
            REG_DRIVER_FEATURES: self._write_features,
            REG_DRIVER_FEATURES_SEL: self._choose_driver_features,
            REG_QUEUE_SEL: self._choose_queue,
            REG_QUEUE_NOTIFY: self._notify,
            REG_INTERRUPT_ACK: self._acknowledge,
            REG_STATUS: self._write_status,
        }
        self._reset()

    def _reset(self) -> None:
        self._function.stop()
        self.queue.reset()
        self.status = 0
        self.interrupts = 0
        self.driver_features = 0
        self.driver_features_select = 0
        self.features_select = 0
        self.queue_select = 0
        self._line.set(False)

    # --- the function's side --------------------------------------------------------------------------------

    def _used(self) -> None:
        if self.queue.interrupt_wanted:
            self._interrupt(INTERRUPT_USED)

    def _broken(self) -> None:
        self.status |= STATUS_NEEDS_RESET
        if self.status & STATUS_DRIVER_OK:
            self._interrupt(INTERRUPT_CONFIGURATION)

    def _interrupt(self, cause: int) -> None:
        self.interrupts |= cause
        self._line.set(True)

    # --- the guest's side -----------------------------------------------------------------------------------

    @property
    def expecting(self) -> bool:
        """Whether a request is being served."""
        return self._function.expecting

    @property
    def _features(self) -> int:
        return self._function.features | VERSION_1

    def read(self, offset: int, size: int) -> int:
        """Read a register or a piece of the configuration space."""
        if offset >= CONFIG:
            piece = self._function.configuration()[offset - CONFIG : offset - CONFIG + size]
            return int.from_bytes(piece, "little")
        return self._read_register(offset) if size == 4 else 0

    def _read_register(self, register: int) -> int:
        chosen = self.queue_select == 0
        values = IDENTIFICATION | {
            REG_DEVICE: self._function.device_id,
            REG_DEVICE_FEATURES: self._features >> 32 * self.features_select & U32,
            REG_QUEUE_NUM_MAX: MOST_DESCRIPTORS if chosen else 0,
            REG_QUEUE_READY: int(self.queue.ready and chosen),
            REG_INTERRUPT_STATUS: self.interrupts,
            REG_STATUS: self.status,
        }
        return values.get(register, U32 if register in REG_SHM else 0)  # there is no shared memory

    def write(self, offset: int, size: int, value: int) -> None:
        """Write a register."""
        if size != 4:
            return
        writer = self._writers.get(offset)
        if writer is not None:
            writer(value)
        elif self.queue_select == 0:
            self._write_queue(offset, value)

    def _choose_features(self, value: int) -> None:
        self.features_select = min(value, 2)  # beyond the second word there are none

    def _choose_driver_features(self, value: int) -> None:
        self.driver_features_select = min(value, 2)

    def _choose_queue(self, value: int) -> None:
        self.queue_select = value

    def _notify(self, queue: int) -> None:
        running = self.status & (STATUS_DRIVER_OK | STATUS_NEEDS_RESET) == STATUS_DRIVER_OK
        if queue == 0 and self.queue.ready and running:
            self._function.notify()

    def _acknowledge(self, value: int) -> None:
        self.interrupts &= ~value
        self._line.set(bool(self.interrupts))

    def _write_features(self, value: int) -> None:
        if not self.status & STATUS_FEATURES_OK:
            shift = 32 * self.driver_features_select
            self.driver_features = self.driver_features & ~(U32 << shift) | value << shift

    def _write_status(self, value: int) -> None:
        value &= 0xFF
        if value == 0:
            self._reset()
            return
        if value & ~self.status & STATUS_FEATURES_OK and not self._features_agreed():
            value &= ~STATUS_FEATURES_OK
        self.status = value | self.status & STATUS_NEEDS_RESET

    def _features_agreed(self) -> bool:
        return bool(self.driver_features & VERSION_1) and not self.driver_features & ~self._features

    def _write_queue(self, register: int, value: int) -> None:
        queue = self.queue
        if register == REG_QUEUE_READY:
            if not value & 1 and queue.ready:
                self._function.stop()
                queue.reset()
            elif value & 1:
                queue.ready = queue.valid
        elif not queue.ready:
            match register:
                case 0x038:
                    queue.size = value
                case 0x080 | 0x084:
                    queue.descriptor_area = _half(queue.descriptor_area, register, value)
                case 0x090 | 0x094:
                    queue.driver_area = _half(queue.driver_area, register, value)
                case 0x0A0 | 0x0A4:
                    queue.device_area = _half(queue.device_area, register, value)


class VirtioSlots:
    """A row of `count` windows of `stride` bytes from `base`; `devices` are by slot."""

    __slots__ = ("_devices", "_stride", "base", "length")

    def __init__(self, base: int, stride: int, count: int, devices: Mapping[int, VirtioMmio]) -> None:
        """`devices` has slots below `count`."""
        self._devices = devices
        self._stride = stride
        self.base = base
        self.length = stride * count

    def read_mmio(self, offset: int, size: int) -> int:
        """Read from the slot at `offset`."""
        slot, register = divmod(offset, self._stride)
        device = self._devices.get(slot)
        if device is not None:
            return device.read(register, size)
        return IDENTIFICATION.get(register, 0) if size == 4 else 0

    def write_mmio(self, offset: int, size: int, value: int) -> None:
        """Write to the slot at `offset`; an empty one ignores it."""
        slot, register = divmod(offset, self._stride)
        device = self._devices.get(slot)
        if device is not None:
            device.write(register, size, value)


def _half(address: int, register: int, value: int) -> int:
    """Return an address with one of its 32-bit halves replaced: the upper one lies 4 bytes further."""
    shift = 32 if register & 4 else 0
    return address & ~(U32 << shift) | value << shift
