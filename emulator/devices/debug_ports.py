# SPDX-License-Identifier: GPL-2.0-or-later
"""Two ports that only emulators have: the debug console and the exit port.

They are at 0xE9 and, as QEMU's isa-debug-exit usually is, at 0xF4. A read of the console's port gives 0xE9,
which is how a guest finds out that it is there. The machine ends with the very value written to the exit
port; QEMU reports (value << 1) | 1 for the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class DebugConsole:
    """One port: what is written to it is text for the host."""

    __slots__ = ("_output", "port", "ports")
    port_width = 1

    def __init__(self, port: int, output: Callable[[int], None]) -> None:
        """`output` gets each byte."""
        self.port = port
        self.ports = (range(port, port + 1),)
        self._output = output

    def read_port(self, port: int, size: int) -> int:
        """Return the number by which guests know the port."""
        del port, size
        return 0xE9

    def write_port(self, port: int, size: int, value: int) -> None:
        """Print a byte."""
        del port, size
        self._output(value & 0xFF)


class ExitPort:
    """Four bytes of ports: a write to any ends the machine with that value."""

    __slots__ = ("_on_exit", "ports")
    port_width = 4

    def __init__(self, port: int, on_exit: Callable[[int], None]) -> None:
        """`on_exit` gets the value written."""
        self.ports = (range(port, port + 4),)
        self._on_exit = on_exit

    def read_port(self, port: int, size: int) -> int:
        """Return 0, as QEMU does."""
        del port, size
        return 0

    def write_port(self, port: int, size: int, value: int) -> None:
        """End the machine."""
        del port, size
        self._on_exit(value)
