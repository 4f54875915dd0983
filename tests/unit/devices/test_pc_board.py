# SPDX-License-Identifier: GPL-2.0-or-later
"""The board: its wiring, its port space, and how its description is checked."""

from __future__ import annotations

import tomllib

import pytest

from ringscope.emulator.devices.interfaces import ExitKind
from ringscope.emulator.platforms.pc import Board, Outputs
from ringscope.emulator.platforms.pc_config import DEFAULT, BoardConfigError, PcConfig

EOI, SVR, LINT0 = 0xFEE000B0, 0xFEE000F0, 0xFEE00350


def mmio_write(board, address, value):
    for device in board.mmio:
        if device.base <= address < device.base + device.length:
            device.write_mmio(address - device.base, 4, value)


def redirect(board, pin, low):
    mmio_write(board, 0xFEC00000, 0x10 + 2 * pin)
    mmio_write(board, 0xFEC00010, low)


def out(board, *writes):
    for port, value in writes:
        board.write_port(port, 1, value)


def remap(board, mask=0):
    """Put the 8259s at 0x20 and 0x28."""
    out(
        board,
        (0x20, 0x11),
        (0xA0, 0x11),
        (0x21, 0x20),
        (0xA1, 0x28),
        (0x21, 4),
        (0xA1, 2),
        (0x21, 1),
        (0xA1, 1),
    )
    out(board, (0x21, mask & 0xFF), (0xA1, mask >> 8))


