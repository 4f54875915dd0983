# SPDX-License-Identifier: GPL-2.0-or-later
"""What users of pip get: built from the source distribution, installed, and run far from the checkout."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

from ringscope.tools.build import import_path, native

ROOT = Path(__file__).resolve().parents[2]
#: What setuptools writes into a source distribution besides the sources.
GENERATED = re.compile(r"PKG-INFO|setup\.cfg|build/ringscope\.egg-info(/.*)?")
#: Python before 3.11.4 has no filters, and trusts an archive.
DATA_ALONE = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
NOT_DISTRIBUTED = {".gitignore"}
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")
ELSEWHERE = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def _run(*command, folder, environment=ELSEWHERE):
    """Run a command that must succeed, with nothing to read, and return what it printed."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def source_distribution(once):
    """The unpacked source distribution."""

    def make(folder):
        program = "import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])"
        _run(sys.executable, "-c", program, str(folder), folder=ROOT)
        with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
            archive.extractall(folder, **DATA_ALONE)  # noqa: S202  made here

    return next(path for path in once("sdist", make).iterdir() if path.is_dir())


@pytest.fixture(scope="module")
def wheel(once, source_distribution):
    """A wheel built from the source distribution alone."""

    def make(folder):
        sources = folder / "sources"
        shutil.copytree(source_distribution, sources)
        options = ("--no-build-isolation", "--no-deps", "-w", str(folder))
        _run(*PIP, "wheel", "--quiet", *options, str(sources), folder=folder)

    return next(once("wheel", make).glob("*.whl"))


@pytest.fixture(scope="module")
def installation(once, wheel):
    """An environment with the wheel installed; it sees this one's dependencies, but not its ringscope."""

    def make(folder):
        _run(sys.executable, "-m", "venv", "--without-pip", str(folder), folder=folder)
        python = str(folder / "bin" / "python")
        _run(
            *PIP,
            "--python",
            python,
            "install",
            "--quiet",
            "--no-index",
            "--no-deps",
            str(wheel),
            folder=folder,
        )
        seen = _site(folder) / "dependencies.pth"
        seen.write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")

    return once("installed", make)


def _site(environment):
    return next(environment.glob("lib/python*/site-packages"))


def test_the_source_distribution_holds_what_git_holds(source_distribution):
    listed = _run("git", "ls-files", "-z", folder=ROOT).split("\0")
    tracked = {name for name in listed if name and (ROOT / name).exists()} - NOT_DISTRIBUTED
    files = (path for path in source_distribution.rglob("*") if path.is_file())
    held = {path.relative_to(source_distribution).as_posix() for path in files}
    assert tracked <= held
    untracked = _run("git", "ls-files", "-z", "--others", "--exclude-standard", folder=ROOT).split("\0")
    assert not {name for name in held - tracked - set(untracked) if not GENERATED.fullmatch(name)}


def test_a_wheel_belongs_to_one_platform_and_any_python_3(wheel):
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    assert wheel.name.endswith(f"-py3-none-{platform}.whl")


def test_a_wheel_carries_every_module_of_the_commands_the_machine_and_the_images(wheel):
    modules = {
        f"{name.replace('.', '/')}/{path.relative_to(ROOT / folder).as_posix()}"
        for name, folder in import_path.package_folders().items()
        for path in (ROOT / folder).rglob("*.py")
    }
    carried = set(zipfile.ZipFile(wheel).namelist())
    assert {name for name in modules if not name.startswith("ringscope/tools/build/")} <= carried
    assert {f"ringscope/emulator/native/{native.name(arch)}" for arch in native.ARCHITECTURES} <= set(carried)
    kinds = {".html", ".css", ".js"}
    page = {path.name for path in (ROOT / "tools" / "page").iterdir() if path.suffix in kinds}
    assert page
    assert {f"ringscope/tools/page/{name}" for name in page} <= carried
    images = {f"ringscope/bootimage/images/{arch}/default.img" for arch in native.ARCHITECTURES}
    assert images <= carried


def test_an_install_adds_one_name_to_the_environment(installation):
    names = {path.name for path in _site(installation).iterdir()} - {"dependencies.pth"}
    assert "ringscope" in names
    assert all(name.endswith(".dist-info") for name in names - {"ringscope"})


@pytest.mark.parametrize("arch", native.ARCHITECTURES)
def test_an_installed_machine_boots_the_bundled_system_from_any_folder(installation, tmp_path, arch):
    program = str(installation / "bin" / "ringscope")
    assert "-kernel" in _run(program, "boot", "--help", folder=tmp_path)
    printed = _run(program, "boot", "--arch", arch, folder=tmp_path)
    assert printed
    in_checkout = (sys.executable, "-m", "ringscope.tools.main", "boot", "--arch", arch)
    assert printed == _run(*in_checkout, folder=ROOT, environment=os.environ)
