# SPDX-License-Identifier: GPL-2.0-or-later
"""The commands that every session has: help, and the way out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from ringscope.tools.debug.commands import LIVE, RECORDED
from ringscope.tools.debug.reply import Reply, lines

if TYPE_CHECKING:
    from ringscope.tools.debug.commands import Commands

GROUP: Final = "the session"
COLUMN: Final = 26  # characters of names and arguments before what they do
PLACES: Final = """\
A PLACE is a symbol (fastpath_call), a program's symbol (console:main), FILE:LINE, or *ADDRESS. An EXPR has
C's operators, $registers ($pc, $sp, $cycle on any machine), symbols (their addresses), local variables
(their values), *ADDRESS and u8(), u16(), u32(), u64() for memory. An empty line does the last step again."""


class Leave(Exception):
    """The user has asked to end the session."""


class _Session(Protocol):
    commands: Commands


def _help(session: _Session, words: str) -> Reply:
    """List the commands, or explain one."""
    if words:
        command = session.commands.find(words)
        names = ", ".join((command.name, *command.aliases))
        rows = [f"{command.name} {command.usage}".rstrip(), f"  {command.about}.", f"  names: {names}"]
        return Reply({"name": command.name, "usage": command.usage, "about": command.about}, lines(rows))
    groups: dict[str, list[str]] = {}
    for command in session.commands.all.values():
        names = " ".join((command.name, *command.aliases[:1], command.usage)).strip()
        about = command.about.partition(": ")[0]
        said = (
            [f"  {names:<{COLUMN}} {about}"]
            if len(names) <= COLUMN
            else [f"  {names}", f"  {'':<{COLUMN}} {about}"]
        )
        groups.setdefault(command.group, []).extend(said)
    rows = [row for group, members in groups.items() for row in (f"{group}:", *members)]
    rows += ["", *PLACES.splitlines()]
    return Reply({"commands": list(session.commands.all)}, lines(rows))


def _quit(_: _Session, __: str) -> Reply:
    """End the session."""
    raise Leave


for _commands in (LIVE, RECORDED):
    _commands.command("help", "h", "?", usage="[COMMAND]", group=GROUP)(_help)
    _commands.command("quit", "q", "exit", group=GROUP)(_quit)
