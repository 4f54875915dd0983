# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a session's commands come from: a terminal with history and completion, a file, a pipe.

``carry_out`` does one line. A refused command never ends a session at a terminal; a script ends with it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import Completer, Completion
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.shortcuts import CompleteStyle

from ringscope.emulator.debug.expressions import ExpressionError
from ringscope.emulator.debug.programs import UnknownSymbol
from ringscope.tools.debug.commands import REGISTERS, SYMBOLS, Command
from ringscope.tools.debug.help import Leave
from ringscope.tools.debug.reply import CommandError, Twice

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from prompt_toolkit.completion import CompleteEvent
    from prompt_toolkit.document import Document

    from ringscope.tools.debug.commands import Commands
    from ringscope.tools.debug.reply import Printer

PROMPT: Final = "(ringscope) "
INTERRUPTED: Final = 130
COMMENT: Final = "#"


class Session(Protocol):
    """What a shell needs to know of a session."""

    commands: Commands
    printer: Printer

    def completions(self, kind: str, begin: str) -> list[str]:
        """Return the names of a kind (SYMBOLS, REGISTERS) that begin so."""
        ...


class Shell:
    """Carries out lines in a session, and remembers the last one that can be repeated."""

    def __init__(self, session: Session) -> None:
        """Nothing was typed yet."""
        self.session = session
        self._last = ""
        self.refused = False

    def carry_out(self, line: str) -> bool:
        """Do a command and print its answer; False where it was refused. Raises Leave."""
        line = line.strip() or self._last
        if not line or line.startswith(COMMENT):
            return True
        word, _, words = line.partition(" ")
        if "/" in word:  # x/4xg, as gdb's users write it
            word, slash, rest = word.partition("/")
            words = f"{slash}{rest} {words}"
        try:
            if word == "info" and words:
                word, _, words = words.strip().partition(" ")
            command = self.session.commands.find(word)
            self._last = line if command.repeats else ""
            self.session.printer.reply(line, command.function(self.session, words.strip()))
        except (CommandError, ExpressionError, UnknownSymbol) as error:
            self.session.printer.finish()
            self.session.printer.refuse(line, str(error))
            self.refused = True
            return False
        return True

    def script(self, lines: Iterable[str], *, stop_at_refusal: bool) -> None:
        """Do every line; an empty one does nothing. Raises Leave."""
        for line in lines:
            if line.strip() and not self.carry_out(line) and stop_at_refusal:
                raise Leave


class CommandCompleter(Completer):
    """Completes the first word from the commands, the last one from what the command takes."""

    def __init__(self, session: Session) -> None:
        """Look into a session whenever asked."""
        self._session = session

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        """Yield what may stand at the cursor."""
        del complete_event
        text = document.text_before_cursor.lstrip()
        word, space, _ = text.partition(" ")
        if not space:
            commands = self._session.commands.all.values()
            for command in sorted(commands, key=lambda each: each.name):
                if command.name.startswith(word):
                    yield Completion(command.name, -len(word), display_meta=command.about.partition(":")[0])
            return
        try:
            command = self._session.commands.find(word)
        except CommandError:
            return
        begin = document.get_word_before_cursor(WORD=True).lstrip("*(&!~-+")
        for name in self._arguments(command, begin):
            yield Completion(name, -len(begin))

    def _arguments(self, command: Command, begin: str) -> Iterator[str]:
        if command.name == "help":
            yield from (name for name in self._session.commands.all if name.startswith(begin))
        yield from (each for each in command.words if each.startswith(begin))
        if begin.startswith("$"):
            yield from (f"${name}" for name in self._session.completions(REGISTERS, begin[1:]))
        elif command.completes == REGISTERS:
            yield from self._session.completions(REGISTERS, begin)
        elif command.completes == SYMBOLS:
            yield from self._session.completions(SYMBOLS, begin)


def history() -> History:
    """Return where lines are remembered from session to session; nowhere if that cannot be written."""
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    folder = Path(base) / "ringscope"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "debug-history"
        file.touch()
    except OSError:
        return InMemoryHistory()
    return FileHistory(str(file))


def at_terminal(shell: Shell) -> int:
    """Ask for lines until the end; return the exit status. Ctrl-C clears the line, a second one ends."""
    prompt: PromptSession[str] = PromptSession(
        history=history(),
        completer=CommandCompleter(shell.session),
        auto_suggest=AutoSuggestFromHistory(),
        complete_while_typing=False,
        complete_style=CompleteStyle.READLINE_LIKE,
        enable_history_search=True,
    )
    interrupted = False
    while True:
        try:
            line = prompt.prompt(PROMPT)
        except EOFError:
            return 0
        except KeyboardInterrupt:
            if interrupted:
                return INTERRUPTED
            interrupted = True
            print("Ctrl-C again ends the session, and so does quit", file=sys.stderr)
            continue
        interrupted = False
        try:
            shell.carry_out(line)
        except Leave:
            return 0
        except Twice:
            return INTERRUPTED
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
