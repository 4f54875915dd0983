# SPDX-License-Identifier: GPL-2.0-or-later
"""The text screen: what it shows, and what of it is printed."""

from __future__ import annotations

import pytest

from ringscope.emulator.devices.vga_console import VgaConsole
from ringscope.emulator.devices.vga_text import MEMORY_LENGTH, VgaText

COLUMNS, ROWS = 80, 25


class Screen:
    """A kernel's console on the text memory, scrolling as every kernel's does."""

    def __init__(self, clock, *, moves_cursor):
        self.memory = bytearray(b" \x07" * (MEMORY_LENGTH // 2))
        self.vga = VgaText(clock)
        self.moves_cursor = moves_cursor
        self.cell = 0
        self.printed = ""
        self.console = VgaConsole(clock, self.vga, lambda: bytes(self.memory), self._print)

    def _print(self, text):
        self.printed += text

    def put(self, text):
        for character in text:
            if character == "\n":
                self.cell += COLUMNS - self.cell % COLUMNS
            else:
                self.memory[2 * self.cell] = ord(character)
                self.cell += 1
            if self.cell >= COLUMNS * ROWS:
                self.memory[: 2 * COLUMNS * ROWS] = (
                    self.memory[2 * COLUMNS : 2 * COLUMNS * ROWS] + b" \x07" * COLUMNS
                )
                self.cell -= COLUMNS
            if self.moves_cursor:
                self.move_cursor(self.cell)

    def move_cursor(self, cell):
        for register, value in ((0x0E, cell >> 8), (0x0F, cell & 0xFF)):
            self.vga.write_port(0x3D4, 1, register)
            self.vga.write_port(0x3D5, 1, value)


@pytest.fixture
def screen(clock):
    return Screen(clock, moves_cursor=False)


@pytest.fixture
def cursor_screen(clock):
    return Screen(clock, moves_cursor=True)


def test_the_screen_shows_the_memorys_characters_in_25_rows(screen):
    screen.put("hello\n world")
    rows = screen.vga.render(bytes(screen.memory))
    assert (len(rows), rows[:2]) == (25, ["hello", " world"])


def test_line_drawing_characters_are_shown_as_such(screen):
    screen.memory[0:6:2] = b"\xc9\xcd\xbb"
    assert screen.vga.render(bytes(screen.memory))[0] == "╔═╗"


def test_the_start_address_scrolls_the_screen(screen):
    screen.put("first\nsecond")
    for register, value in ((0x0C, 0), (0x0D, 80)):
        screen.vga.write_port(0x3D4, 1, register)
        screen.vga.write_port(0x3D5, 1, value)
    assert screen.vga.render(bytes(screen.memory))[0] == "second"


def test_a_line_that_appears_is_printed(screen, clock):
    screen.put("hello\n")
    clock.run_for(clock.hz // 100)
    screen.console.finish()
    assert screen.printed == "hello\n"


def test_a_line_that_grows_is_continued(screen, clock):
    for part in ("boot", "ing", " done"):
        screen.put(part)
        clock.run_for(clock.hz // 100)
    screen.console.finish()
    assert screen.printed == "booting done\n"


def test_blank_lines_between_are_printed_too(screen):
    screen.put("one\n\n\ntwo")
    screen.console.finish()
    assert screen.printed == "one\n\n\ntwo\n"


def test_a_line_that_is_overwritten_is_printed_anew(screen):
    screen.put("50%")
    screen.console.look()
    screen.cell = 0
    screen.put("60%")
    screen.console.finish()
    assert screen.printed == "50%\n60%\n"


def test_a_cleared_screen_prints_nothing_and_the_next_text_starts_a_line(screen):
    screen.put("old")
    screen.console.look()
    screen.memory[:] = b" \x07" * (MEMORY_LENGTH // 2)
    screen.console.look()
    screen.cell = 0
    screen.put("new")
    screen.console.finish()
    assert screen.printed == "old\nnew\n"


def test_lines_scrolled_off_between_two_looks_are_not_printed_twice(screen):
    for number in range(30):
        screen.put(f"line {number}\n")
        screen.console.look()
    screen.console.finish()
    assert screen.printed == "".join(f"line {number}\n" for number in range(30))


def test_several_lines_between_two_looks_are_all_printed(screen):
    for start in range(0, 100, 10):
        screen.put("".join(f"line {number}\n" for number in range(start, start + 10)))
        screen.console.look()
    screen.console.finish()
    assert screen.printed == "".join(f"line {number}\n" for number in range(100))


@pytest.mark.parametrize("cells", [1, 40, 80, 500, 1200, 1919, 1920, 1950])
def test_a_look_in_the_middle_of_scrolling_prints_nothing_twice(screen, cells):
    for number in range(24):
        screen.put(f"line {number}\n")
    screen.put("line")
    screen.console.look()
    screen.put(" 24")  # seen first in the middle of scrolling
    before = bytes(screen.memory)
    screen.put("\n")
    after = bytes(screen.memory)
    screen.memory[:] = after[: 2 * cells] + before[2 * cells :]
    screen.console.look()
    screen.memory[:] = after
    screen.put("line 25")
    screen.console.finish()
    assert screen.printed == "".join(f"line {number}\n" for number in range(26))


def test_a_screen_that_stays_as_in_the_middle_of_scrolling_is_printed_after_all(screen):
    screen.put("one\ntwo")
    screen.console.look()
    screen.cell = 0
    screen.put("two")
    screen.console.look()
    screen.console.look()
    assert screen.printed.count("two") == 2


def test_a_guest_that_moves_the_cursor_loses_no_line_however_fast_it_prints(cursor_screen):
    text = "".join(f"line {number}\n" for number in range(500))
    cursor_screen.put(text)
    cursor_screen.console.finish()
    assert cursor_screen.printed == text


def test_looks_come_at_the_same_instants_whoever_runs_the_guest(clock, make_clock):
    def run(clock, step):
        screen = Screen(clock, moves_cursor=False)
        looks = []
        screen.console._output = lambda text: looks.append((clock.now, text))
        for at in range(0, 3_000_000, 100_000):
            clock.at(at, lambda _: screen.put("x"))
        while clock.now < 10_000_000:
            clock.run_for(step)
        return looks

    assert run(clock, 10_000_000) == run(make_clock(clock.hz), 1_000)


def test_reading_input_status_resets_the_attribute_flip_flop(screen):
    vga = screen.vga
    vga.write_port(0x3C0, 1, 0x10)
    vga.read_port(0x3DA, 1)
    vga.write_port(0x3C0, 1, 0x13)
    vga.write_port(0x3C0, 1, 0x42)
    assert vga.read_port(0x3C1, 1) == 0x42


def test_the_vertical_retrace_comes_70_times_a_second(screen, clock):
    retraces, before = 0, 0
    for cycle in range(0, clock.hz, clock.hz // 100_000):
        clock.now = cycle
        now = screen.vga.read_port(0x3DA, 1) & 0x08
        retraces += now > before
        before = now
    assert retraces == 70


def test_registers_of_the_crt_controller_remember(screen):
    screen.move_cursor(0x123)
    assert screen.vga.cursor == 0x123
    screen.vga.write_port(0x3D4, 1, 0x0E)
    assert screen.vga.read_port(0x3D5, 1) == 0x01
