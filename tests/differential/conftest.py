# SPDX-License-Identifier: GPL-2.0-or-later
"""The plain engine as a neighbour process, and the name ``tests`` for shared modules."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT))

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="session")
def plain_engine() -> Iterator[Callable[[dict], dict]]:
    """Run a case on the engine as it comes, in a process where nothing of it is replaced."""
    command = [sys.executable, str(Path(__file__).with_name("plain_engine.py"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def run(case: dict) -> dict:
            process.stdin.write(json.dumps(case) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
            assert line, "the plain engine's process ended"
            return json.loads(line)

        yield run
        process.stdin.close()
