# SPDX-License-Identifier: GPL-2.0-or-later
"""The command that keeps a moment for another session: a snapshot of the machine in a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from ringscope.emulator import snapshot
from ringscope.emulator.snapshot import SnapshotError
from ringscope.tools.debug.commands import LIVE
from ringscope.tools.debug.reply import CommandError, Reply, say

if TYPE_CHECKING:
    from ringscope.tools.debug.live_session import LiveSession

GROUP: Final = "the session"


@LIVE.command("save", usage="FILE", group=GROUP)
def save(session: LiveSession, words: str) -> Reply:
    """Save the whole machine as it stands: --from-snapshot FILE goes on from there."""
    if not words:
        raise CommandError("where? Write a file's name, as in save here.snap")
    path = Path(words)
    try:
        snapshot.check_writable(path)
        snapshot.save(session.live.machine.snapshot(), path)
    except (SnapshotError, OSError) as error:
        raise CommandError(str(error)) from error
    return say(
        f"saved at cycle {session.control.cycle:,}; --from-snapshot {path} goes on from here", file=words
    )
