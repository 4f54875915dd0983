# SPDX-License-Identifier: GPL-2.0-or-later
"""``ringscope stat --explain`` as a user has it: it adds up to the ledger, cycle by cycle."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest

from tests.machine import small_kernels
from tests.machine.command_line import ringscope
from tests.machine.recorded import SYSTEM

ARCHITECTURES = ("x86_64", "aarch64")


class Explained:
    """The bundled system with every operation explained, and its ledger from a run without."""

    def __init__(self, folder, arch):
        self.said = ringscope("stat", "--arch", arch, *SYSTEM, "--explain", "--json", folder / "explained")
        ringscope("stat", "--arch", arch, *SYSTEM, "--json", folder / "plain")
        self.document = json.loads((folder / "explained").read_text())
        self.plain = json.loads((folder / "plain").read_text())
        self.operations = {one["name"]: one for one in self.document["explained"]}
        self.ledger = {one["name"]: one for one in self.plain["ledger"]}


@pytest.fixture(scope="module", params=ARCHITECTURES)
def explained(request, tmp_path_factory):
    return Explained(tmp_path_factory.mktemp("explained"), request.param)


def test_explaining_changes_no_counter_and_no_entry_of_the_ledger(explained):
    assert {
        name: value for name, value in explained.document.items() if name != "explained"
    } == explained.plain


def test_every_operation_of_the_ledger_is_explained(explained):
    assert list(explained.operations) == list(explained.ledger)
    assert {"ping-pong", "null-call", "page-fault"} <= set(explained.ledger)


def test_functions_add_up_to_the_cycles_of_the_ledger_by_cause(explained):
    for name, operation in explained.operations.items():
        sums = Counter()
        for row in operation["functions"]:
            sums.update(row["cycles_by_cause"])
        assert dict(sums) == explained.ledger[name]["cycles_by_cause"], name


def test_functions_of_a_ring_add_up_to_the_cycles_of_that_ring(explained):
    for name, operation in explained.operations.items():
        sums = Counter()
        for row in operation["functions"]:
            sums[row["ring"]] += row["cycles"]
        total = explained.ledger[name]["total"]
        assert (sums["user"], sums["kernel"]) == (total["cycles:u"], total["cycles:k"]), name


def test_an_ipc_is_explained_by_the_fast_path_and_the_ways_in_and_out(explained):
    rows = {row["function"]: row for row in explained.operations["ping-pong"]["functions"]}
    assert {"fastpath_call", "fastpath_reply_wait", "arch_resume_message"} <= set(rows)
    ways = [row for row in rows.values() if row["cycles_by_cause"]["trap"]]
    assert (
        sum(row["cycles_by_cause"]["trap"] for row in ways)
        == (explained.ledger["ping-pong"]["cycles_by_cause"]["trap"])
    )
    assert all(row["ring"] == "kernel" for row in ways)


def test_the_text_says_the_same(explained):
    rows = explained.operations["null-call"]["functions"]
    table = explained.said.err.partition(" null-call: ")[2].partition("\n \n")[0]
    lines = table.splitlines()[2 : 2 + len(rows) + 1]
    told = [int(re.match(r" *([\d,]+) ", line)[1].replace(",", "")) for line in lines]
    assert told == [*(row["cycles"] for row in rows), sum(row["cycles"] for row in rows)]


@pytest.mark.parametrize("explained", ["x86_64"], indirect=True)
def test_one_operation_is_explained_where_one_is_named(explained, tmp_path):
    said = ringscope("stat", *SYSTEM, "--explain", "null-call", "--json", tmp_path / "one")
    assert said.status == 0
    found = json.loads((tmp_path / "one").read_text())["explained"]
    assert found == [explained.operations["null-call"]]


def test_an_operation_that_the_image_does_not_mark_is_refused_before_the_run():
    said = ringscope("stat", "--explain", "ping")
    assert (said.status, said.out) == (2, "")
    assert said.err == (
        "ringscope: --explain: no operation 'ping' is marked in this image; there are interrupt, null-call, "
        "page-fault, ping-pong\n"
    )


def test_a_run_that_carried_nothing_out_is_explained_as_that(tmp_path):
    said = ringscope("stat", small_kernels.write("exit-3", tmp_path), "--explain")
    assert said.status == 3
    assert "No marked operation was carried out: there is nothing to explain." in said.err
