# SPDX-License-Identifier: GPL-2.0-or-later
"""What a run counted, as the JSON that the commands write; and files that are whole or untouched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Self

from ringscope.bootimage.whole_file import WholeFile
from ringscope.tools.options import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringscope.emulator.books import Entry
    from ringscope.tools.session import Outcome

STDOUT_NAME, STDOUT_PATH = "-", Path("/dev/stdout")


def ledger(outcome: Outcome) -> list[Entry]:
    """Return the operations that were carried out at least once."""
    return [entry for entry in outcome.machine.ledger() if entry.count]


def document(outcome: Outcome) -> dict[str, object]:
    """Return everything counted: totals, but for ``per_op``, which is total / count.

    ``what_if`` is null but for a processor that prices another machine's instructions.
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
        "what_if": machine.profile.what_if,
        "fidelity": machine.config.fidelity,
        "exit": {"reason": outcome.exit.reason, "status": outcome.exit.status},
        "counters": counters.by_ring(machine.books()),
        "ledger": [operation(entry) for entry in ledger(outcome)],
    }


def as_json(content: dict[str, object]) -> str:
    """Return a document as text."""
    return json.dumps(content, indent=2) + "\n"


class ResultFile:
    """A file for results, opened before the run so that a long one is not lost to a misspelt folder.

    It appears whole or is left as it was, see ``whole_file``; ``-`` is standard output. Within a ``with``
    block; every method raises UsageError with the host's reason.
    """

    def __init__(self, path: Path) -> None:
        """Open the file beside the one that it will replace."""
        self._name = path
        try:
            self._file = WholeFile(STDOUT_PATH if str(path) == STDOUT_NAME else path)
        except OSError as error:
            raise self._refusal(error) from error

    def _refusal(self, error: OSError) -> UsageError:
        return UsageError(f"{self._name}: cannot be written: {error.strerror}")

    def write(self, text: str) -> None:
        """Write the whole content and put the file in its place. Called once."""
        self.append_text(text)
        self.finish()

    def append_text(self, text: str) -> None:
        r"""Write a part of the content; bytes of a file's name that are no text stand there as \udcXX."""
        self.append(text.encode(errors="backslashreplace"))

    def append(self, data: bytes) -> None:
        """Write a part of the content."""
        self._do(lambda: self._file.append(data))

    def finish(self) -> None:
        """Put the file in its place. Called once."""
        self._do(self._file.finish)

    def _do(self, action: Callable[[], None]) -> None:
        try:
            action()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise self._refusal(error) from error

    def __enter__(self) -> Self:
        """Nothing more to do: the file is open."""
        return self

    def __exit__(self, *error: object) -> None:
        """Take away what was not finished."""
        self._file.__exit__(*error)
