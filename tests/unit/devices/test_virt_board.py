# SPDX-License-Identifier: GPL-2.0-or-later
"""The ARM board: its wiring, its ways to end, and how its description is checked."""

from __future__ import annotations

import tomllib
from itertools import pairwise

import pytest

from ringscope.emulator.devices.disk_image import DiskImage
from ringscope.emulator.devices.generic_timer import TimerRegister
from ringscope.emulator.devices.interfaces import ExitKind
from ringscope.emulator.platforms.memory_map import MemoryKind
from ringscope.emulator.platforms.virt import VirtBoard, VirtOutputs
from ringscope.emulator.platforms.virt_config import DEFAULT, BoardConfigError, VirtConfig

GICD, GICC, UART, RTC, VIRTIO = 0x0800_0000, 0x0801_0000, 0x0900_0000, 0x0901_0000, 0x0A00_0000
DISK = VIRTIO + 31 * 0x200
SYSTEM_OFF, SYSTEM_RESET, PSCI_VERSION = 0x8400_0008, 0x8400_0009, 0x8400_0000
SPURIOUS = 1023


class Memory:
    """RAM for devices: 64 KiB at the board's base."""

    base = 0x4000_0000

    def __init__(self):
        self.bytes = bytearray(0x10000)

    def read(self, paddr, length):
        return bytes(self.bytes[paddr - self.base : paddr - self.base + length])

    def write(self, paddr, data):
        self.bytes[paddr - self.base : paddr - self.base + len(data)] = data


