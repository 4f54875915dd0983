# SPDX-License-Identifier: GPL-2.0-or-later
"""Source lines: of code whose lines are known, because the test wrote every instruction of it."""

from __future__ import annotations

import itertools

import pytest

from ringscope.emulator.debug.source_lines import Place, SourceLines
from ringscope.tools.build import compiler

BASE, PHYSICAL = 0x400000, 0x100000
SCRIPT = """
PHDRS { code PT_LOAD FLAGS(5); }
SECTIONS {
    .text 0x400000 : AT(0x100000) { KEEP(*(.text)) } :code
    /DISCARD/ : { *(.unwanted) *(.comment) *(.note*) *(.ARM*) *(.eh_frame*) }
}
"""
#: Instructions 0 to 3, on lines of the file itself: 4, 5, 7 and 8. The linker throws the last away.
FIRST = """
.globl _start
_start:
nop
nop

nop
nop
.section .unwanted, "ax"
nop
"""
#: Instructions 4 to 9, on lines that directives say. The assembler leaves the unit to whoever uses them: its
#: abbreviation is a DW_TAG_compile_unit without children, of DW_AT_stmt_list and DW_AT_comp_dir.
SECOND = """
.file 1 "made/up" "invented.c"
.loc 1 70
nop
.loc 1 71
nop
.loc 1 71
nop
.loc 1 0
nop
.loc 1 70
nop
.loc 1 75 1 is_stmt 0
nop
.section .debug_line, "", @progbits
lines:
.section .debug_abbrev, "", @progbits
abbreviations: .byte 1, 0x11, 0, 0x10, 0x17, 0x1b, 8, 0, 0, 0
.section .debug_info, "", @progbits
.long end - begin
begin: .short 4
.long abbreviations
.byte 8, 1
.long lines
.string "."
end:
"""
NUMBER_OF_INSTRUCTIONS = 10
ARCHITECTURES = {"x86_64": (compiler.X86_64_USER, 1), "aarch64": (compiler.AARCH64_USER, 4)}
DWARF = (4, 5)


class Built:
    """A program of FIRST and SECOND, and where its instructions are."""

    def __init__(self, folder, build_folder, arch, version):
        flags, self._length = ARCHITECTURES[arch]
        self.folder = folder
        (folder / "first.S").write_text(FIRST, encoding="utf-8")
        (folder / "second.S").write_text(SECOND, encoding="utf-8")
        (folder / "program.ld").write_text(SCRIPT, encoding="utf-8")
        (folder / "build").mkdir()
        (build_folder / "zig-cache").mkdir(parents=True, exist_ok=True)
        (folder / "build" / "zig-cache").symlink_to(build_folder / "zig-cache")
        program = compiler.Program(
            "program.elf",
            ("first.S", "second.S"),
            (*compiler.FREESTANDING, *flags, f"-gdwarf-{version}", f"-ffile-prefix-map={folder}=."),
            ("-static", f"-Wl,-T,{folder / 'program.ld'}", "-Wl,--build-id=none"),
        )
        self.data = compiler.build_program(program, folder / "build", root=folder).read_bytes()

    def address(self, instruction, base=BASE):
        return base + instruction * self._length


@pytest.fixture(
    scope="module",
    params=itertools.product(ARCHITECTURES, DWARF),
    ids=lambda pair: f"{pair[0]}-dwarf{pair[1]}",
)
def built(request, tmp_path_factory, build_folder):
    return Built(tmp_path_factory.mktemp("lines"), build_folder, *request.param)


@pytest.fixture
def lines(built):
    return SourceLines(None, [("server", built.data)], [built.folder])


@pytest.mark.parametrize(
    ("instruction", "place"),
    [
        (0, Place("first.S", 4)),
        (1, Place("first.S", 5)),
        (2, Place("first.S", 7)),
        (3, Place("first.S", 8)),
        (4, Place("made/up/invented.c", 70)),
        (5, Place("made/up/invented.c", 71)),
        (6, Place("made/up/invented.c", 71)),
        (8, Place("made/up/invented.c", 70)),
        (9, Place("made/up/invented.c", 75)),
    ],
)
def test_each_instruction_has_the_line_it_was_written_on(built, lines, instruction, place):
    assert lines.at(built.address(instruction), "server") == place


def test_what_the_compiler_made_of_no_line_has_none(built, lines):
    assert lines.at(built.address(7), "server") is None


@pytest.mark.parametrize("instruction", [-1, NUMBER_OF_INSTRUCTIONS])
def test_beside_the_code_there_is_no_line(built, lines, instruction):
    assert lines.at(built.address(instruction), "server") is None


def test_code_that_the_linker_threw_away_has_no_address(lines):
    assert lines.addresses("first.S", 10) == []


def test_a_line_has_an_address_wherever_its_code_begins(built, lines):
    assert lines.addresses("invented.c", 70) == [("server", built.address(4)), ("server", built.address(8))]


def test_two_rows_of_one_line_are_one_stretch(built, lines):
    assert lines.addresses("invented.c", 71) == [("server", built.address(5))]


def test_a_line_without_code_stands_for_the_next_that_has_some(built, lines):
    assert lines.addresses("first.S", 6) == [("server", built.address(2))]


def test_a_line_that_begins_no_statement_has_no_address(lines):
    assert lines.addresses("invented.c", 75) == []


@pytest.mark.parametrize("name", ["invented.c", "up/invented.c", "made/up/invented.c", "./up/invented.c"])
def test_a_file_may_be_called_without_its_first_folders(lines, name):
    assert len(lines.addresses(name, 71)) == 1


@pytest.mark.parametrize("name", ["vented.c", "other/invented.c", "over/made/up/invented.c"])
def test_a_file_of_another_name_is_not_meant(lines, name):
    assert lines.addresses(name, 71) == []


def test_the_same_address_in_two_programs_has_the_line_of_each(built):
    lines = SourceLines(None, [("one", built.data), ("two", b"\x7fELF"), ("three", built.data)])
    assert [lines.at(BASE, name) for name in ("one", "two", "three")] == [
        Place("first.S", 4),
        None,
        Place("first.S", 4),
    ]


def test_a_line_that_two_programs_share_has_an_address_in_each(built):
    lines = SourceLines(built.data, [("one", built.data)])
    assert lines.addresses("first.S", 5) == [(None, built.address(1)), ("one", built.address(1))]


def test_the_kernel_has_lines_where_it_is_loaded_too(built):
    lines = SourceLines(built.data, [])
    assert (
        lines.at(built.address(5, PHYSICAL)) == lines.at(built.address(5)) == Place("made/up/invented.c", 71)
    )


def test_a_module_has_lines_only_where_it_is_linked(built, lines):
    assert lines.at(built.address(5, PHYSICAL), "server") is None


def test_the_text_of_a_line_is_what_stands_there(lines):
    assert lines.text(Place("first.S", 3)) == "_start:"


@pytest.mark.parametrize(
    "place", [Place("first.S", 0), Place("first.S", 999), Place("made/up/invented.c", 70)]
)
def test_a_line_that_cannot_be_read_has_no_text(lines, place):
    assert lines.text(place) is None


def test_tables_that_are_damaged_anywhere_give_no_traceback(built):
    start = built.data.index(b"invented.c")
    for at in range(start - 60, start + 60):
        data = built.data[:at] + b"\xff" + built.data[at + 1 :]
        SourceLines(data, []).at(BASE)
