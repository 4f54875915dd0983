# SPDX-License-Identifier: GPL-2.0-or-later
"""What a run counted, as the JSON that ``stat`` and ``ipc`` write; and files that are whole or untouched."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Self

from ringscope.tools.options import UsageError

if TYPE_CHECKING:
    from typing import TextIO

    from ringscope.emulator.books import Entry
    from ringscope.tools.session import Outcome

STDOUT_NAME = "-"
STDOUT, STDERR = 1, 2


def ledger(outcome: Outcome) -> list[Entry]:
    """Return the operations that were carried out at least once."""
    return [entry for entry in outcome.machine.ledger() if entry.count]


def document(outcome: Outcome) -> dict[str, object]:
    """Return everything counted: totals, but for ``per_op``, which is total / count.

    Every counter has its ``:u`` and ``:k`` parts beside it; a counter that this run does not have is absent.
    """
    machine = outcome.machine
    counters = machine.counters

    def operation(entry: Entry) -> dict[str, object]:
        total = counters.by_ring(entry.books)
        return {
            "name": entry.name,
            "count": entry.count,
            "total": total,
            "per_op": {name: value / entry.count for name, value in total.items()},
            "cycles_by_cause": entry.books.causes(),
        }

    return {
        "arch": machine.profile.arch,
        "cpu": machine.profile.name,
        "fidelity": machine.config.fidelity,
        "exit": {"reason": outcome.exit.reason, "status": outcome.exit.status},
        "counters": counters.by_ring(machine.books()),
        "ledger": [operation(entry) for entry in ledger(outcome)],
    }


def as_json(outcome: Outcome) -> str:
    """Return the document as text."""
    return json.dumps(document(outcome), indent=2) + "\n"


class ResultFile:
    """A file for results, opened before the run so that a long one is not lost to a misspelt folder.

    A regular file appears whole when it has been written, or is left as it was. ``-`` is standard output;
    that, stderr and what is not a regular file, such as a pipe, is written as it is. Within a ``with`` block;
    every method raises UsageError with the host's reason.
    """

    def __init__(self, path: Path) -> None:
        """Open the file beside the one that it will replace."""
        self._name = path
        self._target: Path | None = None
        self._temporary: Path | None = None
        try:
            self._file = self._open(path)
        except OSError as error:
            raise self._refusal(error) from error

    def _open(self, path: Path) -> TextIO:
        for descriptor in (STDOUT, STDERR):
            if _is_open_as(path, descriptor):
                return os.fdopen(os.dup(descriptor), "w", encoding="utf-8")
        if path.exists() and not path.is_file():
            return path.open("w", encoding="utf-8")
        self._target = Path(os.path.realpath(path))  # what a symbolic link names, not the link
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=self._target.parent)
        self._temporary = Path(name)
        return os.fdopen(handle, "w", encoding="utf-8")

    def _refusal(self, error: OSError) -> UsageError:
        return UsageError(f"{self._name}: cannot be written: {error.strerror}")

    def write(self, text: str) -> None:
        """Write the whole content and put the file in its place. Called once."""
        try:
            with self._file:
                self._file.write(text)
            if self._temporary is not None and self._target is not None:
                self._temporary.chmod(_mode(self._target))
                self._temporary.replace(self._target)
                self._temporary = None
        except BrokenPipeError:
            raise
        except OSError as error:
            raise self._refusal(error) from error

    def __enter__(self) -> Self:
        """Nothing more to do: the file is open."""
        return self

    def __exit__(self, *_: object) -> None:
        """Take away what was not finished."""
        if not self._file.closed:
            self._file.close()
        if self._temporary is not None:
            self._temporary.unlink(missing_ok=True)


def _is_open_as(path: Path, descriptor: int) -> bool:
    """Return whether a name means a descriptor, as - and /dev/stdout do, and the file that stdout goes to."""
    if str(path) == STDOUT_NAME:
        return descriptor == STDOUT
    return path.exists() and os.path.samestat(path.stat(), os.fstat(descriptor))


def _mode(target: Path) -> int:
    """Return the permissions of the file to be replaced, or those of a new one."""
    if target.exists():
        return target.stat().st_mode & 0o7777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
