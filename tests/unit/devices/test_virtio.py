# SPDX-License-Identifier: GPL-2.0-or-later
"""The virtio disk against the Virtual I/O Device specification 1.1: transport, queue, block device."""

from __future__ import annotations

import struct

import pytest

from ringscope.emulator.devices.disk_image import DiskImage
from ringscope.emulator.devices.virtio_block import VirtioBlock
from ringscope.emulator.devices.virtio_mmio import VirtioMmio, VirtioSlots
from ringscope.emulator.devices.virtqueue import BusError

MAGIC, VERSION, DEVICE, FEATURES, FEATURES_SEL = 0x00, 0x04, 0x08, 0x10, 0x14
DRIVER_FEATURES, DRIVER_FEATURES_SEL = 0x20, 0x24
QUEUE_SEL, NUM_MAX, NUM, READY, NOTIFY = 0x30, 0x34, 0x38, 0x44, 0x50
INTERRUPT, ACK, STATUS, CONFIG = 0x60, 0x64, 0x70, 0x100
ACKNOWLEDGE, DRIVER, DRIVER_OK, FEATURES_OK, NEEDS_RESET = 1, 2, 4, 8, 0x40
IN, OUT, FLUSH, GET_ID = 0, 1, 4, 8
NEXT, WRITE, INDIRECT = 1, 2, 4
SECTORS, SIZE = 8, 8
DESCRIPTORS, AVAILABLE, USED, HEADER, STATUS_BYTE, DATA = 0x1000, 0x2000, 0x3000, 0x4000, 0x4100, 0x5000
ACCESS, BLOCK = 3000, 300  # cycles


class Memory:
    """64 KiB from address 0."""

    def __init__(self):
        self.bytes = bytearray(0x10000)

    def read(self, paddr, length):
        self._check(paddr, length)
        return bytes(self.bytes[paddr : paddr + length])

    def write(self, paddr, data):
        self._check(paddr, len(data))
        self.bytes[paddr : paddr + len(data)] = data

    def _check(self, paddr, length):
        if paddr + length > len(self.bytes):
            raise BusError(f"no memory at {paddr:#x}")


class Guest:
    """A driver that does one step at a time."""

    def __init__(self, clock, wire, disk):
        self.memory = Memory()
        self.device = VirtioMmio(VirtioBlock(clock, disk, ACCESS, BLOCK), self.memory, wire)
        self.offered = 0

    def read(self, register):
        return self.device.read(register, 4)

    def write(self, register, value):
        self.device.write(register, 4, value)

    def put(self, paddr, form, *values):
        self.memory.write(paddr, struct.pack("<" + form, *values))

    def get(self, paddr, form):
        return struct.unpack("<" + form, self.memory.read(paddr, struct.calcsize("<" + form)))

    def start(self, features=1 << 32):
        self.write(STATUS, ACKNOWLEDGE | DRIVER)
        for select in (0, 1):
            self.write(DRIVER_FEATURES_SEL, select)
            self.write(DRIVER_FEATURES, features >> 32 * select & 0xFFFFFFFF)
        self.write(STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK)
        self.write(QUEUE_SEL, 0)
        self.write(NUM, SIZE)
        for register, address in ((0x80, DESCRIPTORS), (0x90, AVAILABLE), (0xA0, USED)):
            self.write(register, address)
            self.write(register + 4, 0)
        self.write(READY, 1)
        self.write(STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK)

    def describe(self, *pieces):
        """Write a chain from descriptor 0 of (address, length, flags); all but the last go on."""
        for index, (paddr, length, flags) in enumerate(pieces):
            more = NEXT if index + 1 < len(pieces) else 0
            self.put(DESCRIPTORS + 16 * index, "QIHH", paddr, length, flags | more, index + 1)

    def offer(self, head=0):
        self.put(AVAILABLE + 4 + 2 * (self.offered % SIZE), "H", head)
        self.offered += 1
        self.put(AVAILABLE + 2, "H", self.offered & 0xFFFF)
        self.write(NOTIFY, 0)

    def request(self, kind, sector, length=512, paddr=DATA):
        """Offer the usual chain: header, data, status."""
        self.put(HEADER, "IIQ", kind, 0, sector)
        self.put(STATUS_BYTE, "B", 0xEE)
        data = [(paddr, length, 0 if kind == OUT else WRITE)] if length else []
        self.describe((HEADER, 16, 0), *data, (STATUS_BYTE, 1, WRITE))
        self.offer()

    @property
    def status(self):
        return self.memory.bytes[STATUS_BYTE]

    @property
    def used(self):
        """How many buffers came back, and (head, bytes written) of the last."""
        (count,) = self.get(USED + 2, "H")
        return count, self.get(USED + 4 + 8 * ((count - 1) % SIZE), "II")


