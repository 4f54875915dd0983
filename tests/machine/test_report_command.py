# SPDX-License-Identifier: GPL-2.0-or-later
"""``ringscope report --html`` as a user has it; what a browser makes of the page is in tests/boot."""

from __future__ import annotations

import itertools
import json
import re

import pytest

from tests.machine import small_kernels
from tests.machine.command_line import ringscope

ARCHITECTURES = ("x86_64", "aarch64")


def data_of(file):
    """Return the data that a page carries."""
    text = file.read_text("utf-8")
    return json.loads(
        re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)[1]
    )


@pytest.fixture(scope="module", params=ARCHITECTURES)
def bundled(request, tmp_path_factory):
    """The page of the bundled system, what was printed, and its architecture."""
    file = tmp_path_factory.mktemp("page") / "page.html"
    said = ringscope("report", "--arch", request.param, "--html", file)
    return data_of(file), said, request.param


def test_the_page_of_a_bundled_run_has_the_figures_of_stat(bundled, tmp_path):
    data, _, arch = bundled
    file = tmp_path / "counters.json"
    ringscope("stat", "--arch", arch, "--json", file, "-o", "/dev/null")
    assert data["document"] == json.loads(file.read_text("utf-8"))
    assert sum(data["head"]["cycles_by_cause"].values()) == data["document"]["counters"]["cycles"]


def test_a_bundled_run_that_is_reported_prints_and_ends_as_any_other(bundled):
    _, said, arch = bundled
    assert said == ringscope("boot", "--arch", arch)


def test_the_lanes_of_a_bundled_run_share_out_its_time(bundled):
    """At each moment one thread is in one ring; operations lie over that."""
    data, _, _ = bundled
    line = data["timeline"]
    pieces = sorted(
        tuple(piece[:2]) for lane in line["lanes"] if lane["ring"] != "operations" for piece in lane["pieces"]
    )
    assert pieces[0][0] == 0
    assert pieces[-1][1] == line["end"]
    assert all(before[1] == after[0] for before, after in itertools.pairwise(pieces))


def test_every_bundled_thread_has_its_lanes_and_each_ping_pong_two_messages(bundled):
    data, _, _ = bundled
    line = data["timeline"]
    assert {lane["thread"] for lane in line["lanes"]} == {
        "kernel",
        "root",
        "pager",
        "console",
        "echo",
        "client",
    }
    operations = next(lane for lane in line["lanes"] if lane["ring"] == "operations")
    pings = [piece for piece in operations["pieces"] if line["words"][piece[2]] == "ping-pong"]
    assert len(pings) == 1000
    lasted = pings[500][1] - pings[500][0]
    assert abs(lasted - data["document"]["ledger"][0]["per_op"]["cycles"]) < 50
    begin, end = pings[500][:2]
    assert len([arrow for arrow in line["arrows"] if begin < arrow[0] and arrow[2] <= end]) == 2


def test_a_bundled_recording_has_the_timeline_of_the_run_and_no_figures(bundled, tmp_path):
    data, _, arch = bundled
    recording, file = tmp_path / "recording", tmp_path / "page.html"
    ringscope("trace", "--arch", arch, "--record", recording)
    said = ringscope("report", "--arch", arch, "--read", recording, "--html", file)
    assert (said.status, said.out, said.err) == (0, "", "")
    read = data_of(file)
    assert read["timeline"] == data["timeline"]
    assert (read["document"], read["title"]) == (None, "recording")


def test_a_window_of_a_bundled_run_holds_what_happened_then(tmp_path):
    file = tmp_path / "page.html"
    ringscope("report", "--html", file, "--begin", "2300000", "--end", "2310000")
    line = data_of(file)["timeline"]
    assert (line["begin"], line["end"]) == (2_300_000, 2_310_000)
    assert all(
        piece[1] > 2_300_000 and piece[0] < 2_310_000 for lane in line["lanes"] for piece in lane["pieces"]
    )
    assert {lane["thread"] for lane in line["lanes"]} == {"client", "echo"}


def test_a_bundled_run_that_goes_on_from_a_snapshot_is_shown_from_there(tmp_path):
    snapshot, file = tmp_path / "snapshot", tmp_path / "page.html"
    ringscope("boot", "--save-snapshot", snapshot, "--limit-cycles", "3M")
    said = ringscope("report", "--from-snapshot", snapshot, "--html", file)
    assert (said.status, said.err) == (0, "")
    line = data_of(file)["timeline"]
    assert min(piece[0] for lane in line["lanes"] for piece in lane["pieces"]) >= 3_000_000
    assert "kernel" not in {lane["thread"] for lane in line["lanes"]}


def test_a_kernel_without_names_marks_or_rings_has_a_page_too(tmp_path):
    file = tmp_path / "page.html"
    said = ringscope("report", small_kernels.write("exit-3", tmp_path), "--html", file)
    assert said.status == 3
    data = data_of(file)
    assert data["document"]["ledger"] == []
    assert data["timeline"]["events"] == 0
