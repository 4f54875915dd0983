# SPDX-License-Identifier: GPL-2.0-or-later
"""Names and places of several programs: which is meant, and what is said where none or several are."""

from __future__ import annotations

import pytest

from ringscope.emulator.debug.programs import Programs, UnknownSymbol
from tests.unit.debug.test_symbols import BASE, FUNCTION, OBJECT, elf

USER = 0x400000


@pytest.fixture
def programs():
    """A kernel and two programs that lie at the same addresses."""
    kernel = elf(
        [
            ("entry", BASE, 0x20, FUNCTION),
            ("current", BASE + 0x800, 8, OBJECT),
            ("both", BASE + 0x40, 8, FUNCTION),
        ]
    )
    console = elf([("main", USER, 0x20, FUNCTION), ("line", USER + 0x100, 0x40, OBJECT)], vaddr=USER)
    client = elf([("main", USER + 0x10, 0x20, FUNCTION), ("both", USER + 0x40, 8, FUNCTION)], vaddr=USER)
    return Programs(kernel, [("console.elf", console), ("client.elf", client), ("notes.txt", b"no ELF file")])


@pytest.mark.parametrize(
    ("name", "inside", "program", "address"),
    [
        ("entry", None, None, BASE),
        ("current", None, None, BASE + 0x800),
        ("kernel:entry", "client.elf", None, BASE),
        ("console:main", None, "console.elf", USER),
        ("client.elf:main", None, "client.elf", USER + 0x10),
        ("line", None, "console.elf", USER + 0x100),  # nobody else has one
        ("main", "client.elf", "client.elf", USER + 0x10),  # where we are comes first
        ("both", None, None, BASE + 0x40),  # then the kernel
        ("both", "client.elf", "client.elf", USER + 0x40),
    ],
)
def test_a_name_means_the_symbol_of_one_program(programs, name, inside, program, address):
    place, _ = programs.find(name, inside)
    assert (place.program, place.address) == (program, address)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("main", "main is in several programs; write console:main or client:main"),
        ("entri", "no symbol is called entri; did you mean entry?"),
        ("consol:main", "no program is called consol: did you mean console?"),
        ("console:mein", "console has no symbol mein; did you mean main?"),
        ("zzz", "no symbol is called zzz"),
    ],
)
def test_a_name_that_means_none_or_several_is_answered_with_what_there_is(programs, name, sentence):
    with pytest.raises(UnknownSymbol) as refusal:
        programs.find(name)
    assert str(refusal.value) == sentence


@pytest.mark.parametrize(
    ("address", "program", "user", "name"),
    [
        (BASE + 0x800, None, False, "current"),
        (BASE + 0x804, None, False, "current+0x4"),
        (BASE + 0x808, None, False, None),
        (USER + 0x13F, "console.elf", True, "console: line+0x3f"),
        (USER + 0x13F, "client.elf", True, None),
        (BASE + 0x800, "client.elf", True, "current"),  # a user's word may point into the kernel
    ],
)
def test_data_is_named_by_the_symbol_that_it_lies_in(programs, address, program, user, name):
    assert programs.data_symbol(address, program, user=user) == name


@pytest.mark.parametrize(
    ("begin", "names"),
    [
        ("en", ["entry"]),
        ("c", ["console:", "client:", "current"]),
        ("console:", ["console:line", "console:main"]),
        ("client:m", ["client:main"]),
        ("nobody:m", []),
    ],
)
def test_names_are_completed_with_programs_and_their_symbols(programs, begin, names):
    assert programs.completions(begin) == names


def test_code_is_described_in_the_program_that_runs_it(programs):
    assert programs.describe(USER + 4, "console.elf", user=True) == "console: main+0x4"
    assert programs.describe(USER + 0x14, "client.elf", user=True) == "client: main+0x4"
    assert programs.describe(BASE + 4, "client.elf", user=False) == "entry+0x4"


def test_a_line_that_no_program_has_is_said_to_be_unknown(programs):
    with pytest.raises(UnknownSymbol, match=r"main\.c:7: no code is known to be there"):
        programs.at_line("main.c", 7, None, any_program=True)