@pytest.fixture
def image(tmp_path):
    file = tmp_path / "disk.img"
    file.write_bytes(b"".join(bytes([sector]) * 512 for sector in range(SECTORS)))
    return DiskImage(file)


@pytest.fixture
def guest(clock, wire, image):
    return Guest(clock, wire, image)


@pytest.fixture
def running(guest):
    guest.start()
    return guest


class TestTransport:
    """Identification, negotiation, status."""

    def test_it_is_a_block_device_behind_version_2(self, guest):
        assert [guest.read(at) for at in (MAGIC, VERSION, DEVICE)] == [0x74726976, 2, 2]

    def test_it_offers_version_1_flush_the_sector_size_and_the_segments(self, guest):
        offered = []
        for select in (0, 1, 2):
            guest.write(FEATURES_SEL, select)
            offered.append(guest.read(FEATURES))
        assert offered == [1 << 9 | 1 << 6 | 1 << 2, 1, 0]

    def test_the_configuration_tells_the_capacity_and_the_sector_size(self, guest):
        assert guest.read(CONFIG) | guest.read(CONFIG + 4) << 32 == SECTORS
        assert guest.read(CONFIG + 20) == 512
        assert guest.device.read(CONFIG, 1) == SECTORS

    def test_agreed_features_stay_agreed(self, running):
        assert running.read(STATUS) == ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK

    @pytest.mark.parametrize("features", [1 << 9, 1 << 32 | 1 << 28])
    def test_an_old_driver_and_one_that_wants_too_much_are_refused(self, guest, features):
        guest.write(STATUS, ACKNOWLEDGE | DRIVER)
        for select in (0, 1):
            guest.write(DRIVER_FEATURES_SEL, select)
            guest.write(DRIVER_FEATURES, features >> 32 * select & 0xFFFFFFFF)
        guest.write(STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK)
        assert not guest.read(STATUS) & FEATURES_OK

    def test_there_is_one_queue(self, guest):
        assert guest.read(NUM_MAX) == 128
        guest.write(QUEUE_SEL, 1)
        assert guest.read(NUM_MAX) == 0

    @pytest.mark.parametrize("size", [0, 3, 256])
    def test_a_queue_of_a_size_that_is_not_allowed_does_not_become_ready(self, guest, size):
        guest.write(NUM, size)
        guest.write(READY, 1)
        assert guest.read(READY) == 0

    def test_the_queue_stands_still_while_it_is_ready(self, running):
        running.write(NUM, 4)
        running.write(0x80, 0x8000)
        assert (running.device.queue.size, running.device.queue.descriptor_area) == (SIZE, DESCRIPTORS)

    def test_there_is_no_shared_memory(self, guest):
        assert guest.read(0xB0) == guest.read(0xB4) == 0xFFFFFFFF

    def test_registers_know_no_other_width_than_32_bits(self, guest):
        guest.device.write(STATUS, 1, 1)
        assert (guest.read(STATUS), guest.device.read(MAGIC, 1)) == (0, 0)

    def test_reset_forgets_everything_and_lowers_the_interrupt(self, running, clock, wire):
        running.request(IN, 1)
        clock.run_for(ACCESS)
        assert wire.level
        running.write(STATUS, 0)
        assert (running.read(STATUS), running.read(READY), running.read(INTERRUPT)) == (0, 0, 0)
        assert not wire.level

    def test_an_empty_slot_shows_device_0(self, guest):
        slots = VirtioSlots(0x0A00_0000, 0x200, 32, {31: guest.device})
        assert slots.length == 0x4000
        assert [slots.read_mmio(at, 4) for at in (MAGIC, VERSION, DEVICE)] == [0x74726976, 2, 0]
        assert slots.read_mmio(31 * 0x200 + DEVICE, 4) == 2

    def test_a_write_reaches_the_slot_it_is_meant_for(self, guest):
        slots = VirtioSlots(0x0A00_0000, 0x200, 32, {31: guest.device})
        slots.write_mmio(30 * 0x200 + STATUS, 4, 1)
        assert guest.read(STATUS) == 0
        slots.write_mmio(31 * 0x200 + STATUS, 4, 1)
        assert guest.read(STATUS) == 1


