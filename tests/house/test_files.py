# SPDX-License-Identifier: GPL-2.0-or-later
"""What every file must be, whoever wrote it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

LONGEST = 400
SOURCES = {".py", ".c", ".h", ".S"}
#: Longer for a reason that its head gives: a table, or one model's hot path in one file.
LONG_FILES: frozenset[str] = frozenset()
LICENSE_LINE = "SPDX-License-Identifier: GPL-2.0-or-later"
#: Prose, expected output and a list of names are themselves and nothing else; the licence is its own.
UNMARKED_KINDS = {".md", ".txt"}
UNMARKED = {"LICENSE", ".gitignore"}
TOP_LEVEL = {
    *("kernel", "servers", "emulator", "bootimage", "tools", "tests", ".ci"),
    *("README.md", "HACKING.md", "ARCHITECTURE.md", "LIMITS.md", "LICENSE", ".gitignore"),
    *("Makefile", "pyproject.toml", "setup.py", "MANIFEST.in"),
}
# In pieces, so that this file does not contain what it looks for.
UNFINISHED = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3)) + r")\b")
PLACES = "work|home|root|tmp|Users|mnt|farm|opt"
ABSOLUTE = re.compile(rf"(?<![\w.)}}/~*-])/(?:{PLACES})/\w")
HOSTS = re.compile(r"\b[\w-]+\.(?:internal|lan|local|corp)\b(?!\()")


def _read(path):
    return path.read_text(encoding="utf-8")


def _lines_with(pattern, root, files):
    return [
        f"{name}:{number}: {line.strip()}"
        for name in files
        for number, line in enumerate(_read(root / name).splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_source_file_is_longer_than_400_lines(root, tracked):
    lengths = {str(name): _read(root / name).count("\n") for name in tracked if name.suffix in SOURCES}
    assert not {name: n for name, n in lengths.items() if n > LONGEST and name not in LONG_FILES}


def test_a_file_that_is_let_be_long_is_long(root):
    assert not [name for name in LONG_FILES if _read(root / name).count("\n") <= LONGEST]


def test_every_file_names_its_licence_in_its_first_lines(root, tracked):
    marked = [name for name in tracked if name.suffix not in UNMARKED_KINDS and str(name) not in UNMARKED]
    assert not [str(name) for name in marked if LICENSE_LINE not in _read(root / name)[:400]]


def test_ruff_looks_at_every_python_file(root, tracked):
    ruff = [sys.executable, "-m", "ruff", "check", "--show-files", "."]
    done = subprocess.run(ruff, cwd=root, capture_output=True, text=True, check=True)
    seen = {str(Path(line).relative_to(root)) for line in done.stdout.splitlines()}
    assert not {str(name) for name in tracked if name.suffix == ".py"} - seen


def test_nothing_is_marked_as_unfinished(root, tracked):
    assert not _lines_with(UNFINISHED, root, tracked)


def test_no_file_knows_a_place_on_one_machine(root, tracked):
    assert not _lines_with(ABSOLUTE, root, [name for name in tracked if name.name != "LICENSE"])


def test_no_file_names_a_host_in_a_private_network(root, tracked):
    assert not _lines_with(HOSTS, root, tracked)


def test_the_top_level_is_the_agreed_one(tracked):
    assert {name.parts[0] for name in tracked} == TOP_LEVEL


def test_the_search_for_places_finds_one():
    assert ABSOLUTE.search("see /" + "home/alice/notes")
    assert not ABSOLUTE.search("https://example.org/" + "home/alice")
