# SPDX-License-Identifier: GPL-2.0-or-later
"""A trace in a file: a line that says what it is, events as the core made them, and what the run showed.

The first line is JSON: format, version, architecture, processor, clock. Then come the events; then, if the
run ended in order, JSON with the names of address spaces and marks, a magic word and its length. A recording
without that (the host was switched off) can still be read; its address spaces have no names.
"""

from __future__ import annotations

import contextlib
import json
import struct
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from ringscope.emulator.trace.event import LAYOUT, unknown_kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

FORMAT, VERSION = "ringscope-trace", 1
LENGTH = struct.Struct("<8sQ")
TRAILER = b"RSTRACE\0"
HEAD_MOST = 4096  # bytes of the first line
CHUNK = LAYOUT.size << 14  # bytes read at once


class RecordingError(Exception):
    """A recording cannot be read; the message is one sentence for the user."""


@dataclass(frozen=True)
class Head:
    """What a recording says of its run before the first event; ``hz`` in cycles per second."""

    arch: str
    cpu: str
    hz: int


class RecordingWriter:
    """Writes a recording by a function that takes bytes: ``begin``, ``take`` events, ``finish``."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        """Write nothing yet."""
        self._write = write

    def begin(self, head: Head) -> None:
        """Write the first line."""
        first = {"format": FORMAT, "version": VERSION, "arch": head.arch, "cpu": head.cpu, "hz": head.hz}
        self._write(json.dumps(first).encode() + b"\n")

    def take(self, chunk: bytes) -> None:
        """Write some events."""
        self._write(chunk)

    def finish(self, programs: Mapping[int, str | None], marks: Mapping[int, str]) -> None:
        """Write what the run showed."""
        last = {"programs": {str(root): name for root, name in programs.items()}, "marks": dict(marks)}
        text = json.dumps(last).encode()
        self._write(text + LENGTH.pack(TRAILER, len(text)))


class Recording:
    """A recording that is read again. Every method raises RecordingError.

    ``is_whole`` says whether its end is there, with the names of address spaces and marks.
    """

    def __init__(self, path: Path) -> None:
        """Read its first and its last line."""
        self.path = path
        with self._open() as file:
            line = file.readline(HEAD_MOST)
            self.head = self._head(line)
            self._begin = len(line)
            self._end, last = self._last(file)
        self.is_whole = last is not None
        programs, marks = ({}, {}) if last is None else last
        self.programs: dict[int, str | None] = programs
        self.marks: dict[int, str] = marks

    @contextlib.contextmanager
    def _open(self) -> Iterator[IO[bytes]]:
        try:
            with self.path.open("rb") as file:
                yield file
        except OSError as error:
            raise RecordingError(f"{self.path}: cannot be read: {error.strerror}") from error

    def _head(self, line: bytes) -> Head:
        try:
            first = json.loads(line)
            if first["format"] != FORMAT:
                raise RecordingError(f"{self.path}: not a recording of ringscope trace")
            if first["version"] != VERSION:
                raise RecordingError(
                    f"{self.path}: a recording of version {first['version']}, and this is version {VERSION}; "
                    "record it again"
                )
            return Head(str(first["arch"]), str(first["cpu"]), int(first["hz"]))
        except (ValueError, KeyError, TypeError) as error:
            raise RecordingError(f"{self.path}: not a recording of ringscope trace") from error

    def _last(self, file: IO[bytes]) -> tuple[int, tuple[dict[int, Any], dict[int, str]] | None]:
        """Return where the events end, and what the last line says; None where there is none."""
        size = file.seek(0, 2)
        whole = self._begin + (size - self._begin) // LAYOUT.size * LAYOUT.size
        if size - self._begin < LENGTH.size:
            return self._without_rest(file, whole), None
        file.seek(size - LENGTH.size)
        magic, length = LENGTH.unpack(file.read(LENGTH.size))
        at = size - LENGTH.size - length
        if magic != TRAILER or at < self._begin:
            return self._without_rest(file, whole), None
        file.seek(at)
        try:
            last = json.loads(file.read(length))
            programs = {int(root): name for root, name in last["programs"].items()}
            return at, (programs, {int(number): str(name) for number, name in last["marks"].items()})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise RecordingError(f"{self.path}: its last line is damaged; record it again") from error

    def _without_rest(self, file: IO[bytes], end: int) -> int:
        """Return where the events end if the last line was begun behind them: its letters are no kinds."""
        while end > self._begin:
            file.seek(end - LAYOUT.size)
            if unknown_kind(file.read(LAYOUT.size)) is None:
                break
            end -= LAYOUT.size
        return end

    @property
    def length(self) -> int:
        """How many events there are."""
        return (self._end - self._begin) // LAYOUT.size

    def piece(self, first: int, count: int) -> bytes:
        """Return up to so many events from number ``first`` on."""
        with self._open() as file:
            file.seek(self._begin + first * LAYOUT.size)
            return self._checked(file.read(min(count, max(self.length - first, 0)) * LAYOUT.size))

    def chunks(self) -> Iterator[bytes]:
        """Yield the events, a bounded number at a time."""
        with self._open() as file:
            file.seek(self._begin)
            left = (self._end - self._begin) // LAYOUT.size * LAYOUT.size
            while left and (chunk := file.read(min(CHUNK, left))):
                yield self._checked(chunk)
                left -= len(chunk)

    def _checked(self, events: bytes) -> bytes:
        if len(events) % LAYOUT.size or unknown_kind(events) is not None:
            raise RecordingError(f"{self.path}: an event in it is damaged; record it again")
        return events