class TestRequests:
    """What the disk does."""

    def test_a_read_brings_the_sector_and_interrupts(self, running, clock, wire):
        running.request(IN, 3)
        clock.run_for(ACCESS)
        assert running.memory.bytes[DATA : DATA + 512] == b"\3" * 512
        assert (running.status, running.used) == (0, (1, (0, 513)))
        assert (wire.level, running.read(INTERRUPT)) == (True, 1)

    def test_acknowledging_lowers_the_interrupt(self, running, clock, wire):
        running.request(IN, 3)
        clock.run_for(ACCESS)
        running.write(ACK, 1)
        assert (wire.level, running.read(INTERRUPT)) == (False, 0)

    def test_a_driver_that_polls_is_not_interrupted(self, running, clock, wire):
        running.put(AVAILABLE, "H", 1)
        running.request(IN, 3)
        clock.run_for(ACCESS)
        assert (running.used[0], wire.level) == (1, False)

    def test_a_write_reaches_the_disk_when_it_is_done_and_not_before(self, running, clock, image):
        running.memory.write(DATA, b"w" * 512)
        running.request(OUT, 2)
        clock.run_for(ACCESS - 1)
        assert image.read(2) == b"\2" * 512
        clock.run_for(1)
        assert image.read(2) == b"w" * 512
        assert (running.status, running.used) == (0, (1, (0, 1)))

    def test_each_further_sector_takes_its_time(self, running, clock):
        running.request(IN, 0, 4 * 512)
        clock.run_for(ACCESS + 3 * BLOCK - 1)
        assert (running.used[0], running.device.expecting) == (0, True)
        clock.run_for(1)
        assert (running.used[0], running.device.expecting) == (1, False)

    def test_requests_are_served_one_after_the_other(self, running, clock):
        running.request(IN, 1)
        running.offer()
        clock.run_for(2 * ACCESS - 1)
        assert running.used[0] == 1
        clock.run_for(1)
        assert running.used[0] == 2

    def test_the_rings_go_round(self, running, clock):
        for number in range(3 * SIZE):
            running.request(IN, number % SECTORS)
            clock.run_for(ACCESS)
            assert running.memory.bytes[DATA] == number % SECTORS
        assert running.used[0] == 3 * SIZE

    def test_data_may_lie_in_pieces_of_any_size(self, running, clock):
        running.put(HEADER, "IIQ", IN, 0, 1)
        running.describe(
            (HEADER, 7, 0), (HEADER + 7, 9, 0), (DATA, 100, WRITE), (DATA + 0x800, 413, WRITE)
        )  # the status is the last byte of the last piece
        running.offer()
        clock.run_for(ACCESS)
        assert running.memory.bytes[DATA : DATA + 101] == b"\1" * 100 + b"\0"
        assert running.memory.bytes[DATA + 0x800 : DATA + 0x800 + 413] == b"\1" * 412 + b"\0"

    def test_written_data_may_lie_behind_its_header_in_one_piece(self, running, clock, image):
        running.put(HEADER, "IIQ512s", OUT, 0, 4, b"v" * 512)
        running.describe((HEADER, 16 + 512, 0), (DATA, 1, WRITE))
        running.offer()
        clock.run_for(ACCESS)
        assert image.read(4) == b"v" * 512

    def test_flush_takes_an_access(self, running, clock):
        running.request(FLUSH, 0, 0)
        clock.run_for(ACCESS - 1)
        assert running.used[0] == 0
        clock.run_for(1)
        assert (running.used[0], running.status) == (1, 0)

    def test_the_disk_has_a_serial_number(self, running, clock):
        running.request(GET_ID, 0, 20)
        clock.run_for(1)
        assert running.memory.bytes[DATA : DATA + 20] == b"RS00000001".ljust(20, b"\0")
        assert running.status == 0

    @pytest.mark.parametrize(
        ("kind", "sector", "length"),
        [(IN, SECTORS, 512), (OUT, SECTORS - 1, 1024), (IN, 0, 100), (OUT, 0, 0), (GET_ID, 0, 19)],
    )
    def test_what_the_disk_has_not_is_an_error(self, running, clock, kind, sector, length):
        running.request(kind, sector, length)
        clock.run_for(ACCESS)
        assert (running.used[0], running.status) == (1, 1)

    def test_an_unknown_request_is_unsupported(self, running, clock):
        running.request(99, 0)
        clock.run_for(1)
        assert (running.used[0], running.status) == (1, 2)

    def test_nothing_moves_before_the_driver_is_ready(self, guest, clock):
        guest.start()
        guest.write(STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK)
        guest.request(IN, 0)
        clock.run_for(2 * ACCESS)
        assert guest.used[0] == 0

    @pytest.mark.parametrize(("register", "value"), [(STATUS, 0), (READY, 0)])
    def test_a_request_under_way_is_dropped_by_a_reset(self, running, clock, register, value):
        running.request(OUT, 2)
        running.write(register, value)
        clock.run_for(2 * ACCESS)
        assert running.used[0] == 0
        assert not running.device.expecting


