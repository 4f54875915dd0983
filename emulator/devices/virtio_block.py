# SPDX-License-Identifier: GPL-2.0-or-later
"""A virtio block device over a disk image (Virtual I/O Device specification 1.1, section 5.2).

Requests are served one after the other. Time is simulated: one that reaches the medium takes the access
time and then the transfer time of each further sector, as the PC's disk does. Its memory is read and
written when it is done, not when it began. It offers FLUSH, BLK_SIZE and SEG_MAX.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, NamedTuple

from ringscope.emulator.devices.disk_image import SECTOR, DiskImage
from ringscope.emulator.devices.state import Stateful
from ringscope.emulator.devices.virtqueue import (
    MOST_DESCRIPTORS,
    BusError,
    Chain,
    Descriptor,
    QueueError,
    Virtqueue,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ringscope.emulator.devices.interfaces import Clock, Event
    from ringscope.emulator.devices.state import Loader, Saver

DEVICE_ID = 2
FEATURE_SEG_MAX, FEATURE_BLK_SIZE, FEATURE_FLUSH = 1 << 2, 1 << 6, 1 << 9
T_IN, T_OUT, T_FLUSH, T_GET_ID = 0, 1, 4, 8
S_OK, S_IO_ERROR, S_UNSUPPORTED = 0, 1, 2
HEADER_BYTES, STATUS_BYTES, ID_BYTES = 16, 1, 20
SERIAL = b"RS00000001"


class Request(NamedTuple):
    """A chain and its header; `bytes` are those of the data, to or from the disk."""

    chain: Chain
    kind: int
    sector: int
    bytes: int


class VirtioBlock(Stateful):
    """The device behind a transport; `disk` holds its sectors."""

    __slots__ = (
        "_access_cycles",
        "_block_cycles",
        "_broken",
        "_clock",
        "_disk",
        "_event",
        "_queue",
        "_request",
        "_used",
    )
    STATE = ("_disk", "_event")
    device_id = DEVICE_ID
    features = FEATURE_SEG_MAX | FEATURE_BLK_SIZE | FEATURE_FLUSH

    def __init__(self, clock: Clock, disk: DiskImage, access_cycles: int, block_cycles: int) -> None:
        """`access_cycles` go by before a request's first sector, `block_cycles` before each further one."""
        self._clock = clock
        self._disk = disk
        self._access_cycles = access_cycles
        self._block_cycles = block_cycles
        self._event: Event | None = None
        self._request: Request | None = None

    def connect(self, queue: Virtqueue, used: Callable[[], None], broken: Callable[[], None]) -> None:
        """Take what the transport gives."""
        self._queue = queue
        self._used = used
        self._broken = broken

    @property
    def expecting(self) -> bool:
        """Whether a request is being served."""
        return self._event is not None

    def state(self, saver: Saver) -> dict[str, Any]:
        """Return the state, with the request being served."""
        request = self._request
        served = request and [request.chain.head, *request[1:], *map(list, request.chain.descriptors)]
        return super().state(saver) | {"_request": served}

    def set_state(self, saved: Mapping[str, Any], loader: Loader) -> None:
        """Take a state."""
        super().set_state(saved, loader)
        self._request = None
        if saved["_request"] is not None:
            head, kind, sector, size, *pieces = saved["_request"]
            chain = self._queue.chain(head, tuple(Descriptor(*piece) for piece in pieces))
            self._request = Request(chain, kind, sector, size)

    def configuration(self) -> bytes:
        """Return struct virtio_blk_config up to blk_size: no limit of a segment's size, no geometry."""
        return struct.pack("<QIIHBBI", self._disk.sectors, 0, MOST_DESCRIPTORS - 2, 0, 0, 0, SECTOR)

    def stop(self) -> None:
        """Give up the request being served; none of its data moves."""
        if self._event is not None:
            self._clock.cancel(self._event)
            self._event = None
            self._request = None

    def notify(self) -> None:
        """Begin with the next request unless one is being served."""
        if self._event is None:
            self._begin(self._clock.cycle)

    def _begin(self, cycle: int) -> None:
        try:
            chain = self._queue.pop()
            if chain is None:
                return
            self._request = _parse(chain)
        except (QueueError, BusError):
            self._broken()
            return
        self._event = self._clock.at(cycle + self._duration(self._request), self._finish)

    def _duration(self, request: Request) -> int:
        """Return the cycles until a request is done."""
        if request.kind in (T_IN, T_OUT) and self._on_disk(request):
            return self._access_cycles + (request.bytes // SECTOR - 1) * self._block_cycles
        return self._access_cycles if request.kind == T_FLUSH else 0

    def _on_disk(self, request: Request) -> bool:
        """Return whether the request is for whole sectors, at least one, that the disk has."""
        sectors, rest = divmod(request.bytes, SECTOR)
        return not rest and sectors > 0 and request.sector + sectors <= self._disk.sectors

    def _finish(self, cycle: int) -> None:
        self._event = None
        request = self._request
        if request is None:
            return
        self._request = None
        try:
            status, written = self._serve(request)
            request.chain.write(request.chain.writable_bytes - STATUS_BYTES, bytes((status,)))
            self._queue.push(request.chain, written + STATUS_BYTES)
            self._used()
        except BusError:
            self._broken()
            return
        self._begin(cycle)

    def _serve(self, request: Request) -> tuple[int, int]:
        """Return the status and how many bytes of data were written to memory."""
        servants = {T_IN: self._read, T_OUT: self._write, T_FLUSH: self._flush, T_GET_ID: self._identify}
        serve = servants.get(request.kind)
        return (S_UNSUPPORTED, 0) if serve is None else serve(request)

    def _read(self, request: Request) -> tuple[int, int]:
        if not self._on_disk(request):
            return S_IO_ERROR, 0
        sectors = range(request.sector, request.sector + request.bytes // SECTOR)
        request.chain.write(0, b"".join(self._disk.read(sector) for sector in sectors))
        return S_OK, request.bytes

    def _write(self, request: Request) -> tuple[int, int]:
        if not self._on_disk(request):
            return S_IO_ERROR, 0
        data = request.chain.read(HEADER_BYTES, request.bytes)
        for index in range(request.bytes // SECTOR):
            self._disk.write(request.sector + index, data[index * SECTOR : (index + 1) * SECTOR])
        return S_OK, 0

    def _flush(self, _request: Request) -> tuple[int, int]:
        self._disk.flush()
        return S_OK, 0

    def _identify(self, request: Request) -> tuple[int, int]:
        if request.bytes < ID_BYTES:
            return S_IO_ERROR, 0
        request.chain.write(0, SERIAL.ljust(ID_BYTES, b"\0"))
        return S_OK, ID_BYTES


def _parse(chain: Chain) -> Request:
    """Read a request's header. Raise QueueError when it lacks one or has no room for the status."""
    if chain.readable_bytes < HEADER_BYTES or chain.writable_bytes < STATUS_BYTES:
        raise QueueError("a request needs a header of 16 bytes to read and a byte of status to write")
    kind, _, sector = struct.unpack("<IIQ", chain.read(0, HEADER_BYTES))
    to_disk = chain.readable_bytes - HEADER_BYTES
    from_disk = chain.writable_bytes - STATUS_BYTES
    return Request(chain, kind, sector, to_disk if kind == T_OUT else from_disk)
