# SPDX-License-Identifier: GPL-2.0-or-later
"""Which chip the host's input goes to: the first, in the order given, that the guest listens to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ringscope.emulator.devices.interfaces import Receiver

if TYPE_CHECKING:
    from collections.abc import Sequence


class Listener(Receiver, Protocol):
    """A receiver that knows whether the guest wants input from it at all."""

    @property
    def listening(self) -> bool:
        """Whether the guest has shown that it reads from this chip."""
        ...


class InputRouter:
    """A receiver made of several. A chip that is listened to but busy keeps the byte from the others."""

    __slots__ = ("_listeners",)

    def __init__(self, listeners: Sequence[Listener]) -> None:
        """Take the chips in order of preference."""
        self._listeners = tuple(listeners)

    def _chosen(self) -> Listener | None:
        return next((listener for listener in self._listeners if listener.listening), None)

    @property
    def ready(self) -> bool:
        """Whether the chosen chip is ready."""
        chosen = self._chosen()
        return chosen is not None and chosen.ready

    def receive(self, byte: int) -> None:
        """Hand the byte to the chosen chip."""
        chosen = self._chosen()
        if chosen is not None:
            chosen.receive(byte)
