# SPDX-License-Identifier: GPL-2.0-or-later
"""The commands as a user runs them: a process of its own, its output, its exit status."""

from __future__ import annotations

import contextlib
import functools
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from tests.machine.starter import Starter

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


def ringscope(
    *words: object, typed: bytes = b"", folder: Path | None = None, timeout: float = TIMEOUT
) -> Said:
    """Run ``ringscope WORDS`` to its end with ``typed`` on its standard input, in ``folder``.

    The process comes ready from a ``Starter``. ``timeout`` is in seconds.
    """
    with ExitStack() as stack, ThreadPoolExecutor(2) as readers:
        ends = [[stack.enter_context(end) for end in _pipe()] for _ in range(3)]
        (stdin, typing), (out, stdout), (err, stderr) = ends
        run = _starter().run(
            [str(word) for word in words],
            environment(folder or Path("/nonexistent")),
            folder or Path.cwd(),
            (stdin.fileno(), stdout.fileno(), stderr.fileno()),
            timeout,
        )
        for end in (stdin, stdout, stderr):
            end.close()
        said = [readers.submit(end.read) for end in (out, err)]
        with contextlib.suppress(BrokenPipeError):  # of a command that reads nothing
            typing.write(typed)
        typing.close()
        status = run.status()
        return Said(status, said[0].result().decode("latin-1"), said[1].result().decode())


@functools.cache
def _starter() -> Starter:
    return Starter()


def _pipe() -> tuple[FileIO, FileIO]:
    """Return the ends to read and to write of a new pipe."""
    reading, writing = os.pipe()
    return FileIO(reading), FileIO(writing, "w")


def fresh(*words: object, typed: bytes = b"", folder: Path | None = None) -> Said:
    """Do the same in a fresh interpreter: no hash, no address is that of another run."""
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
