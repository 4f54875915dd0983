# SPDX-License-Identifier: GPL-2.0-or-later
"""The ISA bridge's odd ports: system control A (0x92) and B (0x61), reset control (0xCF9), POST code (0x80).

Port B belongs to the speaker: GATE2 and OUT2 of the timer, and the refresh toggle that old software counts to
wait. Port A and 0xCF9 reset the machine. The A20 line is always open here: its bit is kept, and does nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ringscope.emulator.devices.state import Stateful

if TYPE_CHECKING:
    from collections.abc import Callable


class Timer(Protocol):
    """What port B sees of the interval timer."""

    @property
    def speaker_output(self) -> bool:
        """OUT2."""
        ...

    @property
    def refresh_toggle(self) -> bool:
        """Flips with every refresh."""
        ...

    def set_speaker_gate(self, level: bool) -> None:
        """GATE2."""
        ...


PORT_B = 0x61
POST_CODE = 0x80
PORT_A = 0x92
RESET_CONTROL = 0xCF9
RESET_CPU = 0x04


class SystemControl(Stateful):
    """All four ports; `on_reset` is called with the name of the port that asked for it."""

    __slots__ = ("_on_reset", "_timer", "port_a", "port_b", "post_code", "reset_control")
    STATE = ("port_a", "port_b", "post_code", "reset_control")
    ports = (
        range(PORT_B, PORT_B + 1),
        range(POST_CODE, POST_CODE + 1),
        range(PORT_A, PORT_A + 1),
        range(RESET_CONTROL, RESET_CONTROL + 1),
    )
    port_width = 1

    def __init__(self, timer: Timer, on_reset: Callable[[str], None]) -> None:
        """Start with the speaker off and A20 open."""
        self._timer = timer
        self._on_reset = on_reset
        self.port_b = 0
        self.port_a = 0x02
        self.post_code = 0
        self.reset_control = 0

    def read_port(self, port: int, size: int) -> int:
        """Read one of the four."""
        del size
        if port == PORT_B:
            return self.port_b | self._timer.refresh_toggle << 4 | self._timer.speaker_output << 5
        return {PORT_A: self.port_a, POST_CODE: self.post_code}.get(port, self.reset_control)

    def write_port(self, port: int, size: int, value: int) -> None:
        """Write one of the four."""
        del size
        if port == PORT_B:
            self.port_b = value & 0x0F
            self._timer.set_speaker_gate(bool(value & 1))
        elif port == POST_CODE:
            self.post_code = value
        elif port == PORT_A:
            if value & ~self.port_a & 1:
                self._on_reset("port 0x92")
            self.port_a = value & 0x02
        else:
            if value & ~self.reset_control & RESET_CPU:
                self._on_reset("port 0xCF9")
            self.reset_control = value & 0x0A
