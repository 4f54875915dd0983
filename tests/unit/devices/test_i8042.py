# SPDX-License-Identifier: GPL-2.0-or-later
"""The keyboard and its controller against the IBM PS/2 technical reference."""

from __future__ import annotations

import pytest

from ringscope.emulator.devices.i8042 import I8042
from ringscope.emulator.devices.scan_codes import KEYS, SET_1

DATA, COMMAND = 0x60, 0x64
FULL, AUX, TIMEOUT = 0x01, 0x20, 0x40


class Driver:
    """The guest's view of the controller."""

    def __init__(self, wire):
        self.unmasked = True
        self.resets = []
        self.chip = I8042(wire, lambda: self.unmasked, self.resets.append)

    def command(self, value):
        self.chip.write_port(COMMAND, 1, value)

    def write(self, value):
        self.chip.write_port(DATA, 1, value)

    def status(self):
        return self.chip.read_port(COMMAND, 1)

    def read(self):
        return self.chip.read_port(DATA, 1)

    def drain(self):
        found = []
        while self.status() & FULL:
            found.append(self.read())
        return found


@pytest.fixture
def keyboard(wire):
    return Driver(wire)


def test_the_self_tests_pass(keyboard):
    keyboard.command(0xAA)
    assert keyboard.read() == 0x55
    keyboard.command(0xAB)
    assert keyboard.read() == 0x00


def test_the_mode_byte_is_read_and_written(keyboard):
    keyboard.command(0x60)
    keyboard.write(0x03)
    keyboard.command(0x20)
    assert keyboard.read() == 0x03


@pytest.mark.parametrize(
    ("character", "codes"),
    [
        ("a", [0x1E, 0x9E]),
        ("A", [0x2A, 0x1E, 0x9E, 0xAA]),
        ("\n", [0x1C, 0x9C]),
        ("!", [0x2A, 0x02, 0x82, 0xAA]),
        ("\x03", [0x1D, 0x2E, 0xAE, 0x9D]),
        (" ", [0x39, 0xB9]),
        ("6", [0x07, 0x87]),
    ],
)
def test_a_character_becomes_make_and_break_codes_of_set_1(keyboard, character, codes):
    keyboard.chip.receive(ord(character))
    assert keyboard.drain() == codes


def test_without_translation_the_codes_are_those_of_set_2(keyboard):
    keyboard.command(0x60)
    keyboard.write(0x05)
    keyboard.chip.receive(ord("A"))
    assert keyboard.drain() == [0x12, 0x1C, 0xF0, 0x1C, 0xF0, 0x12]


def test_a_keyboard_told_to_use_set_1_does(keyboard):
    keyboard.command(0x60)
    keyboard.write(0x05)
    keyboard.write(0xF0)
    keyboard.write(0x01)
    keyboard.drain()
    keyboard.chip.receive(ord("A"))
    assert keyboard.drain() == [0x2A, 0x1E, 0x9E, 0xAA]


def test_every_printable_character_has_a_key_and_no_two_share_one():
    printable = [KEYS[code] for code in range(0x20, 0x7F)]
    assert len(set(printable)) == 95


def test_translation_maps_no_two_keys_to_one_code():
    made = [SET_1[code] for code in range(0x01, 0x80) if SET_1[code] < 0x80]
    assert len(made) == len(set(made))


def test_each_byte_raises_the_line_anew(keyboard, wire):
    keyboard.chip.receive(ord("a"))
    assert (wire.level, wire.rises) == (True, 1)
    keyboard.read()
    assert (wire.level, wire.rises) == (True, 2)
    keyboard.read()
    assert not wire.level


def test_a_command_while_a_byte_waits_does_not_ask_again(keyboard, wire):
    keyboard.chip.receive(ord("a"))
    keyboard.command(0xA8)
    assert wire.rises == 1


def test_with_its_interrupt_off_the_byte_waits_in_silence(keyboard, wire):
    keyboard.command(0x60)
    keyboard.write(0x44)
    keyboard.chip.receive(ord("a"))
    assert not wire.level
    assert keyboard.read() == 0x1E


def test_a_disabled_keyboard_keeps_its_codes_until_it_is_enabled(keyboard):
    keyboard.command(0xAD)
    keyboard.chip.receive(ord("a"))
    assert not keyboard.status() & FULL
    keyboard.command(0xAE)
    assert keyboard.read() == 0x1E


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        ([0xEE], [0xEE]),
        ([0xED, 0x02], [0xFA, 0xFA]),
        ([0xF3, 0x20], [0xFA, 0xFA]),
        ([0xF2], [0xFA, 0xAB, 0x41]),  # 0x83, translated
        ([0xF5], [0xFA]),
        ([0xFF], [0xFA, 0xAA]),
        ([0xF0, 0x03], [0xFA, 0xFE]),
        ([0x99], [0xFE]),
    ],
)
def test_the_keyboard_answers_commands(keyboard, sent, answer):
    answers = []
    for byte in sent:
        keyboard.write(byte)
        answers += keyboard.drain()
    assert answers == answer


def test_a_disabled_scan_drops_keys(keyboard):
    keyboard.write(0xF5)
    keyboard.drain()
    keyboard.chip.receive(ord("a"))
    assert keyboard.drain() == []


def test_the_second_port_has_no_mouse(keyboard):
    keyboard.command(0xD4)
    keyboard.write(0xFF)
    assert keyboard.status() & (FULL | AUX | TIMEOUT) == FULL | AUX | TIMEOUT
    assert keyboard.read() == 0xFE


@pytest.mark.parametrize("command", [0xFE, 0xF0])
def test_pulsing_the_reset_line_resets(keyboard, command):
    keyboard.command(command)
    assert len(keyboard.resets) == 1


def test_pulsing_other_lines_does_not(keyboard):
    keyboard.command(0xFF)
    assert keyboard.resets == []


def test_it_is_ready_while_its_interrupt_is_open_and_nothing_is_unread(keyboard):
    assert keyboard.chip.ready
    keyboard.chip.receive(ord("a"))
    assert not keyboard.chip.ready
    keyboard.drain()
    assert keyboard.chip.ready


def test_with_its_interrupt_masked_only_a_polling_guest_listens(keyboard):
    keyboard.unmasked = False
    for _ in range(16):
        assert not keyboard.chip.listening
        keyboard.status()
    assert keyboard.chip.listening
