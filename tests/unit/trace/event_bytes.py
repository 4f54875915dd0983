# SPDX-License-Identifier: GPL-2.0-or-later
"""Events for tests: made by name, and packed as the native core lays them out."""

from __future__ import annotations

from dataclasses import astuple

from ringscope.emulator.trace.event import LAYOUT, Event, Kind


def event(kind: Kind, time: int = 0, **fields: int) -> Event:
    """Return an event; what is not given is 0, and it stays where it began."""
    source = fields.pop("source", 0)
    values = {
        name: fields.pop(name, 0) for name in ("space", "thread", "argument", "cost", "detail", "number")
    }
    user = bool(fields.pop("user", 0))
    to_user = bool(fields.pop("to_user", user))
    target = fields.pop("target", source)
    assert not fields, fields
    number = values.pop("number")
    return Event(time, source, target, *values.values(), kind, user, to_user, number)


def packed(*events: Event) -> bytes:
    """Return the events as bytes."""
    return b"".join(LAYOUT.pack(*astuple(one)) for one in events)
