# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests of every kind share: the build folder, and QEMU as the second opinion."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import shutil
import signal
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def _neighbour(name: str, path: Path):
    """Import a helper that lies among the tests, which are no package."""
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def pytest_configure():
    """Let tests press Ctrl-C, and the processes that they start keep what Python compiled.

    What a shell runs in its background, as CI may be, starts with Ctrl-C ignored. Where the environment
    forbids bytecode, each of hundreds of processes compiles every source again, which takes it half of its
    start; kept below build/, nothing is written beside a source.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(ROOT / "build" / "pycache")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


_qemu = _neighbour("ringscope_test_qemu", Path(__file__).with_name("boot") / "qemu.py")


@pytest.fixture(scope="session")
def build_folder():
    """Where programs for tests are built, kept between runs; workers side by side have one each."""
    return ROOT / "build" / "tests" / os.environ.get("PYTEST_XDIST_WORKER", "main")


@pytest.fixture(scope="session")
def once(tmp_path_factory):
    """A function (name, make) that lets the first test process make a folder and the others find it."""
    top = tmp_path_factory.getbasetemp()
    top = top.parent if "PYTEST_XDIST_WORKER" in os.environ else top

    def folder(name, make):
        made = top / name
        with (top / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (made / "complete").exists():
                shutil.rmtree(made, ignore_errors=True)
                made.mkdir()
                make(made)
                (made / "complete").touch()
        return made

    return folder


@pytest.fixture(scope="session")
def require_program():
    """A function that skips where a program is not installed, and fails where CI promises that it is."""

    def require(name):
        if shutil.which(name) is not None:
            return
        if "CI" in os.environ:
            pytest.fail(f"{name} is not installed; CI installs it, and these tests must not be skipped there")
        pytest.skip(f"{name} is not installed")

    return require


@pytest.fixture(scope="session")
def run_qemu(require_program):
    """``run`` of tests/boot/qemu.py, where QEMU is installed."""
    require_program(_qemu.PROGRAM)
    return _qemu.run


@pytest.fixture(scope="session")
def run_qemu_arm64(require_program):
    """``run_arm64`` of tests/boot/qemu.py, where QEMU for AArch64 is installed."""
    require_program(_qemu.PROGRAM_ARM64)
    return _qemu.run_arm64
