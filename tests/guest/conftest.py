# SPDX-License-Identifier: GPL-2.0-or-later
"""Let the tests here share modules by the name ``tests.guest``, however pytest was started."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2]))
