# SPDX-License-Identifier: GPL-2.0-or-later
"""What a chip is made of between two runs, as plain values that JSON has, and the way back.

A chip is `Stateful`: its `STATE` names the attributes that change while the machine runs. All others are
what it was built from: wires, addresses, the board's numbers. A value is a number, text, bytes, a date, a
container of such, or

- another `Stateful`, a *part*: it is never replaced, its own state is;
- an `Event` of the clock, which is known by its number in the queue.

`Saver` and `Loader` carry what the values of one machine refer to.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections import deque
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar

from ringscope.emulator.devices.interfaces import Event, ExitKind, ExitRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

#: What is saved: what JSON has.
Plain = None | bool | int | str | list["Plain"] | dict[str, "Plain"]


class Stateful:
    """A chip, or a part of one; see the head of this file."""

    __slots__ = ()
    STATE: ClassVar[tuple[str, ...]] = ()

    def state(self, saver: Saver) -> dict[str, Any]:
        """Return the values of what STATE names."""
        return {name: saver.save(getattr(self, name)) for name in self.STATE}

    def set_state(self, saved: Mapping[str, Any], loader: Loader) -> None:
        """Take the values that `state` returned. Raise KeyError, TypeError or ValueError if they are none."""
        for name in self.STATE:
            before = getattr(self, name)
            after = loader.load(saved[name], before)
            if after is not before:
                setattr(self, name, after)


class Saver:
    """Turns values into plain ones; `numbers` has the number of each pending event by its identity."""

    def __init__(self, numbers: Mapping[int, int]) -> None:
        """Nothing is saved yet."""
        self._numbers = numbers

    def save(self, value: object) -> Plain:  # noqa: C901, PLR0911  one line for each kind of value
        """Return a value as JSON has it. Raise TypeError for what a chip's state cannot hold."""
        match value:
            case Enum():
                return self.save(value.value)
            case None | bool() | int() | str():
                return value
            case Stateful():
                return self._state(value)
            case Event():
                return {"event": self._numbers.get(id(value))}
            case ExitRequest():
                return {"exit": [value.kind.value, value.status, value.source]}
            case bytes() | bytearray():
                return {type(value).__name__: b64encode(value).decode()}
            case datetime():
                return {"datetime": value.isoformat()}
            case dict():
                return {"dict": [[self.save(key), self.save(held)] for key, held in value.items()]}
            case frozenset():
                return {"frozenset": [self.save(held) for held in sorted(value)]}
            case list() | tuple() | deque():
                return {type(value).__name__: [self.save(held) for held in value]}
            case _:
                raise TypeError(f"{value!r} cannot be part of a state")

    def _state(self, part: Stateful) -> Plain:
        state: dict[str, Plain] = part.state(self)
        return {"state": state}


class Loader:
    """Turns plain values back; `events` has the clock's events by their numbers."""

    def __init__(self, events: Mapping[int, Event]) -> None:
        """Nothing is loaded yet."""
        self._events = events

    def load(self, saved: Any, before: object) -> Any:  # noqa: ANN401  whatever was saved
        """Return the value that was saved; `before` is in its place now. Raise as `set_state` does."""
        if isinstance(before, Enum):
            return type(before)(saved)
        if not isinstance(saved, dict):
            return saved
        ((kind, held),) = saved.items()
        if kind == "state":
            if not isinstance(before, Stateful):
                raise ValueError("a part is saved that this machine does not have")
            before.set_state(held, self)
            return before
        return self._value(kind, held, before)

    def _value(self, kind: str, held: Any, before: object) -> Any:  # noqa: ANN401
        makers: dict[str, Callable[[], object]] = {
            "event": lambda: _gone() if held is None else self._events[held],
            "exit": lambda: ExitRequest(ExitKind(held[0]), held[1], held[2]),
            "bytes": lambda: b64decode(held),
            "bytearray": lambda: bytearray(b64decode(held)),
            "datetime": lambda: datetime.fromisoformat(held),
            "dict": lambda: self._dict(held, before),
            "list": lambda: [self.load(value, None) for value in held],
            "frozenset": lambda: frozenset(held),
            "deque": lambda: deque(self.load(value, None) for value in held),
            "tuple": lambda: self._tuple(held, before),
        }
        return makers[kind]()

    def _dict(self, held: list[Any], before: object) -> dict[Any, Any]:
        now = before if isinstance(before, dict) else {}
        return {self.load(key, None): self.load(value, now.get(key)) for key, value in held}

    def _tuple(self, held: list[Any], before: object) -> tuple[Any, ...]:
        now = before if isinstance(before, tuple) and len(before) == len(held) else (None,) * len(held)
        return tuple(map(self.load, held, now))


def _gone() -> Event:
    """Return an event that has run or was cancelled, and is still held."""
    return Event(0, lambda _: None, pending=False)


def parts_of(part: Stateful, path: str) -> Iterator[tuple[str, Stateful]]:
    """Return a part and all parts of it, each with its path: `board.local_apic.timer`."""
    yield path, part
    for name in part.STATE:
        value = getattr(part, name)
        below = value if isinstance(value, tuple) else (value,)
        for index, held in enumerate(below):
            if isinstance(held, Stateful):
                suffix = f".{index}" if isinstance(value, tuple) else ""
                yield from parts_of(held, f"{path}.{name}{suffix}")