class TestBrokenDrivers:
    """A driver that breaks the rules is told to reset the device, and nothing worse happens."""

    def broken(self, guest, wire):
        return (guest.read(STATUS) & NEEDS_RESET, guest.read(INTERRUPT), wire.level) == (NEEDS_RESET, 2, True)

    def test_a_chain_without_end(self, running, wire):
        running.put(DESCRIPTORS, "QIHH", HEADER, 16, NEXT, 0)
        running.offer()
        assert self.broken(running, wire)

    def test_a_descriptor_that_is_none(self, running, wire):
        running.offer(SIZE)
        assert self.broken(running, wire)

    def test_more_buffers_than_the_queue_holds(self, running, wire):
        running.put(AVAILABLE + 2, "H", SIZE + 1)
        running.write(NOTIFY, 0)
        assert self.broken(running, wire)

    def test_an_indirect_descriptor(self, running, wire):
        running.describe((DATA, 32, INDIRECT))
        running.offer()
        assert self.broken(running, wire)

    def test_a_part_to_read_behind_a_part_to_write(self, running, wire):
        running.describe((DATA, 512, WRITE), (HEADER, 16, 0), (STATUS_BYTE, 1, WRITE))
        running.offer()
        assert self.broken(running, wire)

    @pytest.mark.parametrize(
        "pieces", [((HEADER, 15, 0), (STATUS_BYTE, 1, WRITE)), ((HEADER, 16, 0),)], ids=["header", "status"]
    )
    def test_a_request_that_lacks_a_part(self, running, wire, pieces):
        running.describe(*pieces)
        running.offer()
        assert self.broken(running, wire)

    def test_data_outside_of_memory(self, running, clock, wire):
        running.request(IN, 0, paddr=0xFFFF00)
        clock.run_for(ACCESS)
        assert self.broken(running, wire)

    def test_it_serves_nothing_until_it_is_reset(self, running, clock):
        running.offer(SIZE)
        running.request(IN, 0)
        clock.run_for(2 * ACCESS)
        assert running.used[0] == 0
        running.write(STATUS, 0)
        running.offered = 0
        running.put(AVAILABLE + 2, "H", 0)
        running.start()
        running.request(IN, 0)
        clock.run_for(ACCESS)
        assert running.used[0] == 1
