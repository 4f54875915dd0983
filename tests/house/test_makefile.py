# SPDX-License-Identifier: GPL-2.0-or-later
"""What ``make run`` would run."""

from __future__ import annotations

import os
import subprocess

import pytest

#: What the make that runs the tests hands on to another.
HANDED_ON = {"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "ARGS", "ARCH"}


def _run(root, *variables, environment=None):
    """Return the words of the last command of ``make run``, which is not carried out, after its name."""
    kept = {name: value for name, value in os.environ.items() if name not in HANDED_ON}
    done = subprocess.run(
        ["make", "-n", "-o", "build", "run", *variables],
        cwd=root,
        env=kept | (environment or {}),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()[-1].split()[1:]


@pytest.mark.parametrize(
    ("variables", "arguments"),
    [
        ((), ["boot"]),
        (("ARCH=aarch64",), ["boot", "--arch", "aarch64"]),
        (("ARCH=aarch64", "ARGS=-m 128M"), ["boot", "--arch", "aarch64", "-m", "128M"]),
        (("ARGS=my-kernel.elf",), ["boot", "my-kernel.elf"]),
    ],
)
def test_make_run_boots_what_its_variables_say(root, variables, arguments):
    assert _run(root, *variables) == arguments


def test_an_architecture_in_the_environment_is_somebody_elses(root):
    assert _run(root, environment={"ARCH": "arm64"}) == ["boot"]
