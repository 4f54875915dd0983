# SPDX-License-Identifier: GPL-2.0-or-later
"""The ATA disk against ATA/ATAPI-6, and the image behind it."""

from __future__ import annotations

import resource
import signal

import pytest

from ringscope.emulator.devices.ata_disk import AtaDisk
from ringscope.emulator.devices.disk_image import SECTOR, DiskImage, DiskImageError

DATA, ERROR, FEATURES, COUNT, LOW, MID, HIGH, DEVICE, STATUS, CONTROL = (
    0x1F0,
    0x1F1,
    0x1F1,
    0x1F2,
    0x1F3,
    0x1F4,
    0x1F5,
    0x1F6,
    0x1F7,
    0x3F6,
)
BUSY, READY, REQUEST, FAILED = 0x80, 0x40, 0x08, 0x01
ACCESS, BLOCK = 1000, 100
SECTORS = 2048


class Driver:
    """The guest's view of the channel."""

    def __init__(self, clock, wire, image):
        self.clock = clock
        self.chip = AtaDisk(clock, wire, image, ACCESS, BLOCK)

    def read(self, port):
        return self.chip.read_port(port, 1)

    def write(self, port, value):
        self.chip.write_port(port, 1, value)

    def address(self, lba, count=1):
        for port, value in (
            (DEVICE, 0xE0 | lba >> 24),
            (COUNT, count),
            (LOW, lba),
            (MID, lba >> 8),
            (HIGH, lba >> 16),
        ):
            self.write(port, value & 0xFF)

    def address_48(self, lba, count=1):
        self.write(DEVICE, 0x40)
        for shift in (1, 0):
            self.write(COUNT, count >> 8 * shift & 0xFF)
            for index, port in enumerate((LOW, MID, HIGH)):
                self.write(port, lba >> (24 * shift + 8 * index) & 0xFF)

    def wait(self):
        self.clock.run_for(ACCESS)
        return self.read(STATUS)

    def data(self, sectors=1):
        return b"".join(self.chip.read_port(DATA, 2).to_bytes(2, "little") for _ in range(256 * sectors))

    def put(self, contents):
        for at in range(0, len(contents), 2):
            self.chip.write_port(DATA, 2, int.from_bytes(contents[at : at + 2], "little"))


def contents_of(sector):
    return sector.to_bytes(4, "little") * 128


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "disk.img"
    file.write_bytes(b"".join(contents_of(sector) for sector in range(SECTORS)))
    return file


@pytest.fixture
def disk(clock, wire, path):
    return Driver(clock, wire, DiskImage(path))


def test_a_sector_is_read_after_the_access_time(disk, clock):
    disk.address(1234)
    disk.write(STATUS, 0x20)
    clock.run_for(ACCESS - 1)
    assert disk.read(CONTROL) == BUSY
    clock.run_for(1)
    assert disk.read(CONTROL) & (BUSY | REQUEST) == REQUEST
    assert disk.data() == contents_of(1234)
    assert not disk.read(STATUS) & REQUEST


def test_several_sectors_come_with_an_interrupt_each(disk, clock, wire):
    disk.address(7, 3)
    disk.write(STATUS, 0x20)
    for sector in (7, 8, 9):
        assert disk.wait() & REQUEST
        assert disk.data() == contents_of(sector)
    clock.run_for(ACCESS)
    assert wire.rises == 3


def test_multiple_mode_moves_blocks_of_sectors_with_an_interrupt_a_block(disk, wire):
    disk.write(COUNT, 4)
    disk.write(STATUS, 0xC6)
    disk.read(STATUS)
    before = wire.rises
    disk.address(100, 6)
    disk.write(STATUS, 0xC4)
    assert disk.wait() & REQUEST
    found = disk.data(4)
    assert disk.wait() & REQUEST
    found += disk.data(2)
    assert found == b"".join(contents_of(sector) for sector in range(100, 106))
    assert wire.rises - before == 2


def test_multiple_commands_are_refused_until_the_block_size_is_set(disk):
    disk.address(0)
    disk.write(STATUS, 0xC4)
    assert disk.read(STATUS) & FAILED
    assert disk.read(ERROR) == 0x04


