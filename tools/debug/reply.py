# SPDX-License-Identifier: GPL-2.0-or-later
"""What a command of a session answers: data for programs, and the same for people to read."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from rich.console import Group
from rich.text import Text

from ringscope.tools.console import ResultConsole

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rich.console import RenderableType


class CommandError(Exception):
    """A command cannot be carried out; the message is one sentence for the user."""


class Twice(KeyboardInterrupt):
    """Ctrl-C was pressed again before the guest had stopped: the session ends."""


@dataclass(frozen=True)
class Reply:
    """An answer: ``data`` is what JSON has, ``text`` what a person sees."""

    data: Mapping[str, object] = field(default_factory=dict)
    text: RenderableType = ""


def say(sentence: str, **data: object) -> Reply:
    """Answer with a sentence."""
    return Reply({"text": sentence, **data}, Text(sentence))


def lines(rows: Iterable[Text | str]) -> Group:
    """Return lines that are neither wrapped nor taken for markup."""
    return Group(*(Text(row, no_wrap=True) if isinstance(row, str) else row for row in rows))


def hexadecimal(value: int) -> str:
    """Write a number as people read addresses."""
    return f"{value:#x}"


class Printer(Protocol):
    """Where answers go."""

    def reply(self, command: str, reply: Reply) -> None:
        """Print the answer to a command."""

    def refuse(self, command: str, sentence: str) -> None:
        """Print why a command was not carried out."""

    def guest(self, text: bytes) -> None:
        """Print what the guest printed."""

    def finish(self) -> None:
        """Print what is left, at the end of a run of the guest."""


class TextPrinter:
    """Prints for people: answers on stdout, refusals on stderr."""

    def __init__(self) -> None:
        """Print nothing yet."""
        self._console = ResultConsole()
        self._at_line_start = True

    def reply(self, command: str, reply: Reply) -> None:
        """Print the answer."""
        del command
        if reply.text:
            self._console.print(reply.text, soft_wrap=True)
        sys.stdout.flush()

    def refuse(self, command: str, sentence: str) -> None:
        """Print the sentence."""
        del command
        sys.stdout.flush()
        print(f"ringscope: {sentence}", file=sys.stderr, flush=True)

    def guest(self, text: bytes) -> None:
        """Print bytes as they are."""
        sys.stdout.flush()
        sys.stdout.buffer.write(text)
        self._at_line_start = text.endswith(b"\n")
        if self._at_line_start:
            sys.stdout.buffer.flush()

    def finish(self) -> None:
        """Begin a new line where the guest has not ended its own."""
        if not self._at_line_start:
            sys.stdout.buffer.write(b"\n")
            self._at_line_start = True
        sys.stdout.buffer.flush()


class JsonPrinter:
    """Prints one JSON object a line, whatever happens."""

    def __init__(self) -> None:
        """Print nothing yet."""
        self._said = bytearray()

    def _print(self, content: Mapping[str, object]) -> None:
        print(json.dumps(content), flush=True)

    def reply(self, command: str, reply: Reply) -> None:
        """Print the data."""
        self._print({"command": command, **reply.data})

    def refuse(self, command: str, sentence: str) -> None:
        """Print the sentence as ``error``."""
        self._print({"command": command, "error": sentence})

    def guest(self, text: bytes) -> None:
        """Keep it for the end of the run."""
        self._said += text

    def finish(self) -> None:
        """Print what the guest said as ``console``."""
        if self._said:
            self._print({"console": self._said.decode("utf-8", "replace")})
            self._said.clear()
