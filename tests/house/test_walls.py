# SPDX-License-Identifier: GPL-2.0-or-later
"""Who may know whom: pyproject.toml writes the import walls down, import-linter checks them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from ringscope.tools.build import import_path, native

PACKAGES = ("bootimage", "emulator", "kernel/abi", "tools")
#: The machine's own tests, and what they are made of.
MACHINE = ("bootimage", "emulator", "kernel/abi", "tools", "tests", "pyproject.toml")
MACHINE_TESTS = ("tests/unit/devices", "tests/machine")
#: Tests of the commands and of the bundled system, which is ours, lie among them.
NOT_THE_MACHINES = ("-k", "not bundled and not command")
NO_CACHES = shutil.ignore_patterns("__pycache__")


def _copy(root, names, target):
    for name in names:
        if (root / name).is_dir():
            shutil.copytree(root / name, target / name, ignore=NO_CACHES)
        else:
            shutil.copyfile(root / name, target / name)


def _environment(copy, monkeypatch):
    """Make the copy importable instead of the checkout, as tools/build does."""
    monkeypatch.setattr(import_path, "ROOT", copy)
    return {**os.environ, "PYTHONPATH": str(import_path.write(copy / "build"))}


def _check_walls(folder, environment=None):
    program = Path(sysconfig.get_path("scripts")) / "lint-imports"
    command = [program, "--no-logo", "--no-cache"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_no_import_crosses_a_wall(root, monkeypatch, tmp_path):
    _copy(root, (*PACKAGES, "pyproject.toml"), tmp_path)
    done = _check_walls(tmp_path, _environment(tmp_path, monkeypatch))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("bootimage/elf.py", "ringscope.emulator.machine"),
        ("emulator/machine.py", "ringscope.tools.main"),
        ("emulator/machine.py", "ringscope.abi"),
        ("emulator/devices/uart16550.py", "ringscope.emulator.timing.profile"),
        ("emulator/devices/uart16550.py", "ringscope.emulator.machine"),
        ("emulator/machine.py", "unicorn"),
    ],
)
def test_an_import_across_a_wall_is_noticed(root, monkeypatch, tmp_path, importer, imported):
    _copy(root, (*PACKAGES, "pyproject.toml"), tmp_path)
    with (tmp_path / importer).open("a", encoding="utf-8") as source:
        source.write(f"\nimport {imported}\n")
    done = _check_walls(tmp_path, _environment(tmp_path, monkeypatch))
    assert done.returncode == 1
    assert "BROKEN" in done.stdout


def test_the_machine_passes_its_tests_without_our_kernel_and_servers(root, monkeypatch, tmp_path):
    _copy(root, MACHINE, tmp_path)
    for library in native.build(root / "build"):
        copy = tmp_path / library.relative_to(root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(library, copy)
    (tmp_path / "build" / "zig-cache").symlink_to(root / "build" / "zig-cache")
    tests = [name for name in MACHINE_TESTS if (tmp_path / name).is_dir()]
    program = (
        "import sys, pytest, ringscope.emulator.machine as machine; "
        f"assert machine.__file__.startswith({str(tmp_path)!r}), machine.__file__; "
        f"sys.exit(pytest.main(['--maxfail=30', '-n', 'auto', *{NOT_THE_MACHINES!r}, *{tests!r}]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=_environment(tmp_path, monkeypatch),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
