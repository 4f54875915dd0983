# SPDX-License-Identifier: GPL-2.0-or-later
"""Build the native core, the guest and the bundled images: ``python -m ringscope.tools.build [FOLDER]``.

What takes time to import is imported inside, so that Ctrl-C shows no traceback.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

FAILED, UNUSABLE = 1, 2  # exit statuses: what is compiled is at fault, or the place where it is to go


def main() -> int:
    """Build and return the exit status."""
    try:
        from ringscope.tools.build import compiler, everything  # noqa: PLC0415

        try:
            everything.build_everything(Path(sys.argv[1]) if sys.argv[1:] else compiler.ROOT / "build")
        except compiler.BuildError as error:
            print(f"ringscope: {error}", file=sys.stderr)
            return FAILED
    except OSError as error:
        print(f"ringscope: {error.filename or 'the build folder'}: {error.strerror}", file=sys.stderr)
        return UNUSABLE
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return 0


if __name__ == "__main__":
    sys.exit(main())
