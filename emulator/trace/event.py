# SPDX-License-Identifier: GPL-2.0-or-later
"""One event of a trace, as ``struct trace_event`` of native/trace.h lays it out."""

from __future__ import annotations

import enum
import itertools
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LAYOUT = struct.Struct("<6Q2I3BxI")


class Kind(enum.IntEnum):
    """``enum trace_kind``."""

    SYSTEM_CALL = 0
    EXCEPTION = 1
    INTERRUPT = 2
    RETURN = 3
    SPACE = 4
    EVENT = 5
    BEGIN = 6
    END = 7


class Call(enum.IntEnum):
    """``enum trace_call``: by which instruction a system call was made."""

    SYSCALL = 0
    SYSENTER = 1
    INT = 2
    SVC = 3


#: Ways into the kernel, or deeper into it.
ENTRIES = frozenset((Kind.SYSTEM_CALL, Kind.EXCEPTION, Kind.INTERRUPT))


@dataclass(frozen=True, slots=True)
class Event:
    """What happened; ``time`` and ``cost`` in cycles, addresses virtual, ``space`` and ``thread`` as keys.

    ``source`` is where control comes back to if nobody changes that, ``target`` where it went. What
    ``argument``, ``detail`` and ``number`` mean depends on the kind: native/trace.h.
    """

    time: int
    source: int
    target: int
    space: int
    thread: int
    argument: int
    cost: int
    detail: int
    kind: Kind
    from_user: bool
    to_user: bool
    number: int


#: Where `space`, `kind` and `from_user` are: in 64-bit words, in bytes, in bytes.
SPACE_WORD, KIND_BYTE, FROM_USER = 3, 56, 57


def user_spaces(events: bytes) -> set[int]:
    """Return the address spaces in which user code was left, without looking at each event."""
    spaces = memoryview(events).cast("Q")[SPACE_WORD :: LAYOUT.size // 8]
    return set(itertools.compress(spaces.tolist(), events[FROM_USER :: LAYOUT.size]))


def unknown_kind(events: bytes) -> int | None:
    """Return the kind of an event that there is not, as damage makes it; None where there are all."""
    most = max(events[KIND_BYTE :: LAYOUT.size], default=0)
    return most if most > max(Kind) else None


def read(events: bytes) -> Iterator[Event]:
    """Yield the events in a native buffer's bytes, of which there are a whole number of events."""
    for (
        time,
        source,
        target,
        space,
        thread,
        argument,
        cost,
        detail,
        kind,
        from_user,
        to_user,
        number,
    ) in LAYOUT.iter_unpack(events):
        yield Event(
            time,
            source,
            target,
            space,
            thread,
            argument,
            cost,
            detail,
            Kind(kind),
            bool(from_user),
            bool(to_user),
            number,
        )
