# SPDX-License-Identifier: GPL-2.0-or-later
"""ATA disk on the primary channel, programmed input and output: ports 0x1F0..0x1F7 and 0x3F6, IRQ 14.

Legacy PIO IDE and not virtio-blk: every teaching and hobby kernel drives it first, it needs no PCI
enumeration and no DMA, and QEMU's plain `-hda` is the same device. After ATA/ATAPI-6 (T13/1410D): LBA28,
LBA48 and CHS, single and multiple sectors. There is one device; device 1 is absent and device 0 answers for
it with status 0.

Time is simulated: a command that reaches the medium keeps BSY for the access time, then for the transfer time
of each further block. A write's first block is taken at once. An interrupt is asserted until the status
register is read.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from ringscope.emulator.devices.ata_identity import identify_data
from ringscope.emulator.devices.disk_image import SECTOR, DiskImage
from ringscope.emulator.devices.state import Stateful

if TYPE_CHECKING:
    from ringscope.emulator.devices.interfaces import Clock, Event, Line

COMMAND_BLOCK, CONTROL = 0x1F0, 0x3F6
ST_BUSY, ST_READY, ST_SEEK, ST_DATA, ST_ERROR = 0x80, 0x40, 0x10, 0x08, 0x01
ERR_ABORTED, ERR_NOT_FOUND = 0x04, 0x10
DEV_SECOND, DEV_LBA = 0x10, 0x40
CTL_NO_INTERRUPT, CTL_RESET, CTL_HIGH_ORDER = 0x02, 0x04, 0x80
FEATURE, COUNT, LBA_LOW, LBA_MID, LBA_HIGH, DEVICE = 1, 2, 3, 4, 5, 6
MAX_MULTIPLE = 16
HEADS, SECTORS_PER_TRACK = 16, 63
SETTABLE_FEATURES = {
    0x02,
    0x82,
    0x03,
    0x55,
    0xAA,
    0x66,
    0xCC,
}  # write cache, transfer mode, look-ahead, defaults


class Phase(StrEnum):
    """What follows when BSY falls."""

    DONE = "done"
    OFFER = "offer"  # what is in the buffer
    OFFER_BLOCK = "offer-block"  # the next block of the medium
    STORE_BLOCK = "store-block"


class AtaDisk(Stateful):
    """The channel; `disk` is None when nothing is attached, then every register reads 0."""

    __slots__ = (
        "_access_cycles",
        "_block_cycles",
        "_clock",
        "_event",
        "_line",
        "block",
        "buffer",
        "control",
        "device",
        "disk",
        "error",
        "heads",
        "left",
        "multiple",
        "next_delay",
        "phase",
        "position",
        "previous",
        "registers",
        "requested",
        "sector",
        "sectors_per_track",
        "status",
        "writing",
    )
    STATE = tuple(
        """
        _event _line block buffer control device disk error heads left multiple next_delay phase
        position previous registers requested sector sectors_per_track status writing
    """.split()
    )
    ports = (range(COMMAND_BLOCK, COMMAND_BLOCK + 8), range(CONTROL, CONTROL + 1))
    port_width = 4

    def __init__(
        self, clock: Clock, line: Line, disk: DiskImage | None, access_cycles: int, block_cycles: int
    ) -> None:
        """`access_cycles` go by before a command's first block, `block_cycles` before each further one."""
        self._clock = clock
        self._line = line
        self._access_cycles = access_cycles
        self._block_cycles = block_cycles
        self._event: Event | None = None
        self.phase = Phase.DONE
        self.disk = disk
        self.control = 0
        self.multiple = 0
        self.heads = HEADS
        self.sectors_per_track = SECTORS_PER_TRACK
        self._reset()

    def _reset(self) -> None:
        """Power on or SRST: the signature of an ATA device, diagnostics passed."""
        if self._event is not None:
            self._clock.cancel(self._event)
            self._event = None
        self.registers = [0, 0, 1, 1, 0, 0]  # features, count, LBA low, mid, high at their offsets
        self.previous = [0] * 6  # what each held before: the high-order half of a 48-bit command
        self.device = 0
        self.error = 1
        self.status = ST_READY | ST_SEEK
        self.buffer = bytearray()
        self.position = 0
        self.sector = 0
        self.left = 0  # sectors still to transfer after the block in the buffer
        self.block = 1  # sectors a block
        self.next_delay = 0  # cycles of BSY before the next block
        self.writing = False
        self.requested = False

    # --- ports ----------------------------------------------------------------------------------------------

    @property
    def expecting(self) -> bool:
        """Whether a command is under way."""
        return self._event is not None

    @property
    def _present(self) -> bool:
        return self.disk is not None and not self.device & DEV_SECOND

    def read_port(self, port: int, size: int) -> int:
        """Read the data register or a task file register."""
        register = port - COMMAND_BLOCK
        if register == 0:
            return self._read_data(size)
        if port == CONTROL or register == 7:
            if port != CONTROL:
                self._request(False)
            return self.status if self._present else 0
        return self._read_task_file(register) if self.disk is not None else 0

    def _read_task_file(self, register: int) -> int:
        if register == FEATURE:
            return self.error
        if register == DEVICE:
            return self.device | 0xA0
        return (self.previous if self.control & CTL_HIGH_ORDER else self.registers)[register]

    def write_port(self, port: int, size: int, value: int) -> None:
        """Write the data register, a task file register, a command, or the device control register."""
        register = port - COMMAND_BLOCK
        if register == 0:
            self._write_data(size, value)
        elif port == CONTROL:
            self._write_control(value & 0xFF)
        elif self.status & ST_BUSY:
            return
        elif register == 7:
            self._command(value & 0xFF)
        elif register == DEVICE:
            self.device = value & 0x5F
            self.control &= ~CTL_HIGH_ORDER
        else:
            self.previous[register] = self.registers[register]
            self.registers[register] = value & 0xFF
            self.control &= ~CTL_HIGH_ORDER

    def _write_control(self, value: int) -> None:
        was_reset = self.control & CTL_RESET
        self.control = value
        if value & CTL_RESET:
            self._reset()
            self.status = ST_BUSY
        elif was_reset:
            self._reset()
        self._request(self.requested)

    def _request(self, level: bool) -> None:
        """Set the device's interrupt request; it shows on the line unless nIEN forbids."""
        self.requested = level
        self._line.set(level and self._present and not self.control & CTL_NO_INTERRUPT)

    # --- commands -------------------------------------------------------------------------------------------

    def _command(self, command: int) -> None:
        if not self._present and command != 0x90:
            return
        self._request(False)
        self.error = 0
        self.status = ST_READY | ST_SEEK
        match command:
            case 0x20 | 0x21 | 0x24 | 0x30 | 0x31 | 0x34 | 0x40 | 0x41 | 0x42:
                self._start_transfer(command, 1)
            case 0x29 | 0x39 | 0xC4 | 0xC5:
                if self.multiple:
                    self._start_transfer(command, self.multiple)
                else:
                    self._fail(ERR_ABORTED)
            case 0xEC if self.disk is not None:
                self.left = 0
                self.writing = False
                self.buffer = bytearray(identify_data(self.disk.sectors, self.multiple, MAX_MULTIPLE))
                self._busy(self._block_cycles, Phase.OFFER)
            case 0x90:
                self._reset()
                self._request(True)
            case _:
                self._command_without_data(command)

    def _command_without_data(self, command: int) -> None:
        count = self.registers[COUNT]
        match command:
            case 0xE7 | 0xEA if self.disk is not None:
                self.disk.flush()
                self._busy(self._access_cycles, Phase.DONE)
            case 0xC6 if count <= MAX_MULTIPLE and not count & (count - 1):
                self.multiple = count
                self._done()
            case 0xEF if self.registers[FEATURE] in SETTABLE_FEATURES:
                self._done()
            case 0x91:
                self.sectors_per_track = count
                self.heads = (self.device & 15) + 1
                self._done()
            case 0xF8 | 0x27 if self.disk is not None:
                self._set_lba(self.disk.sectors - 1, extended=command == 0x27)
                self._done()
            case 0xE5:
                self.registers[COUNT] = 0xFF  # CHECK POWER MODE: active
                self._done()
            case 0x10 | 0x70 | 0xE0 | 0xE1 | 0xE2 | 0xE3 | 0xE6:  # recalibrate, seek, standby, idle, sleep
                self._done()
            case 0xA1:
                self.registers = [0, 0, 1, 1, 0, 0]  # the signature says: not a packet device
                self._fail(ERR_ABORTED)
            case _:
                self._fail(ERR_ABORTED)

    def _start_transfer(self, command: int, block: int) -> None:
        """Begin READ, WRITE or READ VERIFY; in `command` bit 2 or the 0x29 group means 48-bit addresses."""
        extended = command in (0x24, 0x34, 0x42, 0x29, 0x39)
        count = self.registers[COUNT] | (self.previous[COUNT] << 8 if extended else 0)
        count = count or (0x10000 if extended else 0x100)
        sector = self._lba(extended=extended)
        if self.disk is None or sector is None or sector + count > self.disk.sectors:
            self._fail(ERR_NOT_FOUND)
            return
        self.sector = sector
        self.left = count
        self.block = block
        self.next_delay = self._access_cycles
        self.writing = command in (0x30, 0x31, 0x34, 0x39, 0xC5)
        if self.writing:
            self._take_block()
        elif command in (0x40, 0x41, 0x42):
            self._busy(self._access_cycles, Phase.DONE)
        else:
            self._busy_for_block(Phase.OFFER_BLOCK)

    def _lba(self, *, extended: bool) -> int | None:
        """Return the address in the task file, None for a CHS address that no disk has."""
        low, mid, high = self.registers[LBA_LOW : LBA_HIGH + 1]
        if extended:
            return (
                low
                | mid << 8
                | high << 16
                | int.from_bytes(self.previous[LBA_LOW : LBA_HIGH + 1], "little") << 24
            )
        head = self.device & 15
        if self.device & DEV_LBA:
            return low | mid << 8 | high << 16 | head << 24
        if not 1 <= low <= self.sectors_per_track or head >= self.heads:
            return None
        return ((mid | high << 8) * self.heads + head) * self.sectors_per_track + low - 1

    def _set_lba(self, lba: int, *, extended: bool) -> None:
        if extended:
            self.previous[LBA_LOW : LBA_HIGH + 1] = list((lba >> 24).to_bytes(3, "little"))
        else:
            lba = min(lba, 0xFFFFFFF)
            self.device = self.device & 0xF0 | lba >> 24
        self.registers[LBA_LOW : LBA_HIGH + 1] = list((lba & 0xFFFFFF).to_bytes(3, "little"))

    # --- progress -------------------------------------------------------------------------------------------

    def _busy(self, cycles: int, phase: Phase) -> None:
        self.status = ST_BUSY
        self.phase = phase
        self._event = self._clock.at(self._clock.cycle + cycles, self._on_due)

    def _busy_for_block(self, phase: Phase) -> None:
        self._busy(self.next_delay, phase)
        self.next_delay = self._block_cycles

    def _on_due(self, cycle: int) -> None:
        del cycle
        self._event = None
        match self.phase:
            case Phase.DONE:
                self._done()
            case Phase.OFFER:
                self._offer()
            case Phase.OFFER_BLOCK:
                self._offer_block()
            case Phase.STORE_BLOCK:
                self._store_block()

    def _done(self) -> None:
        self.status = ST_READY | ST_SEEK
        self._request(True)

    def _fail(self, error: int) -> None:
        self.error = error
        self.status = ST_READY | ST_SEEK | ST_ERROR
        self._request(True)

    def _offer(self) -> None:
        """Let the guest read the buffer."""
        self.position = 0
        self.status = ST_READY | ST_SEEK | ST_DATA
        self._request(True)

    def _offer_block(self) -> None:
        if self.disk is None:
            return
        count = min(self.block, self.left)
        self.buffer = bytearray(b"".join(self.disk.read(self.sector + index) for index in range(count)))
        self.sector += count
        self.left -= count
        self._offer()

    def _take_block(self) -> None:
        """Let the guest write the next block."""
        self.buffer = bytearray(min(self.block, self.left) * SECTOR)
        self.position = 0
        self.status = ST_READY | ST_SEEK | ST_DATA

    def _store_block(self) -> None:
        """Put the block that the guest wrote on the medium and ask for the next, or end."""
        if self.disk is None:
            return
        for start in range(0, len(self.buffer), SECTOR):
            self.disk.write(self.sector, bytes(self.buffer[start : start + SECTOR]))
            self.sector += 1
            self.left -= 1
        if self.left:
            self._take_block()
            self._request(True)
        else:
            self._done()

    # --- data register --------------------------------------------------------------------------------------

    def _read_data(self, size: int) -> int:
        if not self.status & ST_DATA or self.writing or not self._present:
            return 0
        value = int.from_bytes(self.buffer[self.position : self.position + size], "little")
        self.position += size
        if self.position >= len(self.buffer):
            if self.left:
                self._busy_for_block(Phase.OFFER_BLOCK)
            else:
                self.status = ST_READY | ST_SEEK
        return value

    def _write_data(self, size: int, value: int) -> None:
        if not self.status & ST_DATA or not self.writing or not self._present:
            return
        end = min(self.position + size, len(self.buffer))
        self.buffer[self.position : end] = value.to_bytes(size, "little")[: end - self.position]
        self.position = end
        if self.position == len(self.buffer):
            self._busy_for_block(Phase.STORE_BLOCK)
