# SPDX-License-Identifier: GPL-2.0-or-later
"""Which commands a session has: their names, what they take, what they do.

A group of commands is a file with functions that ``command`` declares; a session of a live machine has LIVE,
one of a recording RECORDED. A word that begins exactly one name means that one.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ringscope.tools.debug.reply import CommandError, Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    Function = Callable[[Any, str], Reply]

#: What completes an argument: names of symbols, of registers, fixed words, nothing.
SYMBOLS, REGISTERS, NOTHING = "symbols", "registers", ""


@dataclass(frozen=True)
class Command:
    """One command. ``usage`` are its arguments as its help shows them; ``words`` what may stand there.

    ``repeats`` says that an empty line after it does it again.
    """

    name: str
    aliases: tuple[str, ...]
    usage: str
    about: str
    group: str
    function: Function
    completes: str
    words: tuple[str, ...]
    repeats: bool


class Commands:
    """A set of commands."""

    def __init__(self) -> None:
        """Have none yet."""
        self.all: dict[str, Command] = {}

    def command(
        self,
        name: str,
        *aliases: str,
        usage: str = "",
        group: str,
        completes: str = NOTHING,
        words: tuple[str, ...] = (),
        repeats: bool = False,
    ) -> Callable[[Function], Function]:
        """Declare a function as a command; its docstring's first line is what help says."""

        def declare(function: Function) -> Function:
            about = (function.__doc__ or "").strip().splitlines()[0].rstrip(".")
            self.all[name] = Command(name, aliases, usage, about, group, function, completes, words, repeats)
            return function

        return declare

    def find(self, word: str) -> Command:
        """Return the command that a word means. Raises CommandError with the ones that are near."""
        for command in self.all.values():
            if word == command.name or word in command.aliases:
                return command
        begun = [command for name, command in self.all.items() if name.startswith(word)]
        if len(begun) == 1:
            return begun[0]
        if begun:
            raise CommandError(f"{word} begins {_listed([each.name for each in begun])}; write more of it")
        names = [name for each in self.all.values() for name in (each.name, *each.aliases)]
        near = list(dict.fromkeys(difflib.get_close_matches(word, names, n=3)))
        hint = f"did you mean {_listed(near)}?" if near else "'help' lists the commands"
        raise CommandError(f"there is no command {word}; {hint}")


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


LIVE: Final = Commands()
RECORDED: Final = Commands()
