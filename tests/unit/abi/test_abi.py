# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's promises as data: one source, and what is made of it."""

from __future__ import annotations

import copy
import tomllib
from pathlib import Path

import pytest

from ringscope import abi
from ringscope.abi.generate import header
from ringscope.abi.layout import struct_size

FOLDER = Path(abi.__file__).resolve().parent
SOURCE = tomllib.loads((FOLDER / "abi.toml").read_text(encoding="utf-8"))
SPEC = (FOLDER / "SPEC.md").read_text(encoding="utf-8")


def test_the_committed_header_is_what_the_source_says():
    assert (FOLDER / "abi.h").read_text(encoding="utf-8") == header(SOURCE)


def test_a_changed_number_changes_the_header():
    changed = copy.deepcopy(SOURCE)
    changed["right"]["send"] = 64
    assert "#define RIGHT_SEND 64" in header(changed)


def test_call_numbers_are_dense_and_unique():
    assert sorted(abi.CALL.values()) == list(range(len(abi.CALL)))


@pytest.mark.parametrize("group", ["ERROR", "OBJECT", "KIND", "FAULT", "FAULT_REPLY", "MARK", "ROOT_HANDLE"])
def test_no_two_names_of_a_group_share_a_number(group):
    numbers = list(getattr(abi, group).values())
    assert len(numbers) == len(set(numbers))


def test_single_rights_are_single_bits_and_all_is_their_sum():
    single = [number for name, number in abi.RIGHT.items() if name != "all"]
    assert all(number.bit_count() == 1 for number in single)
    assert abi.RIGHT["all"] == sum(single)


def test_the_fields_of_the_tag_do_not_overlap():
    used = 0
    for field in SOURCE["tag"].values():
        mask = ((1 << field["bits"]) - 1) << field["shift"]
        assert not used & mask
        used |= mask


def test_the_boot_info_fits_into_its_page():
    structs = {struct["name"]: struct for struct in SOURCE["struct"]}
    assert struct_size("bootinfo", structs) <= abi.PAGE_SIZE


def test_field_offsets_follow_from_the_fields_before():
    fields = abi.STRUCTS["bootinfo"]
    assert fields["memory"].offset == 32
    assert fields["module"].offset == 32 + 16 * 24
    assert fields["text"].offset == 32 + 16 * 24 + 32 * 16


def test_a_field_that_needs_padding_is_refused_by_name():
    structs = {"s": {"name": "s", "fields": [{"name": "a", "type": "u32"}, {"name": "b", "type": "u64"}]}}
    with pytest.raises(ValueError, match=r"s\.b lies at offset 4"):
        struct_size("s", structs)


@pytest.mark.parametrize("name", [*abi.CALL, *abi.ERROR, *abi.OBJECT])
def test_the_specification_speaks_of_every_call_error_and_object(name):
    assert f"`{name}`" in SPEC or f"| {name} |" in SPEC


@pytest.mark.parametrize("call", SOURCE["call"], ids=lambda call: call["name"])
def test_the_specification_lists_the_arguments_of_every_call(call):
    (row,) = [
        line
        for line in SPEC.splitlines()
        if line.startswith(f"| `{call['name']}` | ") and line.count("|") > 3
    ]
    said = row.split("|")[2].strip().replace("word 0..3", "word0, word1, word2, word3")
    assert [word.strip() for word in said.split(",") if word.strip()] == call.get("arguments", [])
