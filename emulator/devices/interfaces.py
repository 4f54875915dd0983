# SPDX-License-Identifier: GPL-2.0-or-later
"""What a chip is given and what it offers.

A chip is *given* a `Clock` and the `Line`s that it drives; it *offers* ports or a window of memory, and
perhaps a `Receiver` for bytes from the host. Nothing else passes between a chip and the rest of the machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(slots=True, eq=False)
class Event:
    """Something that is due: `action` is called with `cycle`, when it was due, not when it was run."""

    cycle: int
    action: Callable[[int], None]
    pending: bool = True


class Clock(Protocol):
    """Simulated time, in cycles of the processor since power-on. There is no other time."""

    @property
    def cycle(self) -> int:
        """The current cycle."""
        ...

    @property
    def hz(self) -> int:
        """Cycles per simulated second."""
        ...

    def at(self, cycle: int, action: Callable[[int], None]) -> Event:
        """Have `action` called at `cycle`, or at once after the current step if that has passed."""
        ...

    def cancel(self, event: Event) -> None:
        """Forget an event; harmless when it already ran."""
        ...


class Line(Protocol):
    """A wire that one chip drives; True is its asserted level. Setting the level it has does nothing."""

    def set(self, level: bool) -> None:
        """Drive the wire."""
        ...


class PortDevice(Protocol):
    """A chip in the port space. `port_width` is the widest access in bytes that it takes whole.

    A wider access is split by the board into accesses to the ports that follow one another.
    """

    @property
    def ports(self) -> tuple[range, ...]:
        """The ports that the chip decodes."""
        ...

    @property
    def port_width(self) -> int:
        """Bytes: 1, 2 or 4."""
        ...

    def read_port(self, port: int, size: int) -> int:
        """Return what `in` reads: `size` bytes from `port`, which lies in `ports`."""
        ...

    def write_port(self, port: int, size: int, value: int) -> None:
        """Do what `out` does."""
        ...


class MmioDevice(Protocol):
    """A chip in the memory space: `length` bytes from physical address `base`."""

    @property
    def base(self) -> int:
        """Physical address of the window."""
        ...

    @property
    def length(self) -> int:
        """Bytes in the window."""
        ...

    def read_mmio(self, offset: int, size: int) -> int:
        """Return `size` bytes from `offset` in the window, little endian."""
        ...

    def write_mmio(self, offset: int, size: int, value: int) -> None:
        """Store `size` bytes at `offset` in the window, little endian."""
        ...


class Receiver(Protocol):
    """The guest's end of the host's input."""

    @property
    def ready(self) -> bool:
        """Whether the guest listens and everything before has been read."""
        ...

    def receive(self, byte: int) -> None:
        """Take one byte from the host; only when `ready`."""
        ...


class DeliveryMode:
    """Delivery modes of an interrupt message (Intel SDM vol. 3, figure "Interrupt Command Register")."""

    FIXED = 0
    LOWEST_PRIORITY = 1
    SMI = 2
    NMI = 4
    INIT = 5
    STARTUP = 6
    EXTINT = 7


class InterruptMessage(NamedTuple):
    """What an I/O APIC or another processor sends to a local APIC."""

    vector: int
    mode: int  # of DeliveryMode
    destination: int
    logical: bool
    level: bool


class ExitKind(StrEnum):
    """How the guest asked for the end of the run."""

    EXIT_PORT = "exit-port"
    POWER_OFF = "power-off"
    RESET = "reset"


class ExitRequest(NamedTuple):
    """The guest's wish to end: `status` is what it gave with EXIT_PORT, 0 for other kinds."""

    kind: ExitKind
    status: int
    source: str
