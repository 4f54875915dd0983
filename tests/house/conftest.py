# SPDX-License-Identifier: GPL-2.0-or-later
"""The tree as the house rules see it: what git tracks or would track."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def root():
    """The checkout's folder."""
    return ROOT


@pytest.fixture(scope="session")
def tracked():
    """Every file of the project, as paths from its root: tracked ones, and new ones that are not ignored."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [Path(name) for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]