@pytest.mark.parametrize(("command", "prepare"), [(0x30, "address"), (0x34, "address_48")])
def test_what_is_written_is_read_back_and_the_file_keeps_its_contents(disk, path, command, prepare):
    before = path.read_bytes()
    getattr(disk, prepare)(55, 2)
    disk.write(STATUS, command)
    for byte in (b"\xaa", b"\xbb"):
        assert disk.read(STATUS) & REQUEST
        disk.put(byte * 512)
        assert disk.wait() & BUSY == 0
    disk.address(55, 2)
    disk.write(STATUS, 0x20)
    disk.wait()
    first = disk.data()
    disk.wait()
    assert first + disk.data() == b"\xaa" * 512 + b"\xbb" * 512
    assert path.read_bytes() == before


def test_a_write_interrupts_after_each_block_and_not_before_the_first(disk, wire):
    disk.address(0)
    disk.write(STATUS, 0x30)
    assert wire.rises == 0
    disk.put(bytes(512))
    disk.clock.run_for(ACCESS)
    assert wire.rises == 1


def test_48_bit_addresses_reach_the_same_sectors(disk):
    disk.address_48(2000)
    disk.write(STATUS, 0x24)
    disk.wait()
    assert disk.data() == contents_of(2000)


def test_cylinder_head_and_sector_reach_the_same_sectors(disk):
    cylinder, head, sector = 1, 2, 3
    for port, value in ((DEVICE, 0xA0 | head), (COUNT, 1), (LOW, sector), (MID, cylinder), (HIGH, 0)):
        disk.write(port, value)
    disk.write(STATUS, 0x20)
    disk.wait()
    assert disk.data() == contents_of((cylinder * 16 + head) * 63 + sector - 1)


@pytest.mark.parametrize(("lba", "count"), [(SECTORS, 1), (SECTORS - 1, 2)])
def test_an_address_beyond_the_end_is_not_found(disk, lba, count):
    disk.address(lba, count)
    disk.write(STATUS, 0x20)
    assert disk.read(STATUS) & FAILED
    assert disk.read(ERROR) == 0x10


def test_a_count_of_zero_means_256_sectors(disk):
    disk.address(SECTORS - 255, 0)
    disk.write(STATUS, 0x20)
    assert disk.read(STATUS) & FAILED
    disk.address(SECTORS - 256, 0)
    disk.write(STATUS, 0x20)
    assert disk.wait() & REQUEST


def test_identify_tells_the_size_in_both_widths_and_the_name(disk):
    disk.address(0)
    disk.write(STATUS, 0xEC)
    disk.wait()
    data = disk.data()
    word = [int.from_bytes(data[2 * index : 2 * index + 2], "little") for index in range(256)]
    assert word[60] | word[61] << 16 == SECTORS
    assert sum(word[100 + index] << 16 * index for index in range(4)) == SECTORS
    assert word[49] & 0x200
    assert word[83] & 0x400
    name = bytes(data[index ^ 1] for index in range(54, 94))
    assert name.strip() == b"RINGSCOPE DISK"


def test_reading_the_status_ends_the_interrupt_and_reading_the_alternate_does_not(disk, wire):
    disk.address(0)
    disk.write(STATUS, 0xE7)
    disk.clock.run_for(ACCESS)
    disk.read(CONTROL)
    assert wire.level
    disk.read(STATUS)
    assert not wire.level


def test_nien_keeps_the_line_low(disk, wire):
    disk.write(CONTROL, 0x02)
    disk.address(0)
    disk.write(STATUS, 0x20)
    disk.clock.run_for(ACCESS)
    assert not wire.level
    assert disk.read(CONTROL) & REQUEST


def test_the_absent_second_device_reads_status_zero_and_takes_no_command(disk, wire):
    disk.write(DEVICE, 0xB0)
    assert disk.read(STATUS) == 0
    disk.write(STATUS, 0xEC)
    disk.clock.run_for(ACCESS)
    assert (disk.read(STATUS), wire.rises) == (0, 0)


