# SPDX-License-Identifier: GPL-2.0-or-later
"""A folder that makes the checkout importable as ``ringscope`` where the project is not installed.

pyproject.toml maps the source folders under one import name; here the same mapping becomes symbolic links.
mypy follows them, and so does setup.py, which builds with the project's own code. Imports nothing of the
project.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def package_folders() -> dict[str, str]:
    """Return each mapped import name, such as ``ringscope.abi``, with its folder below the root."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    folders: dict[str, str] = project["tool"]["setuptools"]["package-dir"]
    return folders


def write(build: Path) -> Path:
    """Bring the links below ``build`` up to date and return the folder to put on ``sys.path``."""
    top = build.resolve() / "py"
    for name, folder in package_folders().items():
        link = top.joinpath(*name.split("."))
        target = ROOT / folder
        if link.is_symlink() and link.resolve() == target:
            continue
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(target, target_is_directory=True)
    return top
