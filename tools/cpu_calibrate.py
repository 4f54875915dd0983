# SPDX-License-Identifier: GPL-2.0-or-later
"""``ringscope cpu calibrate``: measure this host and write a profile of it."""

from __future__ import annotations

import functools
import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ringscope.emulator.timing import profile as profiles
from ringscope.tools.calibration.profile_file import base_of, document
from ringscope.tools.options import UsageError, file_path
from ringscope.tools.validation import suite

if TYPE_CHECKING:
    import argparse

ARCHITECTURE = "x86_64"
PROCESSORS = Path("/proc/cpuinfo")
ROUNDS = 8


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``cpu calibrate``."""
    parser = commands.add_parser("calibrate", help="measure this host and write a profile of it")
    parser.add_argument(
        "-o",
        metavar="FILE",
        dest="output",
        type=file_path,
        default=Path("host.toml"),
        help="default: host.toml",
    )
    parser.set_defaults(func=calibrate)


def fewest(one: Any, other: Any) -> Any:  # noqa: ANN401 (JSON)
    """Return the smaller figures of two of the same form; of frequencies the larger one."""
    if isinstance(one, dict):
        return {
            key: max(one[key], other[key]) if key == "frequency" else fewest(one[key], other[key])
            for key in one
        }
    return min(one, other)


def _figures(harness: Path) -> dict[str, Any]:
    """Return the figures, the best of ROUNDS processes: who shares the core with us only slows it down."""
    command = [sys.executable, "-m", "ringscope.tools.calibration.host", str(harness)]
    rounds = []
    for number in range(ROUNDS):
        print(f"round {number + 1} of {ROUNDS}", file=sys.stderr)
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            raise UsageError(
                "the snippets did not run to their end on this host; try again when it has less to do"
            )
        rounds.append(json.loads(done.stdout))
    figures: dict[str, Any] = functools.reduce(fewest, rounds)
    return figures


def calibrate(arguments: argparse.Namespace) -> int:
    """Run ``cpu calibrate`` and return the exit status."""
    if platform.machine() != ARCHITECTURE:
        raise UsageError(
            f"what is measured are instructions of {ARCHITECTURE}, and this host is {platform.machine()}"
        )
    output: Path = arguments.output
    if output.suffix != ".toml":
        raise UsageError(f"{output}: a profile's file is called something.toml; give such a name")
    try:
        harness = suite.build()
    except suite.SuiteMissing as error:
        raise UsageError(str(error)) from error
    base = base_of(PROCESSORS.read_text(encoding="utf-8"))
    text = document(_figures(harness), base, output.stem, "the host that it was measured on")
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{output}: cannot be written: {error.strerror}") from error
    profile = profiles.load(output)
    print(f"{output}: {100 * (1 - profile.estimate_share):.0f}% of its values measured, the others estimates")
    return 0
