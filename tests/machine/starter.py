# SPDX-License-Identifier: GPL-2.0-or-later
"""Processes that need not import the commands first: forked from one that has.

A third of a second goes by before a fresh interpreter has imported a command, and the tests run hundreds. So
one process imports all of them, once per worker of the tests, runs nothing itself, and forks for every run:
the child is given arguments, environment, folder and standard descriptors, calls ``main`` and ends as an
interpreter ends. Nothing of one run is seen by the next.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from importlib import import_module
from pathlib import Path

MOST_BYTES = 1 << 17  # of a message: the environment is in it
DEBUGGER = "ringscope.tools.debug.conversation"


class Starter:
    """The parent of such processes, as the tests have it."""

    def __init__(self) -> None:
        self._channel, end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with end:
            self._process = subprocess.Popen(
                [sys.executable, "-P", str(Path(__file__).resolve()), str(end.fileno())],
                pass_fds=[end.fileno()],
                stdin=subprocess.PIPE,  # of the kind that its children have
                stdout=subprocess.PIPE,
            )

    def run(
        self,
        words: list[str],
        environment: dict[str, str],
        folder: Path,
        descriptors: tuple[int, int, int],
        timeout: float,
    ) -> Run:
        """Start ``ringscope WORDS``; ``timeout`` is in seconds."""
        self._channel.settimeout(timeout)
        order = {"words": words, "environment": environment, "folder": os.fspath(folder)}
        socket.send_fds(self._channel, [json.dumps(order).encode()], descriptors)
        return Run(self._channel, int(self._channel.recv(MOST_BYTES)))


class Run:
    """A process that was started."""

    def __init__(self, channel: socket.socket, pid: int) -> None:
        self._channel, self._pid = channel, pid

    def status(self) -> int:
        """Wait for its end, which comes when the time is up; return the exit status, -n after signal n."""
        try:
            return int(self._channel.recv(MOST_BYTES))
        except TimeoutError:
            os.kill(self._pid, signal.SIGKILL)
            self._channel.recv(MOST_BYTES)
            raise


def serve(channel: socket.socket) -> None:
    """Fork for every order that comes, until nobody is there to give one."""
    from ringscope.tools.command_line import COMMANDS  # noqa: PLC0415  the tests' own process does without
    from ringscope.tools.main import main  # noqa: PLC0415

    for name in (*COMMANDS.values(), DEBUGGER):
        import_module(name)
    while True:
        message, descriptors, _, _ = socket.recv_fds(channel, MOST_BYTES, 3)
        if not message:
            return
        pid = os.fork()
        if pid == 0:
            channel.close()
            sys.exit(main(_become(descriptors, **json.loads(message))))
        for descriptor in descriptors:
            os.close(descriptor)
        channel.send(str(pid).encode())
        channel.send(str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])).encode())


def _become(descriptors: list[int], words: list[str], environment: dict[str, str], folder: str) -> list[str]:
    """Make this process the one that was asked for and return its arguments."""
    for standard, descriptor in enumerate(descriptors):
        os.dup2(descriptor, standard)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    return words


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as served, contextlib.suppress(KeyboardInterrupt):
        serve(served)
