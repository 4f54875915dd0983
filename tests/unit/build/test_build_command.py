# SPDX-License-Identifier: GPL-2.0-or-later
"""How ``python -m ringscope.tools.build`` ends where it cannot go on."""

from __future__ import annotations

import errno

import pytest

from ringscope.tools.build import __main__ as command
from ringscope.tools.build import compiler, everything


@pytest.mark.parametrize(
    ("ending", "status", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), 2, "the build folder: No space left on device"),
        (PermissionError(errno.EACCES, "Permission denied", "build"), 2, "build: Permission denied"),
        (compiler.BuildError("zig cc a.c\na.c:1: error"), 1, "zig cc a.c\na.c:1: error"),
    ],
)
def test_what_cannot_be_built_is_said_without_a_traceback(monkeypatch, capsys, ending, status, said):
    def build_everything(_):
        raise ending

    monkeypatch.setattr(everything, "build_everything", build_everything)
    assert command.main() == status
    assert capsys.readouterr().err == f"ringscope: {said}\n"


def test_ctrl_c_while_building_leaves_without_a_word(monkeypatch, capsys):
    def build_everything(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(everything, "build_everything", build_everything)
    assert command.main() == 130
    assert capsys.readouterr().err == ""


def test_after_a_failure_no_other_compilation_is_begun(monkeypatch, tmp_path):
    begun = []

    def fail(source, *_):
        begun.append(source.name)
        raise compiler.BuildError(source.name)

    monkeypatch.setattr(compiler, "_compile", fail)
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    names = tuple(f"{number}.c" for number in range(1000))
    with pytest.raises(compiler.BuildError, match=r"^0\.c$"):
        compiler.build_program(compiler.Program("program", names, ()), tmp_path)
    assert len(begun) < len(names)
