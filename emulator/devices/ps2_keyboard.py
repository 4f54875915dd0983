# SPDX-License-Identifier: GPL-2.0-or-later
"""PS/2 keyboard: answers commands, and types what the host sends as scan codes of set 2.

Commands after the IBM PS/2 technical reference, "Keyboard": LEDs, echo, scan code set, identify, typematic
rate, enable, disable, defaults, resend, reset. Set 1 can be chosen instead; set 3 is refused (0xFE). A
character of the host becomes the make and break codes of its key on a US keyboard, with Shift or Ctrl held
where it needs them. Bytes outside ASCII have no key and are dropped.
"""

from __future__ import annotations

from collections import deque

from ringscope.emulator.devices.scan_codes import BREAK, KEYS, SET_1
from ringscope.emulator.devices.state import Stateful

ACK, RESEND, SELF_TEST_PASSED, ECHO = 0xFA, 0xFE, 0xAA, 0xEE
IDENTITY = (0xAB, 0x83)
BUFFER_SIZE = 16


class Ps2Keyboard(Stateful):
    """The keyboard's end of the cable: `take()` what it sends, `command()` what it is sent."""

    __slots__ = ("_argument_of", "_last_sent", "leds", "scan_set", "scanning", "sending", "typematic")
    STATE = ("_argument_of", "_last_sent", "leds", "scan_set", "scanning", "sending", "typematic")

    def __init__(self) -> None:
        """Start as after power-on and a passed self test, scanning."""
        self.sending: deque[int] = deque()
        self._argument_of: int | None = None  # the command whose argument comes next
        self._last_sent = 0
        self._set_defaults()
        self.leds = 0

    def _set_defaults(self) -> None:
        self.scanning = True
        self.scan_set = 2
        self.typematic = 0x2B

    def type_character(self, byte: int) -> None:
        """Press and release the key of an ASCII code, if it has one and the keyboard scans."""
        if not self.scanning or byte not in KEYS:
            return
        key, modifier = KEYS[byte]
        held = () if modifier is None else (modifier,)
        codes = bytes((*held, key, BREAK, key)) + bytes(code for pressed in held for code in (BREAK, pressed))
        if self.scan_set == 1:
            codes = _to_set_1(codes)
        if len(self.sending) + len(codes) <= BUFFER_SIZE:
            self.sending.extend(codes)

    def take(self) -> int:
        """Send the next byte; only while `sending` holds one."""
        self._last_sent = self.sending.popleft()
        return self._last_sent

    def command(self, byte: int) -> None:
        """Obey a byte from the controller: a command or its argument."""
        command, self._argument_of = self._argument_of, None
        if command is not None and byte < 0x80:
            self._obey_argument(command, byte)
            return
        match byte:
            case 0xEE:
                self.sending.append(ECHO)
            case 0xED | 0xF0 | 0xF3:
                self._argument_of = byte
                self.sending.append(ACK)
            case 0xF2:
                self.sending.extend((ACK, *IDENTITY))
            case 0xF4 | 0xF5 | 0xF6:
                self.sending.clear()
                if byte != 0xF4:
                    self._set_defaults()
                self.scanning = byte != 0xF5
                self.sending.append(ACK)
            case 0xFE:
                self.sending.append(self._last_sent)
            case 0xFF:
                self.sending.clear()
                self._set_defaults()
                self.leds = 0
                self.sending.extend((ACK, SELF_TEST_PASSED))
            case _:
                self.sending.append(RESEND)

    def _obey_argument(self, command: int, value: int) -> None:
        if command == 0xF0 and value > 2:
            self.sending.append(RESEND)
            return
        self.sending.append(ACK)
        if command == 0xED:
            self.leds = value & 7
        elif command == 0xF3:
            self.typematic = value
        elif value == 0:
            self.sending.append(self.scan_set)
        else:
            self.scan_set = value


def _to_set_1(codes: bytes) -> bytes:
    """Return the set-1 codes of a run of set-2 codes: the prefix becomes the top bit."""
    made = []
    for prefix, code in zip(bytes(1) + codes, codes, strict=False):
        if code != BREAK:
            made.append(SET_1[code] | (0x80 if prefix == BREAK else 0))
    return bytes(made)
