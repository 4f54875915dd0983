# SPDX-License-Identifier: GPL-2.0-or-later
"""What pyproject.toml cannot say: a wheel carries compiled files, and so belongs to one platform.

The project's own build makes them: the native core and the bundled images. An editable install builds
nothing; ``make build`` does that, and the code finds its files below build/.
"""

from __future__ import annotations

import os
import runpy
import shutil
import sys
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
BUILD = ROOT / "build"
IMPORT_PATH = runpy.run_path(str(ROOT / "tools" / "build" / "import_path.py"))
#: Not installed: it compiles the checkout around it.
CHECKOUT_ONLY = "ringscope.tools.build"


def packages() -> list[str]:
    """Return every package below the folders that pyproject.toml maps."""
    found = {
        ".".join((name, *path.parent.relative_to(ROOT / folder).parts))
        for name, folder in IMPORT_PATH["package_folders"]().items()
        for path in (ROOT / folder).rglob("*.py")
    }
    return sorted(found - {CHECKOUT_ONLY})


class BuildPackage(build_py):
    """Copy the modules, and put beside them what has to be compiled and packed."""

    def run(self) -> None:
        """Build into an empty folder: a module that was deleted must not come back from an older build."""
        if not self.editable_mode:
            shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()
        if not self.editable_mode:
            self._build_files()

    def _build_files(self) -> None:
        path = str(IMPORT_PATH["write"](BUILD))
        sys.path.insert(0, path)
        from ringscope.tools.build.everything import build_everything  # noqa: PLC0415  importable only now

        for name, built in build_everything(BUILD).installed.items():
            target = Path(self.build_lib, "ringscope", name)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(built, target)


class PlatformWheel(bdist_wheel):
    """A wheel for any Python, through ctypes, but for one platform."""

    def finalize_options(self) -> None:
        """Say that the wheel is not pure."""
        super().finalize_options()
        self.root_is_pure = False

    def get_tag(self) -> tuple[str, str, str]:
        """Return the wheel's tag."""
        return "py3", "none", super().get_tag()[2]


class NativeDistribution(Distribution):
    """A distribution whose files go to the platform's folder."""

    def has_ext_modules(self) -> bool:
        """Say that there is native code, though setuptools does not compile it."""
        return True


os.chdir(ROOT)
BUILD.mkdir(exist_ok=True)
setup(
    packages=packages(),
    distclass=NativeDistribution,
    cmdclass={"build_py": BuildPackage, "bdist_wheel": PlatformWheel},
    options={"egg_info": {"egg_base": "build"}},
)