class Guest:
    """The board as a program sees it: loads and stores of 32 bits."""

    def __init__(self, clock, disk=None):
        self.printed = bytearray()
        self.memory = Memory()
        self.board = VirtBoard(VirtConfig.load(), clock, VirtOutputs(self.printed.append), self.memory, disk)

    def _at(self, paddr):
        (device,) = [d for d in self.board.mmio if d.base <= paddr < d.base + d.length]
        return device, paddr - device.base

    def load(self, paddr):
        device, offset = self._at(paddr)
        return device.read_mmio(offset, 4)

    def store(self, paddr, value):
        device, offset = self._at(paddr)
        device.write_mmio(offset, 4, value)

    def open_interrupts(self, *intids):
        self.store(GICD, 1)
        self.store(GICC, 1)
        self.store(GICC + 4, 0xFF)
        for intid in intids:
            self.store(GICD + 0x100 + intid // 32 * 4, 1 << intid % 32)

    def acknowledge(self):
        return self.load(GICC + 0x0C)


@pytest.fixture
def guest(clock):
    return Guest(clock)


@pytest.fixture
def with_disk(clock, tmp_path):
    file = tmp_path / "disk.img"
    file.write_bytes(b"d" * 1024)
    return Guest(clock, DiskImage(file))


@pytest.mark.parametrize(("name", "intid"), [("P", 30), ("V", 27)])
def test_the_timers_interrupt_on_30_and_27(guest, clock, name, intid):
    guest.open_interrupts(27, 30)
    timer = guest.board.timer
    timer.write(TimerRegister[f"CNT{name}_TVAL_EL0"], 100)
    timer.write(TimerRegister[f"CNT{name}_CTL_EL0"], 1)
    clock.run_for(100 * 48 - 1)
    assert not guest.board.interrupt_pending()
    clock.run_for(1)
    assert guest.board.interrupt_pending()
    assert guest.acknowledge() == intid


def test_the_serial_port_prints_and_interrupts_on_33(guest):
    guest.open_interrupts(33)
    guest.store(UART, ord("A"))
    assert guest.printed == b"A"
    guest.store(UART + 0x38, 0x10)
    guest.board.receiver.receive(ord("k"))
    assert guest.acknowledge() == 33
    assert guest.load(UART) == ord("k")


def test_the_clock_interrupts_on_34(guest, clock):
    guest.open_interrupts(34)
    guest.store(RTC + 4, guest.load(RTC) + 1)
    guest.store(RTC + 0x10, 1)
    clock.run_for(clock.hz)
    assert guest.acknowledge() == 34


def test_the_disk_is_in_the_last_slot_and_interrupts_on_79(with_disk, clock):
    guest, base = with_disk, Memory.base
    guest.open_interrupts(79)
    assert guest.load(DISK + 8) == 2
    for register, value in (
        (0x70, 3),
        (0x24, 1),
        (0x20, 1),
        (0x70, 11),
        (0x38, 8),
        (0x80, base),
        (0x90, base + 0x1000),
        (0xA0, base + 0x2000),
        (0x44, 1),
        (0x70, 15),
    ):
        guest.store(DISK + register, value)
    chain = ((base + 0x3000, 16, 1, 1), (base + 0x4000, 512, 3, 2), (base + 0x5000, 1, 2, 0))
    for index, (paddr, length, flags, following) in enumerate(chain):
        record = paddr.to_bytes(8, "little") + length.to_bytes(4, "little")
        record += flags.to_bytes(2, "little") + following.to_bytes(2, "little")
        guest.memory.write(base + 16 * index, record)
    guest.memory.write(base + 0x1002, b"\1\0")
    guest.store(DISK + 0x50, 0)
    assert guest.board.wake_possible()
    clock.run_for(100 * clock.hz // 1_000_000)  # access_us
    assert guest.acknowledge() == 79
    assert guest.memory.read(base + 0x4000, 512) == b"d" * 512


def test_without_a_disk_every_slot_is_empty(guest):
    assert [guest.load(VIRTIO + 0x200 * slot + 8) for slot in range(32)] == [0] * 32


def test_group_0_may_be_sent_to_the_other_input(guest):
    guest.open_interrupts(33)
    guest.store(GICC, 1 | 8)
    guest.store(UART + 0x38, 0x10)
    guest.board.receiver.receive(1)
    assert (guest.board.interrupt_pending(), guest.board.fast_interrupt_pending()) == (False, True)


def test_every_change_of_the_interrupt_input_is_announced(guest):
    levels = [False]

    def note():
        if guest.board.interrupt_pending() != levels[-1]:
            levels.append(guest.board.interrupt_pending())

    guest.board.on_interrupt_change = note
    guest.open_interrupts(33)
    guest.store(UART + 0x38, 0x10)
    guest.board.receiver.receive(1)
    intid = guest.acknowledge()
    guest.load(UART)
    guest.store(GICC + 0x10, intid)
    assert levels == [False, True, False]


def test_no_two_chips_share_an_address_and_each_fills_whole_pages(guest):
    taken = sorted((device.base, device.base + device.length) for device in guest.board.mmio)
    assert all(end <= start for (_, end), (start, _) in pairwise(taken))
    assert all(address % 0x1000 == 0 for window in taken for address in window)


def test_all_memory_is_the_guests(guest):
    assert guest.board.memory_map(64 << 20) == [(0x4000_0000, 64 << 20, MemoryKind.USABLE)]


class TestSleep:
    """Whether anything could wake a processor that waits."""

    def test_after_reset_nothing_could(self, guest):
        assert not guest.board.wake_possible()

    def test_an_armed_timer_could_if_its_interrupt_is_open(self, guest):
        guest.board.timer.write(TimerRegister.CNTV_TVAL_EL0, 100)
        guest.board.timer.write(TimerRegister.CNTV_CTL_EL0, 1)
        assert not guest.board.wake_possible()
        guest.open_interrupts(27)
        assert guest.board.wake_possible()

    def test_a_masked_priority_could_not(self, guest):
        guest.open_interrupts(27)
        guest.board.timer.write(TimerRegister.CNTV_TVAL_EL0, 100)
        guest.board.timer.write(TimerRegister.CNTV_CTL_EL0, 1)
        guest.store(GICC + 4, 0)
        assert not guest.board.wake_possible()

    def test_the_serial_port_could_while_input_may_come(self, guest):
        guest.open_interrupts(33)
        guest.store(UART + 0x38, 0x10)
        assert guest.board.wake_possible()
        assert not guest.board.wake_possible(input_alive=False)


class TestEnd:
    """How the guest ends the run."""

    @pytest.mark.parametrize(
        ("function", "kind"), [(SYSTEM_OFF, ExitKind.POWER_OFF), (SYSTEM_RESET, ExitKind.RESET)]
    )
    def test_firmware_ends_it_with_status_0(self, guest, function, kind):
        told = []
        guest.board.on_exit = lambda: told.append(guest.board.exit_request)
        guest.board.psci(function, [])
        assert [(wish.kind, wish.status) for wish in told] == [(kind, 0)]

    def test_the_first_wish_counts(self, guest):
        guest.board.psci(SYSTEM_RESET, [])
        guest.board.psci(SYSTEM_OFF, [])
        assert guest.board.exit_request.kind is ExitKind.RESET

    def test_a_question_to_firmware_ends_nothing(self, guest):
        assert guest.board.psci(PSCI_VERSION, [0, 0, 0]) == 0x0001_0000
        assert guest.board.exit_request is None


class TestDescription:
    """virt.toml and its errors."""

    @pytest.fixture
    def tables(self):
        return tomllib.loads(DEFAULT.read_text())

    def complain(self, tables, words):
        with pytest.raises(BoardConfigError, match=words):
            VirtConfig.from_tables(tables, "my.toml")

    def test_an_unknown_table_is_named(self, tables):
        self.complain(tables | {"floppy": {}}, r"my\.toml: unknown table \[floppy\]; known: clock, memory")

    def test_a_missing_table_is_named(self, tables):
        del tables["gic"]
        self.complain(tables, r"the table \[gic\] is missing")

    def test_an_unknown_key_is_named(self, tables):
        tables["rtc"]["irq"] = 1
        self.complain(tables, r"\[rtc\] has no key 'irq'; known: base, spi")

    def test_a_missing_key_is_named(self, tables):
        del tables["rtc"]["spi"]
        self.complain(tables, r"\[rtc\] lacks the key 'spi'")

    @pytest.mark.parametrize(
        ("table", "key", "value", "words"),
        [
            ("uart", "base", 0x0900_0010, r"\[uart\] base = .*multiple of 0x1000"),
            ("uart", "base", "here", r"\[uart\] base = 'here': must be a multiple of 0x1000"),
            ("uart", "rate", "fast", "must be one of instant, programmed"),
            ("gic", "spis", 100, r"\[gic\] spis = 100: must be a multiple of 0x20"),
            (
                "timer",
                "virtual_ppi",
                16,
                r"\[timer\] virtual_ppi = 16: must be a whole number from 0x0 to 0xf",
            ),
            ("clock", "date", "today", "must be a date"),
            ("disk", "slot", 32, r"\[disk\] slot = 32: \[virtio\] has slots 0 to 31"),
            (
                "uart",
                "base",
                0x0801_F000,
                r"\[gic\] cpu_interface and \[uart\] base both take address 0x801f000",
            ),
            ("rtc", "base", 0x4000_0000, r"\[rtc\] base reaches into memory at 0x40000000"),
            ("virtio", "slots", 31, "must fill whole pages"),
            ("rtc", "spi", 1, r"\[uart\] spi and \[rtc\] spi both take shared interrupt 1"),
            ("uart", "spi", 20, r"\[uart\] spi and \[virtio\] spi \+ 4 both take shared interrupt 20"),
            (
                "timer",
                "virtual_ppi",
                14,
                r"physical_ppi and \[timer\] virtual_ppi both take private interrupt 14",
            ),
            ("rtc", "spi", 256, r"\[rtc\] spi = 256: \[gic\] has shared interrupts 0 to 255"),
        ],
    )
    def test_a_wrong_value_is_refused_in_a_sentence(self, tables, table, key, value, words):
        tables[table][key] = value
        if (table, key) == ("virtio", "slots"):
            tables["disk"]["slot"] = 0
        self.complain(tables, words)

    def test_a_table_that_is_none_is_refused(self, tables):
        self.complain(tables | {"rtc": 5}, r"\[rtc\] must be a table")

    def test_a_missing_file_is_named(self, tmp_path):
        with pytest.raises(BoardConfigError, match="cannot be read"):
            VirtConfig.load(tmp_path / "none.toml")

    def test_a_file_that_is_not_toml_is_named(self, tmp_path):
        file = tmp_path / "bad.toml"
        file.write_text("[gic")
        with pytest.raises(BoardConfigError, match="not TOML"):
            VirtConfig.load(file)
