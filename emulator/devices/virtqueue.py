# SPDX-License-Identifier: GPL-2.0-or-later
"""A split virtqueue, the device's side (Virtual I/O Device specification 1.1, section 2.6).

The driver puts chains of descriptors on the available ring, the device returns them on the used ring. All
three parts lie in the guest's memory, which is read and written by physical address. Nothing optional is
offered: no indirect descriptors and no event index.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from ringscope.emulator.devices.state import Stateful

MOST_DESCRIPTORS = 128
DESC_NEXT, DESC_WRITE, DESC_INDIRECT = 1, 2, 4
AVAIL_NO_INTERRUPT = 1


class BusError(Exception):
    """A device addressed what is not memory; the message says where."""


class QueueError(Exception):
    """The driver broke the queue's rules; the message says how."""


class PhysicalMemory(Protocol):
    """The guest's memory as a device on the bus sees it."""

    def read(self, paddr: int, length: int) -> bytes:
        """Return `length` bytes. Raise BusError unless all of them are memory."""
        ...

    def write(self, paddr: int, data: bytes) -> None:
        """Store bytes. Raise BusError unless all of them are memory."""
        ...


class Descriptor(NamedTuple):
    """One piece of a buffer; `writable` is the device's right."""

    paddr: int
    length: int
    writable: bool


@dataclass(frozen=True, slots=True)
class Chain:
    """A buffer: what the device may read, and after it what it may write. `head` names it to the driver."""

    memory: PhysicalMemory
    head: int
    descriptors: tuple[Descriptor, ...]

    def _length(self, *, writable: bool) -> int:
        return sum(piece.length for piece in self.descriptors if piece.writable is writable)

    @property
    def readable_bytes(self) -> int:
        """Bytes in the part that the device reads."""
        return self._length(writable=False)

    @property
    def writable_bytes(self) -> int:
        """Bytes in the part that the device writes."""
        return self._length(writable=True)

    def read(self, start: int, length: int) -> bytes:
        """Return bytes `start` to `start` + `length` of the readable part. Raise BusError."""
        found = bytearray()
        for piece, skipped, count in self._pieces(start, length, writable=False):
            found += self.memory.read(piece.paddr + skipped, count)
        return bytes(found)

    def write(self, start: int, data: bytes) -> None:
        """Store bytes from `start` in the writable part. Raise BusError."""
        done = 0
        for piece, skipped, count in self._pieces(start, len(data), writable=True):
            self.memory.write(piece.paddr + skipped, data[done : done + count])
            done += count

    def _pieces(self, start: int, length: int, *, writable: bool) -> list[tuple[Descriptor, int, int]]:
        """Return (descriptor, offset in it, bytes) of a stretch, which lies within the part."""
        pieces = []
        for piece in self.descriptors:
            if piece.writable is writable:
                count = min(max(piece.length - start, 0), length)
                if count:
                    pieces.append((piece, start, count))
                start, length = max(start - piece.length, 0), length - count
        return pieces


class Virtqueue(Stateful):
    """The queue; the transport sets its size and addresses while it is not `ready`."""

    __slots__ = (
        "_memory",
        "_taken",
        "_used",
        "descriptor_area",
        "device_area",
        "driver_area",
        "ready",
        "size",
    )
    STATE = ("_taken", "_used", "descriptor_area", "device_area", "driver_area", "ready", "size")

    def __init__(self, memory: PhysicalMemory) -> None:
        """Start unset."""
        self._memory = memory
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self.size = 0
        self.ready = False
        self.descriptor_area = 0
        self.driver_area = 0
        self.device_area = 0
        self._taken = 0  # entries of the available ring, modulo 2**16
        self._used = 0

    @property
    def valid(self) -> bool:
        """Whether the size is one that may be used: a power of two, not above 128."""
        return 0 < self.size <= MOST_DESCRIPTORS and not self.size & self.size - 1

    @property
    def interrupt_wanted(self) -> bool:
        """Whether the driver wants to hear of used buffers. May raise BusError."""
        return not self._half(self.driver_area) & AVAIL_NO_INTERRUPT

    def pop(self) -> Chain | None:
        """Take the next chain, None when there is none. Raise QueueError and BusError."""
        offered = self._half(self.driver_area + 2)
        waiting = offered - self._taken & 0xFFFF
        if not waiting:
            return None
        if waiting > self.size:
            raise QueueError(f"{waiting} buffers are available in a queue of {self.size}")
        head = self._half(self.driver_area + 4 + 2 * (self._taken % self.size))
        self._taken = self._taken + 1 & 0xFFFF
        return self.chain(head, tuple(self._descriptors(head)))

    def chain(self, head: int, descriptors: tuple[Descriptor, ...]) -> Chain:
        """Return the chain of some descriptors."""
        return Chain(self._memory, head, descriptors)

    def push(self, chain: Chain, written: int) -> None:
        """Return a chain with so many bytes written to its writable part. Raise BusError."""
        entry = struct.pack("<II", chain.head, written)
        self._memory.write(self.device_area + 4 + 8 * (self._used % self.size), entry)
        self._used = self._used + 1 & 0xFFFF
        self._memory.write(self.device_area + 2, struct.pack("<H", self._used))

    def _descriptors(self, index: int) -> list[Descriptor]:
        chain: list[Descriptor] = []
        more = True
        while more:
            if index >= self.size:
                raise QueueError(f"descriptor {index} in a queue of {self.size}")
            if len(chain) == self.size:
                raise QueueError(f"the chain at descriptor {index} has no end")
            record = self._memory.read(self.descriptor_area + 16 * index, 16)
            paddr, length, flags, index = struct.unpack("<QIHH", record)
            if flags & DESC_INDIRECT:
                raise QueueError("an indirect descriptor, which was not offered")
            piece = Descriptor(paddr, length, bool(flags & DESC_WRITE))
            if chain and chain[-1].writable and not piece.writable:
                raise QueueError("a part to read lies behind a part to write")
            chain.append(piece)
            more = bool(flags & DESC_NEXT)
        return chain

    def _half(self, paddr: int) -> int:
        return int.from_bytes(self._memory.read(paddr, 2), "little")
