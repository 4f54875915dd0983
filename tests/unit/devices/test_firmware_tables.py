# SPDX-License-Identifier: GPL-2.0-or-later
"""What firmware leaves in memory, found and parsed as a kernel does it."""

from __future__ import annotations

import struct
from itertools import pairwise

import pytest

RAM = 64 << 20


@pytest.fixture
def memory(board):
    """The first MiB."""
    image = bytearray(1 << 20)
    for address, contents in board.firmware_tables(RAM):
        assert not any(image[address : address + len(contents)]), "two tables overlap"
        image[address : address + len(contents)] = contents
    return image


def table(memory, address):
    length = struct.unpack_from("<I", memory, address + 4)[0]
    body = bytes(memory[address : address + length])
    assert sum(body) & 0xFF == 0, f"the checksum of {body[:4]} is wrong"
    return body


@pytest.fixture
def root(memory):
    found = [at for at in range(0xE0000, 0x100000, 16) if memory[at : at + 8] == b"RSD PTR "]
    assert len(found) == 1
    pointer = bytes(memory[found[0] : found[0] + 36])
    assert sum(pointer[:20]) & 0xFF == sum(pointer) & 0xFF == 0
    return pointer


def test_the_root_pointer_that_loaders_hand_on_is_the_one_in_memory(board, root):
    assert board.root_pointer() == root


@pytest.fixture
def tables(memory, root):
    """Every table that the RSDT names, by signature."""
    rsdt = table(memory, struct.unpack_from("<I", root, 16)[0])
    addresses = struct.unpack_from(f"<{(len(rsdt) - 36) // 4}I", rsdt, 36)
    return {contents[:4]: contents for contents in (table(memory, address) for address in addresses)}


def test_the_extended_root_table_names_the_same_tables(memory, root, tables):
    xsdt = table(memory, struct.unpack_from("<Q", root, 24)[0])
    addresses = struct.unpack_from(f"<{(len(xsdt) - 36) // 8}Q", xsdt, 36)
    assert {bytes(memory[address : address + 4]) for address in addresses} == set(tables)


def test_the_fixed_table_names_the_boards_ports(board, tables):
    fadt = tables[b"FACP"]
    assert len(fadt) == 244
    assert struct.unpack_from("<I", fadt, 56)[0] == 0x600
    assert struct.unpack_from("<I", fadt, 64)[0] == 0x604
    assert struct.unpack_from("<I", fadt, 76)[0] == 0x608
    assert struct.unpack_from("<H", fadt, 46)[0] == board.config.acpi.irq
    assert struct.unpack_from("<BBBBQ", fadt, 172) == (1, 16, 0, 0, 0x604)


def test_the_fixed_tables_reset_register_resets(board, tables):
    space, _, _, _, port = struct.unpack_from("<BBBBQ", tables[b"FACP"], 116)
    assert space == 1
    board.write_port(port, 1, tables[b"FACP"][128])
    assert board.exit_request is not None


def test_the_facs_is_aligned_to_64_bytes(memory, tables):
    address = struct.unpack_from("<I", tables[b"FACP"], 36)[0]
    assert address % 64 == 0
    assert memory[address : address + 8] == b"FACS\x40\0\0\0"


def test_a_kernel_that_searches_the_dsdt_for_s5_powers_off(board, memory, tables):
    dsdt = table(memory, struct.unpack_from("<I", tables[b"FACP"], 40)[0])
    at = dsdt.index(b"_S5_")
    assert dsdt[at - 1] == 0x08  # NameOp
    assert dsdt[at + 4] == 0x12  # PackageOp
    package_length = dsdt[at + 5]
    assert at + 5 + package_length == len(dsdt)
    sleep_type = dsdt[at + 7]
    board.write_port(0x604, 2, sleep_type << 10 | 0x2000)
    assert board.exit_request is not None


def test_the_madt_describes_one_processor_one_io_apic_and_the_timers_detour(tables):
    madt = tables[b"APIC"]
    assert struct.unpack_from("<I", madt, 36)[0] == 0xFEE00000
    entries, at = {}, 44
    while at < len(madt):
        entries.setdefault(madt[at], []).append(madt[at : at + madt[at + 1]])
        at += madt[at + 1]
    assert at == len(madt)
    assert [len(entries[kind]) for kind in (0, 1, 2, 4)] == [1, 1, 2, 1]
    assert struct.unpack_from("<I", entries[1][0], 4)[0] == 0xFEC00000
    assert struct.unpack_from("<BBIH", entries[2][0], 2) == (0, 0, 2, 0)


def test_the_mp_table_is_found_by_its_floating_pointer(memory):
    found = [at for at in range(0xF0000, 0x100000, 16) if memory[at : at + 4] == b"_MP_"]
    assert len(found) == 1
    assert sum(memory[found[0] : found[0] + 16]) & 0xFF == 0
    at = struct.unpack_from("<I", memory, found[0] + 4)[0]
    assert memory[at : at + 4] == b"PCMP"
    length, count = struct.unpack_from("<H", memory, at + 4)[0], struct.unpack_from("<H", memory, at + 34)[0]
    assert sum(memory[at : at + length]) & 0xFF == 0
    kinds, entry = [], at + 44
    for _ in range(count):
        kinds.append(memory[entry])
        entry += 20 if memory[entry] == 0 else 8
    assert entry == at + length
    assert [kinds.count(kind) for kind in range(5)] == [1, 1, 1, 15, 2]


def test_the_bios_data_area_names_the_serial_ports_and_the_extended_area(memory):
    assert struct.unpack_from("<HH", memory, 0x400) == (0x3F8, 0x2F8)
    assert struct.unpack_from("<H", memory, 0x40E)[0] << 4 == 0x9FC00
    assert struct.unpack_from("<H", memory, 0x413)[0] == 639
    assert memory[0x9FC00] == 1


def test_the_tables_lie_where_the_memory_map_says_reserved(board):
    reserved = [(base, base + length) for base, length, kind in board.memory_map(RAM) if kind == 2]
    for address, contents in board.firmware_tables(RAM)[1:]:
        assert any(low <= address and address + len(contents) <= high for low, high in reserved)


def test_the_memory_map_holds_all_ram_but_the_holes(board):
    usable = sum(length for _, length, kind in board.memory_map(RAM) if kind == 1)
    assert usable == RAM - (0x100000 - 0x9FC00)


def test_ram_beyond_3_gib_continues_at_4_gib(board):
    *_, last = board.memory_map(5 << 30)
    assert last == (1 << 32, 2 << 30, 1)


def test_ranges_ascend_and_do_not_overlap(board):
    ranges = board.memory_map(5 << 30)
    for (base, length, _), (following, _, _) in pairwise(ranges):
        assert base + length <= following


def test_less_than_a_mebibyte_is_no_pc(board):
    with pytest.raises(ValueError, match="at least 1 MiB"):
        board.memory_map(0x80000)
