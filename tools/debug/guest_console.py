# SPDX-License-Identifier: GPL-2.0-or-later
"""The command that types at the guest's console: the keyboard is the session's own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ringscope.emulator.devices.typed_input import TypedInput
from ringscope.tools.debug.commands import LIVE
from ringscope.tools.debug.reply import CommandError, Reply, say
from ringscope.tools.debug.running import alive

if TYPE_CHECKING:
    from ringscope.tools.debug.live_session import LiveSession

GROUP: Final = "running"
ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\"}
ESCAPE: Final = re.compile(r"\\(?:x(?P<code>[0-9a-fA-F]{2})|(?P<letter>.?))")
MOST: Final = 1 << 16  # bytes of one command


def unescaped(text: str) -> bytes:
    r"""Return the bytes that a text stands for: \n \r \t \\ \xHH as in C. Raises CommandError."""

    def byte(match: re.Match[str]) -> bytes:
        if match["code"] is not None:
            return bytes.fromhex(match["code"])
        if match["letter"] not in ESCAPES:
            raise CommandError(rf"{match[0]} stands for nothing; there are \n, \r, \t, \\ and \xHH")
        return ESCAPES[match["letter"]].encode()

    found, at = b"", 0
    for match in ESCAPE.finditer(text):
        found += text[at : match.start()].encode() + byte(match)
        at = match.end()
    return found + text[at:].encode()


@LIVE.command("type", usage="TEXT", group=GROUP)
def type_text(session: LiveSession, words: str) -> Reply:
    r"""Type at the guest's console: type ls\n; it gets each byte when it is ready for one."""
    keyboard = session.live.machine.host_input
    if not isinstance(keyboard, TypedInput):
        raise CommandError("--replay types to this guest; start without it to type")
    end = session.control.ended
    if end is not None and end.reason != "halted":
        alive(session)
    data = unescaped(words)
    if not 0 < len(data) <= MOST:
        raise CommandError(rf"type what? Write 1 to {MOST} bytes, as in type ls\n")
    keyboard.type(data, session.live.engine.time)
    session.live.machine.schedule_input()
    session.history.typed()
    session.ended = session.control.ended is not None
    number = "a byte waits" if len(data) == 1 else f"{len(data)} bytes wait"
    return say(f"{number} for the guest to take", bytes=len(data))
