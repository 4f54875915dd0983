# SPDX-License-Identifier: GPL-2.0-or-later
"""``ringscope annotate`` as a user has it: every instruction of a function with what it spent."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest

from tests.machine import small_kernels
from tests.machine.command_line import ringscope

FUNCTION = "fastpath_call"


@pytest.fixture(scope="module")
def shown(recorded):
    return json.loads(ringscope("annotate", recorded.data, FUNCTION, "--json", "-").out)


@pytest.fixture
def row(recorded):
    return next(row for row in recorded.report["functions"] if row["function"] == FUNCTION)


def test_instructions_add_up_to_the_function(shown, row):
    sums, causes = Counter(), Counter()
    for one in shown["instructions"]:
        sums.update(one["counters"])
        causes.update(one["cycles_by_cause"])
    assert {name: sums[name] for name in row["counters"]} == row["counters"]
    assert {name: causes[name] for name in row["cycles_by_cause"]} == row["cycles_by_cause"]


def test_every_instruction_is_disassembled_and_has_a_line_of_source(shown):
    assert all(one["instruction"] for one in shown["instructions"])
    assert {one["file"] for one in shown["instructions"]} >= {"kernel/fastpath.c"}


def test_instructions_of_one_straight_stretch_were_executed_equally_often(shown):
    first = shown["instructions"][0]["counters"]["instructions"]
    assert first > 1000
    assert [one["counters"]["instructions"] for one in shown["instructions"][:4]] == [first] * 4


def test_a_load_is_at_an_instruction_that_names_memory(shown):
    loads = [one for one in shown["instructions"] if one["counters"]["L1-dcache-loads"]]
    assert loads
    assert all(re.search(r"\[|pop|ret", one["instruction"]) for one in loads)


def test_the_text_shows_source_above_its_instructions(recorded):
    lines = ringscope("annotate", recorded.data, FUNCTION).out.splitlines()
    assert re.match(rf"{FUNCTION} of kernel, kernel mode: [\d,]+ cycles, [\d.]+% of [\d,]+", lines[0])
    heading = next(at for at, line in enumerate(lines) if "kernel/fastpath.c:" in line)
    assert re.search(r"kernel/fastpath\.c:\d+  \S", lines[heading])
    assert re.match(r" *[\d,]+ +[\d.]+%", lines[heading + 1])
    assert lines[-1].endswith("all of it")


def test_without_a_symbol_the_costliest_function_is_shown(recorded):
    shown = json.loads(ringscope("annotate", recorded.data, "--json", "-").out)
    assert shown["function"] == recorded.report["functions"][0]["function"]


@pytest.mark.parametrize("recorded", ["x86_64"], indirect=True)
def test_of_functions_of_one_name_a_program_is_chosen(recorded):
    told = ringscope("annotate", recorded.data, "program_main").out
    assert "There is also program_main of echo: --program echo" in told
    shown = json.loads(
        ringscope("annotate", recorded.data, "program_main", "--program", "echo", "--json", "-").out
    )
    assert (shown["function"], shown["program"], shown["ring"]) == ("program_main", "echo", "user")


@pytest.mark.parametrize("recorded", ["x86_64"], indirect=True)
def test_a_function_that_never_ran_is_refused_with_those_that_did(recorded):
    said = ringscope("annotate", recorded.data, "nobody")
    assert (said.status, said.out) == (2, "")
    assert re.match(
        r"ringscope: no function 'nobody' did anything in this recording; most cycles are in \w+", said.err
    )


def test_code_of_no_file_is_shown_by_its_addresses(tmp_path):
    ringscope("record", small_kernels.write("exit-3", tmp_path), folder=tmp_path)
    said = ringscope("annotate", folder=tmp_path)
    assert said.status == 0
    assert said.out.startswith("[unknown] 0x100000 of kernel")
    assert re.search(r" 100020$", said.out, re.MULTILINE)


def test_three_words_are_one_too_many():
    said = ringscope("annotate", "a", "b", "c")
    assert said.status == 2
    assert said.err == "ringscope: 'c' is one argument too many: give a FILE and a SYMBOL\n"
