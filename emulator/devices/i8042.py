# SPDX-License-Identifier: GPL-2.0-or-later
"""Intel 8042 keyboard controller, at ports 0x60 (data) and 0x64 (status and command).

After the IBM PC AT and PS/2 technical references. The keyboard speaks set 2; with translation on (as firmware
leaves it) the controller turns each byte into set 1. The next byte from the keyboard enters the output buffer
as soon as the guest has read the one before, so the interrupt line falls and rises for each. There is no
mouse: what is sent to the second port comes back as a timeout (0xFE with status bits 5 and 6).

The host's input counts as *listened to* when the keyboard interface is enabled and either its interrupt can
reach the processor or the guest polls: it read an empty buffer's status 16 times in a row without writing
anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringscope.emulator.devices.ps2_keyboard import Ps2Keyboard
from ringscope.emulator.devices.scan_codes import BREAK, SET_1
from ringscope.emulator.devices.state import Stateful

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringscope.emulator.devices.interfaces import Line

DATA, COMMAND = 0x60, 0x64
STATUS_FULL, STATUS_SYSTEM, STATUS_COMMAND, STATUS_UNLOCKED, STATUS_AUX, STATUS_TIMEOUT = 1, 4, 8, 16, 32, 64
MODE_INTERRUPT, MODE_SYSTEM, MODE_KEYBOARD_OFF, MODE_AUX_OFF, MODE_TRANSLATE = 1, 4, 0x10, 0x20, 0x40
TIMEOUT = 0xFE
POLLS_OF_A_READER = 16


class I8042(Stateful):
    """`interrupt_open` says whether IRQ 1 is unmasked; `on_reset` is called when the reset line is pulsed."""

    __slots__ = (
        "_argument_of",
        "_interrupt_open",
        "_line",
        "_on_reset",
        "_polled",
        "broken",
        "command_written",
        "data",
        "data_flags",
        "full",
        "keyboard",
        "mode",
        "output_port",
        "ram",
        "responses",
    )
    STATE = tuple(
        """
        _argument_of _line _polled broken command_written data data_flags full keyboard mode output_port
        ram responses
    """.split()
    )
    ports = (range(DATA, DATA + 1), range(COMMAND, COMMAND + 1))
    port_width = 1

    def __init__(
        self, line: Line, interrupt_open: Callable[[], bool], on_reset: Callable[[str], None]
    ) -> None:
        """Start as firmware leaves it: self test passed, translation and the keyboard's interrupt on."""
        self._line = line
        self._interrupt_open = interrupt_open
        self._on_reset = on_reset
        self.keyboard = Ps2Keyboard()
        self.mode = MODE_INTERRUPT | MODE_SYSTEM | MODE_TRANSLATE | MODE_AUX_OFF
        self.ram = bytearray(32)
        self.output_port = 0x03  # reset not pulsed, A20 open
        self.data = 0  # the output buffer
        self.data_flags = 0
        self.full = False
        self.responses: list[tuple[int, int]] = []  # bytes of the controller itself, with their status flags
        self.broken = False  # translation: a break prefix was swallowed
        self.command_written = False
        self._argument_of: int | None = None
        self._polled = 0

    # --- the host's side ------------------------------------------------------------------------------------

    @property
    def expecting(self) -> bool:
        """Whether it will interrupt by itself: never, only the guest and the host make it."""
        return False

    @property
    def listening(self) -> bool:
        """Whether the guest uses the keyboard; see the head of this file."""
        if self.mode & MODE_KEYBOARD_OFF or not self.keyboard.scanning:
            return False
        return self._polled >= POLLS_OF_A_READER or (
            bool(self.mode & MODE_INTERRUPT) and self._interrupt_open()
        )

    @property
    def ready(self) -> bool:
        """Whether a key may be pressed now: nothing pressed before is still unread."""
        return self.listening and not self.full and not self.keyboard.sending

    def receive(self, byte: int) -> None:
        """Press and release the key of an ASCII code."""
        self.keyboard.type_character(byte)
        self._fill()

    # --- the guest's side -----------------------------------------------------------------------------------

    def read_port(self, port: int, size: int) -> int:
        """Read the output buffer or the status."""
        del size
        if port == DATA:
            value = self.data
            self.full = False
            self._fill()
            return value
        self._polled = 0 if self.full else self._polled + 1
        full = STATUS_FULL | self.data_flags if self.full else 0
        command = STATUS_COMMAND if self.command_written else 0
        return full | (self.mode & MODE_SYSTEM) | command | STATUS_UNLOCKED

    def write_port(self, port: int, size: int, value: int) -> None:
        """Write a command, its argument, or a byte for the keyboard."""
        del size
        self._polled = 0
        self.command_written = port == COMMAND
        if port == COMMAND:
            self._argument_of = None
            self._command(value)
        elif self._argument_of is not None:
            command, self._argument_of = self._argument_of, None
            self._argument(command, value)
        else:
            self.mode &= ~MODE_KEYBOARD_OFF  # a byte for the keyboard opens its clock line
            self.keyboard.command(value)
        self._fill()

    def _command(self, command: int) -> None:
        answers = {0xA9: 0x00, 0xAA: 0x55, 0xAB: 0x00, 0xC0: 0x80, 0xD0: self.output_port, 0xE0: 0x00}
        if command in answers:
            if command == 0xAA:
                self.mode |= MODE_SYSTEM
            if self.full:
                answers[0xD0] |= 0x10
            self._respond(answers[command])
        elif 0x20 <= command < 0x40:
            self._respond(self.mode if command == 0x20 else self.ram[command & 0x1F])
        elif 0x60 <= command < 0x80 or 0xD1 <= command <= 0xD4:
            self._argument_of = command
        elif command in (0xA7, 0xA8):
            self._set_mode(MODE_AUX_OFF, on=command == 0xA7)
        elif command in (0xAD, 0xAE):
            self._set_mode(MODE_KEYBOARD_OFF, on=command == 0xAD)
        elif command >= 0xF0 and not command & 1:
            self._on_reset("the keyboard controller (port 0x64)")

    def _argument(self, command: int, value: int) -> None:
        match command:
            case 0x60:
                self.mode = value
            case 0xD1:
                self.output_port = value
                if not value & 1:
                    self._on_reset("the keyboard controller (output port)")
            case 0xD2:
                self._respond(value)
            case 0xD3:
                self._respond(value, STATUS_AUX)
            case 0xD4:
                self._respond(TIMEOUT, STATUS_AUX | STATUS_TIMEOUT)
            case _:
                self.ram[command & 0x1F] = value

    def _set_mode(self, bit: int, *, on: bool) -> None:
        self.mode = self.mode | bit if on else self.mode & ~bit

    def _respond(self, byte: int, flags: int = 0) -> None:
        self.responses.append((byte, flags))

    # --- the output buffer ----------------------------------------------------------------------------------

    def _fill(self) -> None:
        """Move the next byte into an empty output buffer, the controller's own before the keyboard's."""
        before = self.full
        if not self.full and self.responses:
            self.data, self.data_flags = self.responses.pop(0)
            self.full = True
        while not self.full and self.keyboard.sending and not self.mode & MODE_KEYBOARD_OFF:
            code = self._translate(self.keyboard.take())
            if code is not None:
                self.data, self.data_flags, self.full = code, 0, True
        if not before:
            self._line.set(False)  # each byte is a request of its own
        self._line.set(self.full and not self.data_flags & STATUS_AUX and bool(self.mode & MODE_INTERRUPT))

    def _translate(self, code: int) -> int | None:
        """Return the byte as the guest sees it, None for a break prefix that translation swallows."""
        if not self.mode & MODE_TRANSLATE:
            return code
        if code == BREAK:
            self.broken = True
            return None
        make = SET_1[code] if code < len(SET_1) else code
        broken, self.broken = self.broken, False
        return make | 0x80 if broken and make < 0x80 else make
