# SPDX-License-Identifier: GPL-2.0-or-later
"""What is compiled again, and when."""

from __future__ import annotations

import dataclasses
import os

import pytest

from ringscope.bootimage import elf
from ringscope.tools.build import compiler, guest

FLAGS = (*compiler.FREESTANDING, *compiler.X86_64_USER)


@pytest.fixture
def sources(tmp_path):
    """A folder, with a space in its name, of a program of two files that include one header."""
    root = tmp_path / "a folder"
    root.mkdir()
    (root / "answer.h").write_text("#define ANSWER 42\n", encoding="utf-8")
    (root / "start.c").write_text(
        '#include "answer.h"\nvoid _start(void) { for (volatile int x = ANSWER;;) x++; }\n', encoding="utf-8"
    )
    (root / "other.c").write_text("int other(void) { return 1; }\n", encoding="utf-8")
    return root


@pytest.fixture
def build(sources, build_folder, monkeypatch):
    """A function (flags, name) that builds a program and returns the names of what the compiler wrote."""
    written = []
    run = compiler._run

    def recording_run(command, folder):
        run(command, folder)
        written.append(os.path.basename(command[command.index("-o") + 1]))  # noqa: PTH119  part of a command

    monkeypatch.setattr(compiler, "_run", recording_run)
    cache = build_folder / "zig-cache"
    cache.mkdir(parents=True, exist_ok=True)
    (sources / "build").mkdir()
    (sources / "build" / "zig-cache").symlink_to(cache)

    def build(*flags, name="program.elf"):
        written.clear()
        program = compiler.Program(name, ("start.c", "other.c"), (*FLAGS, *flags), ("-static",))
        compiler.build_program(program, sources / "build", root=sources)
        return set(written)

    return build


def _touch_later(path):
    """Give a file a time that is surely after that of everything built."""
    later = path.stat().st_mtime_ns + 10**12
    os.utime(path, ns=(later, later))


def test_a_second_build_starts_no_compiler(build):
    assert build() == {"start.c.o", "other.c.o", "program.elf"}
    assert build() == set()


def test_a_changed_header_compiles_what_includes_it(build, sources):
    build()
    _touch_later(sources / "answer.h")
    assert build() == {"start.c.o", "program.elf"}


def test_a_changed_flag_compiles_everything(build):
    build()
    assert build("-DOTHER") == {"start.c.o", "other.c.o", "program.elf"}


def test_another_program_of_the_same_sources_and_flags_is_only_linked(build):
    build()
    assert build(name="another.elf") == {"another.elf"}


def test_a_lost_object_is_compiled_again(build, sources):
    build()
    next((sources / "build" / "obj").rglob("other.c.o")).unlink()
    assert build() == {"other.c.o", "program.elf"}


def test_a_mistake_is_told_in_the_compilers_words(build, sources):
    (sources / "other.c").write_text("int other(void) { return; }\n", encoding="utf-8")
    with pytest.raises(compiler.BuildError, match=r"other\.c:1:\d+: error"):
        build()
    (sources / "other.c").write_text("int other(void) { return 2; }\n", encoding="utf-8")
    assert "program.elf" in build()


def test_another_compiler_compiles_everything(build, monkeypatch):
    build()
    monkeypatch.setattr(compiler, "_version", lambda: "another")
    assert build() == {"start.c.o", "other.c.o", "program.elf"}


def _code(data):
    file = elf.parse(data, "program")
    return [(segment.vaddr, segment.data) for segment in file.segments]


@pytest.mark.parametrize("name", ["x86_64", "aarch64"])
def test_line_tables_are_written_and_change_no_code(build_folder, name):
    program = guest.server("root", guest.ARCHITECTURES[name])
    output, flags = f"{program.output}-without-lines", (*program.flags, "-g0")
    without = dataclasses.replace(program, output=output, flags=flags)
    with_lines = compiler.build_program(program, build_folder).read_bytes()
    plain = compiler.build_program(without, build_folder).read_bytes()
    assert elf.parse(with_lines, "program").section(".debug_line") is not None
    assert elf.parse(plain, "program").section(".debug_line") is None
    assert _code(with_lines) == _code(plain)
