# SPDX-License-Identifier: GPL-2.0-or-later
"""One generic kernel, and one folder of the same shape for each architecture."""

from __future__ import annotations

import re

import pytest

from ringscope.abi import generate

MOST_ASSEMBLY = 250
CONDITION = re.compile(r"^\s*#\s*(?:if|ifdef|ifndef|elif)\b(.*)$", re.MULTILINE)
ARCHITECTURE = re.compile(r"x86|amd64|i386|aarch64|arm|riscv", re.IGNORECASE)
INCLUDE = re.compile(r'^#include "([^"]+)"', re.MULTILINE)
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)


def _generic_files(root):
    return [path for path in (root / "kernel").iterdir() if path.suffix in {".c", ".h"}]


def _folders(root):
    """Every folder that has one folder for each architecture."""
    return [path for top in ("kernel", "servers") for path in (root / top).rglob("arch")]


def _unlike(folder):
    """Names below one architecture's folder that another's lacks."""
    names = [{path.name for path in arch.iterdir()} for arch in folder.iterdir() if arch.is_dir()]
    return set.union(*names) - set.intersection(*names)


def test_no_generic_kernel_file_asks_for_the_architecture(root):
    asked = {
        path.name: [what for what in CONDITION.findall(path.read_text("utf-8")) if ARCHITECTURE.search(what)]
        for path in _generic_files(root)
    }
    assert asked
    assert not {name: found for name, found in asked.items() if found}


def test_all_architectures_list_the_same_names(root):
    folders = _folders(root)
    assert folders
    assert not {str(folder): _unlike(folder) for folder in folders if _unlike(folder)}


def test_a_file_that_one_architecture_lacks_is_noticed(tmp_path):
    for name in ("one/entry.S", "one/timer.c", "two/entry.S"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert _unlike(tmp_path) == {"timer.c"}


def test_every_architecture_has_the_headers_that_generic_code_includes(root):
    promise = root / "kernel" / "arch" / "arch.h"
    wanted = {
        name for path in [*_generic_files(root), promise] for name in INCLUDE.findall(path.read_text("utf-8"))
    }
    elsewhere = [root / "kernel", root / "emulator" / "guest"]
    of_arch = {name for name in wanted if not any((folder / name).exists() for folder in elsewhere)}
    assert of_arch
    for folder in (path for path in promise.parent.iterdir() if path.is_dir()):
        assert of_arch <= {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("arch", ["x86_64", "aarch64"])
def test_an_architecture_needs_fewer_than_250_lines_of_assembly(root, arch):
    """Lines of code: comments, which say what a register means, do not count."""
    files = (root / "kernel" / "arch" / arch).glob("*.S")
    code = [COMMENT.sub("", path.read_text("utf-8")).splitlines() for path in files]
    assert 0 < sum(1 for lines in code for line in lines if line.strip()) < MOST_ASSEMBLY


def test_the_abi_header_is_what_its_generator_writes(root, monkeypatch, tmp_path):
    committed = root / "kernel" / "abi"
    (tmp_path / "abi.toml").write_bytes((committed / "abi.toml").read_bytes())
    monkeypatch.setattr(generate, "HERE", tmp_path)
    generate.main()
    assert (tmp_path / "abi.h").read_text("utf-8") == (committed / "abi.h").read_text("utf-8")
