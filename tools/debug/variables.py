# SPDX-License-Identifier: GPL-2.0-or-later
"""The command that shows what the source has here: arguments and local variables, with their values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.text import Text

from ringscope.tools.debug.commands import LIVE
from ringscope.tools.debug.reply import CommandError, Reply, lines

if TYPE_CHECKING:
    from ringscope.emulator.debug.variables import Variable
    from ringscope.tools.debug.live_session import LiveSession

GROUP: Final = "looking"
NOWHERE: Final = "kept nowhere here"


@LIVE.command("locals", "args", "variables", usage="[FRAME]", group=GROUP)
def show_locals(session: LiveSession, words: str) -> Reply:
    """Show the arguments and local variables here, or of a frame of the backtrace by its number."""
    if words and not words.isdecimal():
        raise CommandError(f"{words!r} is no number of a frame; 'backtrace' shows them")
    try:
        found = session.live.variables(int(words or 0))
    except IndexError:
        raise CommandError(f"there is no frame {words}; 'backtrace' shows which there are") from None
    if not found:
        raise CommandError("no variables are known of this place")
    data, rows = [], list[Text | str]()
    function = ""
    for variable, content in found:
        if variable.function != function:
            function = variable.function
            rows.append(f"{function}:")
        value = NOWHERE if content is None else _value(session, variable, content)
        space = "" if variable.type.name.endswith("*") else " "
        rows.append(f"  {variable.type.name}{space}{variable.name} = {value}")
        data.append(
            {
                "name": variable.name,
                "function": variable.function,
                "argument": variable.is_argument,
                "type": variable.type.name,
                "value": None if content is None else value,
                "bytes": None if content is None else content.hex(),
            }
        )
    return Reply({"variables": data}, lines(rows))


def _value(session: LiveSession, variable: Variable, content: bytes) -> str:
    """Write a value; a pointer with the name of what it points to."""
    text, live = variable.type.written(content), session.live
    if not variable.type.name.endswith("*"):
        return text
    name = live.programs.data_symbol(variable.type.number(content), live.program, user=live.user)
    return f"{text} <{name}>" if name else text
