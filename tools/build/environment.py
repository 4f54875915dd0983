# SPDX-License-Identifier: GPL-2.0-or-later
"""Make ``.venv`` what the Makefile needs: ``python3 tools/build/environment.py STAMP [EXTRA]``.

Run by whatever Python 3.11 or newer the machine has, before anything is installed, so it imports nothing but
the standard library. The stamp is written last and says what was installed and where: an outdated or moved
environment is brought up to date; one that a kill left half made, or that pip cannot work in, is made anew.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import shutil
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
INTERRUPTED = VENV / "interrupted"
PIP = (str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet")


class EnvironmentRefused(Exception):
    """The environment cannot be made; the message is one sentence for the user."""


def identity(extra: str) -> str:
    """Return what must not change for an installation to stay good: requirements, place and extra."""
    digest = hashlib.sha256()
    for name in ("pyproject.toml", "setup.py"):
        digest.update((ROOT / name).read_bytes())
    return f"{digest.hexdigest()} {extra or 'run'} {ROOT}\n"


def requirements(extra: str) -> list[str]:
    """Return what pyproject.toml lists for ``extra``, or for building where that is empty."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found: list[str] = (
        project["project"]["optional-dependencies"][extra] if extra else project["build-system"]["requires"]
    )
    return found


@contextlib.contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Hold the lock file, waiting for whoever holds it."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("waiting for another make in this folder", file=sys.stderr)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _works() -> bool:
    """Say whether the environment's Python starts and has a pip."""
    command = [str(PYTHON), "-c", "import pip, sys; sys.exit(sys.version_info < (3, 11))"]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _create() -> None:
    shutil.rmtree(VENV, ignore_errors=True)
    VENV.mkdir()
    INTERRUPTED.touch()
    done = subprocess.run(
        [sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise EnvironmentRefused(
            f"{VENV}: {sys.executable} cannot make a virtual environment; where Python comes in parts, "
            f"install its venv package (python3-venv on Debian): {(done.stdout + done.stderr).strip()}"
        )


def _install(*arguments: str) -> None:
    done = subprocess.run([*PIP, *arguments], cwd=ROOT, check=False)
    if done.returncode != 0:
        raise EnvironmentRefused(
            f"{VENV}: pip could not install {' '.join(arguments)}; it says why above. Run make again to go on"
        )


def prepare(stamp: Path, extra: str = "") -> None:
    """Bring ``.venv`` up to date for ``extra`` and write ``stamp``. Raises EnvironmentRefused."""
    if INTERRUPTED.exists() or not _works():
        print(f"making {VENV.name} with Python {sys.version.partition(' ')[0]}", flush=True)
        _create()
    elif stamp.exists() and stamp.read_text(encoding="utf-8") == identity(extra):
        stamp.touch()
        return
    stamp.unlink(missing_ok=True)
    print(f"installing {'the tools for tests' if extra else 'what ringscope needs'} from PyPI", flush=True)
    INTERRUPTED.touch()
    try:
        # What building needs stays installed, so the compiler is fetched once and not for each build.
        _install(*requirements(extra))
        if not extra:
            _install("--no-build-isolation", "--editable", ".")
    finally:
        INTERRUPTED.unlink(
            missing_ok=True
        )  # pip puts back what it could not finish; only a kill leaves the file
    stamp.write_text(identity(extra), encoding="utf-8")


def main() -> int:
    """Prepare the environment named on the command line and return the exit status."""
    stamp, extra = Path(sys.argv[1]), "".join(sys.argv[2:])
    try:
        with alone(ROOT / "build" / "environment.lock"):
            prepare(stamp, extra)
    except EnvironmentRefused as error:
        print(f"ringscope: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"ringscope: {error.filename or VENV}: {error.strerror}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return 0


if __name__ == "__main__":
    sys.exit(main())