def test_the_timer_interrupts_through_the_8259s(board, clock):
    remap(board, 0xFFFE)
    out(board, (0x43, 0x34), (0x40, 0x9B), (0x40, 0x2E))  # 100 Hz
    taken = 0
    while clock.now < clock.hz:
        clock.run_for(clock.hz // 1000)
        if board.interrupt_pending():
            assert board.acknowledge() == 0x20
            out(board, (0x20, 0x20))
            taken += 1
    assert taken == 100


def test_the_timer_interrupts_through_pin_2_of_the_io_apic(board, clock):
    redirect(board, 2, 0x30)
    clock.run_for(clock.hz // 18)
    assert board.acknowledge() == 0x30


def test_the_serial_port_interrupts_on_4_and_the_keyboard_on_1(board):
    remap(board)
    out(board, (0x3FC, 0x0B), (0x3F9, 0x01))
    board.com1.receive(65)
    assert board.acknowledge() == 0x24
    board.keyboard.receive(65)
    assert board.acknowledge() == 0x21


def test_the_second_serial_port_prints_to_its_own_output(board, printed):
    out(board, (0x3F8, 65), (0x2F8, 66), (0xE9, 67))
    assert (printed.com1, printed.com2, printed.debug) == (b"A", b"B", b"C")


def test_every_change_of_the_interrupt_pin_is_announced(board):
    levels = [False]

    def note():
        if board.interrupt_pending() != levels[-1]:
            levels.append(board.interrupt_pending())

    board.on_interrupt_change = note
    remap(board, 0xFFFD)
    board.keyboard.receive(65)
    assert board.interrupt_pending()
    board.acknowledge()
    out(board, (0x20, 0x20))
    board.read_port(0x60, 1)
    board.read_port(0x60, 1)
    assert levels == [False, True, False, True, False, True]  # a press, and one edge for each byte read


def test_the_local_apics_interrupts_come_before_the_8259s(board):
    remap(board)
    board.keyboard.receive(65)
    mmio_write(board, 0xFEE00300, 0x40041)
    assert [board.acknowledge(), board.acknowledge()] == [0x41, 0x21]


def test_a_level_interrupt_goes_round_through_both_apics(board):
    redirect(board, 9, 0x8000 | 0x39)
    board.acpi._line.set(True)
    assert board.acknowledge() == 0x39
    assert not board.interrupt_pending()
    mmio_write(board, EOI, 0)
    assert board.interrupt_pending()
    board.acknowledge()
    board.acpi._line.set(False)
    mmio_write(board, EOI, 0)
    assert not board.interrupt_pending()


def test_an_nmi_is_kept_until_it_is_taken(board):
    heard = []
    board.on_nmi = lambda: heard.append(1)
    mmio_write(board, 0xFEE00300, 0x40400)
    assert (board.nmi_pending, heard) == (True, [1])
    board.take_nmi()
    assert not board.nmi_pending


def test_a_port_nobody_claims_reads_all_ones_and_is_counted(board):
    read = [board.read_port(0x378, 1), board.read_port(0xCFC, 4)]
    board.write_port(0x378, 1, 0)
    assert read == [0xFF, 0xFFFFFFFF]
    assert board.unclaimed == {0x378: 2, 0xCFC: 1}


def test_a_wide_access_to_byte_registers_is_split(board):
    board.write_port(0x3D4, 2, 0x550E)
    assert board.vga.crtc[0x0E] == 0x55
    assert board.read_port(0x3D4, 2) == 0x550E


@pytest.mark.parametrize(
    ("write", "request_made"),
    [
        ((0xF4, 1, 7), (ExitKind.EXIT_PORT, 7)),
        ((0xF4, 4, 0x123), (ExitKind.EXIT_PORT, 0x123)),
        ((0x604, 2, 0x2000), (ExitKind.POWER_OFF, 0)),
        ((0x64, 1, 0xFE), (ExitKind.RESET, 0)),
        ((0xCF9, 1, 0x06), (ExitKind.RESET, 0)),
        ((0x92, 1, 0x03), (ExitKind.RESET, 0)),
    ],
)
def test_the_guest_can_end_the_run(board, write, request_made):
    told = []
    board.on_exit = lambda: told.append(board.exit_request)
    board.write_port(*write)
    assert [(wish.kind, wish.status) for wish in told] == [request_made]


def test_the_first_wish_to_end_counts(board):
    out(board, (0xF4, 1), (0xF4, 2))
    assert board.exit_request.status == 1


class TestInput:
    """Which chip a guest's input goes to."""

    def test_a_guest_that_touched_neither_gets_none(self, board):
        assert not board.receiver.ready

    def test_a_guest_with_a_keyboard_handler_types(self, board):
        remap(board, 0xFFFD)
        board.receiver.receive(ord("a"))
        assert board.read_port(0x60, 1) == 0x1E

    def test_a_guest_with_the_keyboard_on_the_io_apic_types(self, board):
        redirect(board, 1, 0x21)
        assert board.receiver.ready

    def test_a_guest_that_set_up_the_serial_port_reads_from_it(self, board):
        remap(board)
        out(board, (0x3FC, 0x0B), (0x3F9, 0x01))
        board.receiver.receive(ord("a"))
        assert board.read_port(0x3F8, 1) == ord("a")


class TestSleep:
    """Whether anything could wake a halted processor."""

    def test_as_firmware_leaves_it_nothing_could(self, board):
        assert not board.wake_possible()

    def test_a_running_timer_on_an_unmasked_line_could(self, board):
        remap(board, 0xFFFE)
        assert board.wake_possible()

    def test_an_unmasked_line_whose_chip_has_nothing_due_could_not(self, board):
        remap(board, 0xBFFF)
        assert not board.wake_possible()

    def test_the_keyboard_could_while_input_may_come(self, board):
        remap(board, 0xFFFD)
        assert board.wake_possible()
        assert not board.wake_possible(input_alive=False)

    def test_not_through_a_closed_virtual_wire(self, board):
        remap(board, 0xFFFE)
        mmio_write(board, LINT0, 0x10700)
        assert not board.wake_possible()

    def test_an_armed_apic_timer_could(self, board):
        mmio_write(board, 0xFEE00320, 0x40)
        mmio_write(board, 0xFEE00380, 1000)
        assert board.wake_possible()


class TestDescription:
    """pc.toml and its errors."""

    @pytest.fixture
    def tables(self):
        return tomllib.loads(DEFAULT.read_text())

    def complain(self, tables, words):
        with pytest.raises(BoardConfigError, match=words):
            PcConfig.from_tables(tables, "my.toml")

    def test_the_bundled_one_is_right(self, tables):
        assert PcConfig.from_tables(tables, "pc.toml").com1.port == 0x3F8

    def test_the_second_serial_port_may_be_left_out(self, tables):
        del tables["com2"]
        assert PcConfig.from_tables(tables, "pc.toml").com2 is None

    def test_an_unknown_table_is_named(self, tables):
        self.complain(tables | {"floppy": {}}, r"my\.toml: unknown table \[floppy\]; known: clock, pic")

    def test_a_missing_table_is_named(self, tables):
        del tables["pit"]
        self.complain(tables, r"the table \[pit\] is missing")

    def test_an_unknown_key_is_named(self, tables):
        tables["pit"]["prot"] = 1
        self.complain(tables, r"\[pit\] has no key 'prot'; known: port, irq")

    def test_a_missing_key_is_named(self, tables):
        del tables["pit"]["irq"]
        self.complain(tables, r"\[pit\] lacks the key 'irq'")

    @pytest.mark.parametrize("value", [-1, 16, "4", True])
    def test_an_interrupt_line_out_of_range_is_refused(self, tables, value):
        tables["com1"]["irq"] = value
        self.complain(tables, r"\[com1\] irq = .*whole number from 0 to 15")

    def test_the_cascade_input_is_refused(self, tables):
        tables["com1"]["irq"] = 2
        self.complain(tables, r"\[com1\] irq = 2")

    def test_two_chips_on_one_port_are_refused(self, tables):
        tables["com2"]["port"] = 0x3FC
        self.complain(tables, r"\[com1\] port and \[com2\] port both take port 0x3fc")

    def test_two_chips_on_one_interrupt_are_refused(self, tables):
        tables["com2"]["irq"] = 4
        self.complain(tables, r"\[com1\] irq and \[com2\] irq both take interrupt request 4")

    def test_a_port_of_a_chip_that_cannot_move_is_refused(self, clock, tables):
        tables["com2"]["port"] = 0x3F0
        config = PcConfig.from_tables(tables, "my.toml")
        with pytest.raises(BoardConfigError, match=r"AtaDisk at port 0x3f6"):
            Board(config, clock, 64 << 20, Outputs(*([].append,) * 3))

    def test_an_unknown_rate_is_refused(self, tables):
        tables["com1"]["rate"] = "fast"
        self.complain(tables, "must be one of instant, programmed")

    def test_a_date_that_is_none_is_refused(self, tables):
        tables["clock"]["date"] = "today"
        self.complain(tables, "must be a date")

    def test_a_missing_file_is_named(self, tmp_path):
        with pytest.raises(BoardConfigError, match="cannot be read"):
            PcConfig.load(tmp_path / "none.toml")

    def test_a_file_that_is_not_toml_is_named(self, tmp_path):
        file = tmp_path / "bad.toml"
        file.write_text("[pit")
        with pytest.raises(BoardConfigError, match="not TOML"):
            PcConfig.load(file)