def test_a_channel_without_a_disk_reads_zero(clock, wire):
    empty = Driver(clock, wire, None)
    empty.address(0)
    empty.write(STATUS, 0xEC)
    clock.run_for(ACCESS)
    assert (empty.read(STATUS), wire.rises) == (0, 0)


def test_software_reset_shows_the_signature_of_a_disk(disk):
    disk.address(5, 9)
    disk.write(CONTROL, 0x04)
    assert disk.read(CONTROL) == BUSY
    disk.write(CONTROL, 0x00)
    assert [disk.read(port) for port in (ERROR, COUNT, LOW, MID, HIGH)] == [1, 1, 1, 0, 0]
    assert disk.read(STATUS) & READY


def test_a_reset_ends_the_command_under_way(disk, wire):
    disk.address(0)
    disk.write(STATUS, 0x20)
    disk.write(CONTROL, 0x04)
    disk.write(CONTROL, 0x00)
    disk.clock.run_for(ACCESS)
    assert (disk.read(STATUS) & REQUEST, wire.rises) == (0, 0)


@pytest.mark.parametrize("command", [0x00, 0xA0, 0xA1, 0xC8, 0xFB])
def test_a_command_it_lacks_is_aborted(disk, command):
    disk.address(0)
    disk.write(STATUS, command)
    assert disk.read(STATUS) & FAILED
    assert disk.read(ERROR) & 0x04


def test_the_high_order_bit_shows_what_each_register_held_before(disk):
    disk.address_48(0x0504_0302_0100, 0x0706)
    assert [disk.read(port) for port in (COUNT, LOW, MID, HIGH)] == [0x06, 0x00, 0x01, 0x02]
    disk.write(CONTROL, 0x80)
    assert [disk.read(port) for port in (COUNT, LOW, MID, HIGH)] == [0x07, 0x03, 0x04, 0x05]


def test_32_bit_reads_of_the_data_register_give_two_words(disk):
    disk.address(9)
    disk.write(STATUS, 0x20)
    disk.wait()
    found = b"".join(disk.chip.read_port(DATA, 4).to_bytes(4, "little") for _ in range(128))
    assert found == contents_of(9)


def test_a_writable_image_keeps_what_was_written(path):
    image = DiskImage(path, writable=True)
    image.write(3, b"z" * 512)
    image.flush()
    image.close()
    assert path.read_bytes()[3 * 512 : 4 * 512] == b"z" * 512


def test_a_last_sector_that_the_file_does_not_fill_ends_in_zeros(tmp_path):
    file = tmp_path / "odd.img"
    file.write_bytes(b"x" * 600)
    image = DiskImage(file)
    assert (image.sectors, image.read(1)) == (2, b"x" * 88 + bytes(424))


def test_a_missing_image_is_named(tmp_path):
    with pytest.raises(DiskImageError, match=r"none\.img cannot be read: No such file"):
        DiskImage(tmp_path / "none.img")


def test_an_empty_image_is_refused(tmp_path):
    (tmp_path / "empty.img").touch()
    with pytest.raises(DiskImageError, match="empty"):
        DiskImage(tmp_path / "empty.img")


@pytest.mark.parametrize(("first", "second"), [(True, True), (True, False), (False, True)])
def test_an_image_that_is_written_is_nobody_elses(path, first, second):
    image = DiskImage(path, writable=first)
    with pytest.raises(DiskImageError, match="is in use by another machine"):
        DiskImage(path, writable=second)
    image.close()
    DiskImage(path, writable=second).close()


def test_an_image_that_is_only_read_may_be_shared(path):
    images = [DiskImage(path), DiskImage(path)]
    assert images[0].read(5) == images[1].read(5)


def test_an_image_without_room_on_the_host_is_named(path):
    image = DiskImage(path, writable=True)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (SECTOR, hard))
    try:
        image.write(3, b"z" * SECTOR)
        with pytest.raises(DiskImageError, match=f"disk image {path} cannot be written: File too large"):
            image.flush()
        with pytest.raises(DiskImageError):
            image.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
