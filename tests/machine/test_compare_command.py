# SPDX-License-Identifier: GPL-2.0-or-later
"""``ringscope compare``: the bundled system on several machines, and what moved since a baseline."""

from __future__ import annotations

import json

import pytest

from ringscope.tools import command_line, compare
from tests.machine import small_kernels
from tests.machine.command_line import fresh, ringscope

CALLS = 1000
MACHINES = (("x86_64", "skylake"), ("aarch64", "cortex-a57"))


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Both architectures side by side: what was said, and the file with the document."""
    file = tmp_path_factory.mktemp("compare") / "machines.json"
    return ringscope("compare", "--arch", "x86_64,aarch64", "--json", file), file


@pytest.fixture(scope="module")
def compared(both):
    """What was said."""
    return both[0]


@pytest.fixture(scope="module")
def file(both):
    """The file."""
    return both[1]


@pytest.fixture(scope="module")
def document(file):
    """Its content."""
    return json.loads(file.read_text())


@pytest.fixture
def altered(document, tmp_path):
    """A function that writes the document with a share of what the ping-pong cost on x86-64."""

    def write(share):
        other = json.loads(json.dumps(document))
        other["machines"][0]["ledger"][0]["per_op"]["cycles"] *= share
        (tmp_path / "before.json").write_text(json.dumps(other))
        return tmp_path / "before.json"

    return write


def _rows(said):
    return [line.split() for line in said.out.splitlines()]


def test_a_ping_pong_stands_side_by_side_and_nothing_else_is_printed(compared):
    rows = _rows(compared)
    assert (compared.status, compared.err) == (0, "")
    assert rows[:4] == [
        [],
        ["ping-pong,", "per", "operation"],
        ["x86_64", "aarch64"],
        ["skylake", "cortex-a57"],
    ]
    assert ["carried", "out", f"{CALLS:,}", f"{CALLS:,}"] in rows
    assert ["mode", "switches", "4", "4"] in rows
    assert ["address-space", "switches", "2", "2"] in rows
    assert ["IPCs", "2", "2"] in rows
    assert [row[0] for row in rows[-8:]] == ["=", "i", "d", "w", "b", "T", "S", "c"]


def test_the_document_has_each_machine_in_the_order_asked_for(document):
    assert [(machine["arch"], machine["cpu"]) for machine in document["machines"]] == list(MACHINES)


@pytest.mark.parametrize(("place", "arch"), [(0, "x86_64"), (1, "aarch64")])
def test_a_machine_beside_another_counts_what_it_counts_alone(document, tmp_path, place, arch):
    alone = tmp_path / "alone.json"
    ringscope("ipc", "--arch", arch, "--json", alone)
    assert document["machines"][place] == json.loads(alone.read_text())


def test_processors_are_run_by_name_each_on_its_architecture():
    said = ringscope("compare", "--cpu", "cortex-a53,skylake", "--operation", "null-call")
    assert said.status == 0
    assert ["cortex-a53", "skylake"] in _rows(said)
    assert ["mode", "switches", "2", "2"] in _rows(said)


def test_nothing_moves_between_two_runs(file):
    said = fresh("compare", "--baseline", file)
    assert (said.status, said.err) == (0, "")
    assert f"Nothing moved since {file}." in said.out


def test_what_moved_is_named_and_the_status_is_1(altered):
    said = ringscope("compare", "--arch", "x86_64", "--baseline", altered(0.5))
    moved = [row for row in _rows(said) if row[:2] == ["x86_64", "skylake"]]
    assert said.status == 1
    assert [row[2] for row in moved] == ["cycles"]
    assert moved[0][-2:] == ["+100.00", "%"]


@pytest.mark.parametrize(("tolerance", "status"), [(10, 1), (12, 0)])
def test_a_tolerance_lets_figures_move(altered, tolerance, status):
    said = ringscope("compare", "--arch", "x86_64", "--baseline", altered(0.9), "--tolerance", tolerance)
    assert said.status == status


def test_an_unknown_operation_is_refused_with_the_known_ones():
    said = ringscope("compare", "--operation", "pong")
    assert said.status == 2
    assert said.err.startswith(
        "ringscope: --operation pong: not in the ledger of x86_64 skylake, which has ping-"
    )


def test_a_baseline_without_the_machine_is_refused(file):
    said = ringscope("compare", "--cpu", "cortex-a72", "--baseline", file)
    assert (said.status, said.out) == (2, "")
    assert (
        "has no aarch64 cortex-a72, only x86_64 skylake, aarch64 cortex-a57; write a new baseline" in said.err
    )


def test_a_system_that_ends_with_a_status_of_its_own_is_told_and_ends_the_command(
    monkeypatch, tmp_path, capfd
):
    kernel = small_kernels.write("exit-3", tmp_path)
    monkeypatch.setattr(compare, "bundled_image", lambda _: kernel)
    assert command_line.run(["compare", "--arch", "x86_64"]) == 3
    assert capfd.readouterr().err == "ringscope: the system on x86_64 skylake ended with status 3\n"
