# SPDX-License-Identifier: GPL-2.0-or-later
"""Build the native core, the guest and the bundled images: ``python -m ringscope.tools.build [FOLDER]``."""

from __future__ import annotations

import sys
from pathlib import Path

from ringscope.tools.build.compiler import ROOT, BuildError
from ringscope.tools.build.everything import build_everything


def main() -> int:
    """Build and return the exit status."""
    try:
        build_everything(Path(sys.argv[1]) if sys.argv[1:] else ROOT / "build")
    except BuildError as error:
        print(f"ringscope: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
