# SPDX-License-Identifier: GPL-2.0-or-later
"""``ringscope``: where the process begins.

Everything heavy is imported inside, so that Ctrl-C never shows a traceback.
"""

from __future__ import annotations

import os
import signal
import sys

INTERRUPTED = 128 + signal.SIGINT


def main(argv: list[str] | None = None) -> int:
    """Run the command line (default: the process's own) and return the exit status."""
    _open_standard_descriptors()
    try:
        from ringscope.tools import command_line  # noqa: PLC0415  a third of a second, in which Ctrl-C may come

        return command_line.run(sys.argv[1:] if argv is None else argv)
    except KeyboardInterrupt:
        return INTERRUPTED


def _open_standard_descriptors() -> None:
    """Keep a file that is opened later from becoming stdin, stdout or stderr where one of those is closed."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stdout is None:
        sys.stdout = os.fdopen(1, "w")
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w")


if __name__ == "__main__":
    sys.exit(main())
