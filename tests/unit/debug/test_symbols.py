# SPDX-License-Identifier: GPL-2.0-or-later
"""Names for addresses: which symbol, whose, and when none."""

from __future__ import annotations

import struct

import pytest

from ringscope.emulator.debug.symbols import SymbolTable

FUNCTION, LABEL, OBJECT, FILE = 2, 0, 1, 4
BASE = 0x100000


def elf(symbols, *, vaddr=BASE, paddr=None, size=0x1000, bits=64):
    """An ELF file with one executable segment and symbols of (name, address, size, type)."""
    strings, table = b"\0", bytes(24 if bits == 64 else 16)
    for name, address, length, kind in symbols:
        label = len(strings)
        strings += name.encode() + b"\0"
        if bits == 64:
            table += struct.pack("<IBBHQQ", label, kind, 0, 1, address, length)
        else:
            table += struct.pack("<IIIBBH", label, address, length, kind, 0, 1)
    place = vaddr if paddr is None else paddr
    header, program, section = (64, 56, 64) if bits == 64 else (52, 32, 40)
    content = header + program
    if bits == 64:
        load = struct.pack("<IIQQQQQQ", 1, 5, 0, vaddr, place, content, size, 0x1000)
        sections = [(0, 0), (1, 0), (2, len(table)), (3, len(strings))]
    else:
        load = struct.pack("<IIIIIIII", 1, 0, vaddr, place, content, size, 5, 0x1000)
        sections = [(0, 0), (1, 0), (2, len(table)), (3, len(strings))]
    offsets = [0, 0, content, content + len(table)]
    layout = "<IIQQQQIIQQ" if bits == 64 else "<IIIIIIIIII"
    headers = b"".join(
        struct.pack(layout, 0, kind, 0, 0, offset, length, 3 if kind == 2 else 0, 0, 0, 0)
        for (kind, length), offset in zip(sections, offsets, strict=True)
    )
    start = content + len(table) + len(strings)
    identity = b"\x7fELF" + bytes([2 if bits == 64 else 1, 1, 1]) + bytes(9)
    rest = struct.pack(
        "<HHIQQQIHHHHHH" if bits == 64 else "<HHIIIIIHHHHHH",
        *(2, 62 if bits == 64 else 3, 1, vaddr, header, start, 0, header, program, 1, section, 4, 0),
    )
    return identity + rest + load + table + strings + headers


def names(symbols, **properties):
    return SymbolTable(elf(symbols, **properties), [])


@pytest.mark.parametrize("bits", [32, 64])
def test_an_address_is_named_by_the_function_it_is_in(bits):
    table = names([("first", BASE, 0x20, FUNCTION), ("second", BASE + 0x20, 0x20, FUNCTION)], bits=bits)
    assert table.describe(BASE + 0x1F) == "first+0x1f"
    assert table.describe(BASE + 0x20) == "second+0x0"


def test_a_label_of_assembly_goes_on_until_the_next_symbol():
    table = names([("entry", BASE, 0, LABEL), ("next", BASE + 0x100, 0x10, FUNCTION)])
    assert table.describe(BASE + 0xFF) == "entry+0xff"


def test_between_two_sized_functions_there_is_no_name():
    table = names([("first", BASE, 0x10, FUNCTION), ("second", BASE + 0x20, 0x10, FUNCTION)])
    assert table.describe(BASE + 0x18) is None


def test_data_and_files_name_no_code():
    table = names([("code", BASE, 0x40, FUNCTION), ("data", BASE + 4, 4, OBJECT), ("a.c", BASE + 8, 0, FILE)])
    assert table.describe(BASE + 0xA) == "code+0xa"


def test_outside_the_code_there_is_no_name():
    table = names([("last", BASE + 0xF00, 0, LABEL)])
    assert table.describe(BASE + 0x1000) is None


def test_a_kernel_is_named_before_it_runs_where_it_is_linked():
    table = names([("start", 0xFFFFFFFF80000000, 0x40, FUNCTION)], vaddr=0xFFFFFFFF80000000, paddr=BASE)
    assert table.describe(BASE + 8) == "start+0x8"


def test_ring_3_code_is_never_given_a_kernel_name():
    table = names([("kernel", BASE, 0x40, FUNCTION)])
    assert table.describe(BASE, user=True) is None


def test_a_user_address_is_named_where_one_module_has_code_there():
    modules = [
        ("echo", elf([("reply", 0x400000, 0x10, FUNCTION)], vaddr=0x400000)),
        ("pager", elf([("supply", 0x800000, 0x10, FUNCTION)], vaddr=0x800000)),
    ]
    table = SymbolTable(None, modules)
    assert table.describe(0x400004, user=True) == "echo: reply+0x4"
    assert table.describe(0x800000, user=True) == "pager: supply+0x0"


def test_a_user_address_that_two_modules_have_code_at_is_not_named():
    modules = [(name, elf([(name, 0x400000, 0x10, FUNCTION)], vaddr=0x400000)) for name in ("one", "two")]
    assert SymbolTable(None, modules).describe(0x400004, user=True) is None


def test_a_module_that_is_no_elf_file_is_passed_over():
    assert SymbolTable(b"\x7fELF", [("text", b"hello")]).describe(BASE) is None
