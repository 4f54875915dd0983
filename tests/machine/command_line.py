# SPDX-License-Identifier: GPL-2.0-or-later
"""The commands as a user runs them: a process of its own, its output, its exit status."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

TIMEOUT = 60  # seconds; nothing here comes near


@dataclass(frozen=True)
class Said:
    """What a command printed and how it ended."""

    status: int
    out: str
    err: str


def command(*words: object) -> list[str]:
    """Return the command line of ``ringscope WORDS``."""
    return [sys.executable, "-m", "ringscope.tools.main", *map(str, words)]


def environment(state: Path) -> dict[str, str]:
    """Return an environment in which a command leaves its traces below ``state``."""
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "RINGSCOPE_DEBUG")}
    if "PYTHONPATH" in kept:  # a relative folder would be looked for where the command runs
        folders = kept["PYTHONPATH"].split(os.pathsep)
        kept["PYTHONPATH"] = os.pathsep.join(str(Path(folder).absolute()) for folder in folders if folder)
    return {**kept, "XDG_STATE_HOME": str(state)}


def ringscope(*words: object, typed: bytes = b"", folder: Path | None = None) -> Said:
    """Run ``ringscope WORDS`` to its end with ``typed`` on its standard input, in ``folder``."""
    done = subprocess.run(
        command(*words),
        input=typed,
        capture_output=True,
        timeout=TIMEOUT,
        check=False,
        cwd=folder,
        env=environment(folder or Path("/nonexistent")),
    )
    return Said(done.returncode, done.stdout.decode("latin-1"), done.stderr.decode())
