# SPDX-License-Identifier: GPL-2.0-or-later
"""Arguments and local variables of a compiled function: their types, their scopes, their values."""

from __future__ import annotations

import itertools

import pytest

from ringscope.emulator.debug.c_types import FLOAT, Type
from ringscope.emulator.debug.call_frames import CallFrames
from ringscope.emulator.debug.dwarf_expressions import NoValue, State
from ringscope.emulator.debug.programs import Programs
from ringscope.emulator.debug.variables import Variables
from ringscope.tools.build import compiler

SOURCE = """
enum colour { RED, BLUE = 0xfe };
struct pair { int left; const char *name; };
typedef unsigned long word;

int observe(int number, unsigned char small, _Bool truth, enum colour colour, const struct pair *pair, word w)
{
    volatile unsigned short list[3];
    list[0] = (unsigned short)number;
    if (truth) {
        struct pair nested = *pair;
        list[1] = (unsigned short)(nested.left + small + (int)colour + (int)w);
    }
    return list[0] + list[1];
}

void _start(void)
{
    for (;;) {
    }
}
"""
ARCHITECTURES = {"x86_64": compiler.X86_64_USER, "aarch64": compiler.AARCH64_USER}
FRAME = {"x86_64": (6, 7), "aarch64": (29, 31)}  # DWARF's numbers of frame and stack pointer
TYPES = {
    "number": "int",
    "small": "unsigned char",
    "truth": "_Bool",
    "colour": "enum colour",
    "pair": "const struct pair *",
    "w": "word",
    "list": "volatile unsigned short[3]",
}


class Built:
    """The program, the function's addresses, and a machine all of whose memory is 0xfe, 0xff, 0xff, ..."""

    def __init__(self, folder, build_folder, arch, version):
        (folder / "program.c").write_text(SOURCE, encoding="utf-8")
        (folder / "build").mkdir()
        (build_folder / "zig-cache").mkdir(parents=True, exist_ok=True)
        (folder / "build" / "zig-cache").symlink_to(build_folder / "zig-cache")
        program = compiler.Program(
            "program.elf",
            ("program.c",),
            (*compiler.FREESTANDING, *ARCHITECTURES[arch], "-O0", f"-gdwarf-{version}"),
            ("-static", "-Wl,--build-id=none", "-Wl,-e,_start"),
        )
        data = compiler.build_program(program, folder / "build", root=folder).read_bytes()
        self.variables = Variables(data, CallFrames(data))
        place, symbol = Programs(data, []).find("observe")
        self.function = range(place.address, place.address + symbol.size)
        registers = dict.fromkeys(FRAME[arch], 0x8000)
        self.state = State(registers, 8, lambda _, size: (b"\xfe" + 7 * b"\xff")[:size].ljust(size, b"\0"))

    def at(self, address):
        return {each.name: each for each in self.variables.at(address)}


@pytest.fixture(
    scope="module",
    params=itertools.product(ARCHITECTURES, (4, 5)),
    ids=lambda pair: f"{pair[0]}-dwarf{pair[1]}",
)
def built(request, tmp_path_factory, build_folder):
    return Built(tmp_path_factory.mktemp("variables"), build_folder, *request.param)


def test_a_function_has_its_arguments_and_variables_with_their_types(built):
    found = built.at(built.function[0])
    assert {name: each.type.name for name, each in found.items()} == TYPES
    assert [name for name, each in found.items() if each.is_argument] == list(TYPES)[:6]
    assert {each.function for each in found.values()} == {"observe"}


def test_a_variable_of_a_block_is_there_in_the_block_alone(built):
    there = ["nested" in built.at(address) for address in built.function]
    assert not there[0]
    assert not there[-1]
    assert any(there)
    assert sum(a != b for a, b in itertools.pairwise(there)) == 2


def test_behind_the_last_instruction_there_is_nothing(built):
    assert "number" not in built.at(built.function.stop)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("number", "-2"),
        ("small", "254 (0xfe)"),
        ("truth", "true"),
        ("pair", "0xfffffffffffffffe"),
        ("w", "18446744073709551614 (0xfffffffffffffffe)"),
        ("list", "feffffffffff"),
    ],
)
def test_a_value_is_written_as_its_type_asks(built, name, written):
    middle = built.function[len(built.function) // 2]
    variable = built.at(middle)[name]
    assert variable.type.written(variable.read(built.state)).replace(" ", "") == written.replace(" ", "")


def test_an_enumeration_is_written_by_name(built):
    colour = built.at(built.function[0])["colour"].type
    assert [colour.written(value.to_bytes(4, "little")) for value in (0, 0xFE, 9)] == ["RED", "BLUE", "9"]


def test_before_a_function_has_its_frame_it_has_no_value_in_it(built):
    with pytest.raises(NoValue):
        built.at(built.function[0])["number"].read(built.state)


def test_what_is_in_memory_that_is_not_there_has_no_value(built):
    nowhere = State(built.state.registers, 8, lambda *_: b"")
    with pytest.raises(NoValue):
        built.at(built.function[len(built.function) // 2])["number"].read(nowhere)


def test_a_negative_number_is_extended_to_64_bits():
    assert Type("int", 4, "signed").number(b"\xfe\xff\xff\xff") == (1 << 64) - 2
    assert Type("unsigned", 4, "unsigned").number(b"\xfe\xff\xff\xff") == 0xFFFF_FFFE


def test_a_number_with_a_fraction_is_written_as_one():
    assert Type("double", 8, FLOAT).written(bytes.fromhex("000000000000f8bf")) == "-1.5"


def test_a_file_that_is_no_program_has_no_variables():
    assert Variables(b"text", CallFrames(b"text")).at(0) == []
