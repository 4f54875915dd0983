# SPDX-License-Identifier: GPL-2.0-or-later
"""``ringscope stat`` and ``ipc``: counters and ledger as text, fields and JSON, of the bundled system."""

from __future__ import annotations

import json
import os
import resource
import signal
import stat
import subprocess

import pytest

from ringscope.emulator.native import library as native
from ringscope.emulator.timing import profile as profiles
from tests.machine import small_kernels
from tests.machine.command_line import TIMEOUT, command, environment, fresh, ringscope

CALLS = 1000
CACHE_COUNTERS = {"L1-dcache-loads", "LLC-load-misses", "dTLB-load-misses", "page-walks", "branch-misses"}


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """``stat --json`` of the bundled system: what was said, and the document."""
    file = tmp_path_factory.mktemp("stat") / "counters.json"
    said = ringscope("stat", "--json", file)
    return said, json.loads(file.read_text())


@pytest.fixture(scope="module")
def document(measured):
    """The document."""
    return measured[1]


@pytest.fixture(scope="module")
def ledger(document):
    """The ledger's entries by name."""
    return {entry["name"]: entry for entry in document["ledger"]}


def test_the_document_says_what_ran_and_how_it_ended(document):
    assert list(document) == ["arch", "cpu", "what_if", "fidelity", "exit", "counters", "ledger"]
    assert document["arch"] == "x86_64"
    assert document["cpu"] == "skylake"
    assert document["what_if"] is None
    assert document["fidelity"] == "timing"
    assert document["exit"] == {"reason": "guest", "status": 0}


def test_every_counter_is_the_sum_of_its_rings(document):
    for counters in (document["counters"], *(entry["total"] for entry in document["ledger"])):
        names = [name for name in counters if ":" not in name]
        assert len(counters) == 3 * len(names)
        assert all(counters[name] == counters[f"{name}:u"] + counters[f"{name}:k"] for name in names)


def test_the_causes_of_an_operation_sum_to_its_cycles(document):
    for entry in document["ledger"]:
        assert list(entry["cycles_by_cause"]) == list(native.cause_names())
        assert sum(entry["cycles_by_cause"].values()) == entry["total"]["cycles"]


def test_per_operation_is_total_by_count(document):
    for entry in document["ledger"]:
        wanted = {name: value / entry["count"] for name, value in entry["total"].items()}
        assert entry["per_op"] == wanted


def test_a_ping_pong_is_four_mode_switches_two_address_space_switches_and_two_messages(ledger):
    entry = ledger["ping-pong"]
    assert entry["count"] >= CALLS
    names = ("mode-switches", "address-space-switches", "ipc")
    assert [entry["per_op"][name] for name in names] == [4, 2, 2]


def test_a_null_call_is_two_mode_switches_and_stays_where_it_is(ledger):
    entry = ledger["null-call"]
    assert entry["count"] >= CALLS
    names = ("mode-switches", "address-space-switches", "ipc")
    assert [entry["per_op"][name] for name in names] == [2, 0, 0]


def test_two_runs_count_the_same(document, tmp_path):
    again = tmp_path / "again.json"
    fresh("stat", "--json", again)
    assert json.loads(again.read_text()) == document


def test_the_console_is_alone_on_stdout(measured):
    said, _ = measured
    assert said.status == 0
    assert said.out == ringscope("boot").out
    assert "Performance counter stats for 'default.img' (x86_64, skylake, timing):" in said.err


def test_the_table_has_each_counter_with_its_share_and_what_it_means(measured, document):
    table = measured[0].err.partition(" Cycles by cause:")[0]
    lines = {line.split()[1]: line for line in table.splitlines() if line.strip()}
    counters = document["counters"]
    for name in (name for name in counters if ":" not in name):
        assert lines[name].split()[0] == f"{counters[name]:,}"
    instructions = counters["instructions"] / counters["cycles"]
    assert f"# {instructions:8.2f} insn per cycle" in lines["instructions"]
    misses = 100 * counters["L1-dcache-load-misses"] / counters["L1-dcache-loads"]
    assert f"# {misses:8.2f} % of all L1-dcache-loads" in lines["L1-dcache-load-misses"]
    user = 100 * counters["cycles:u"] / counters["cycles"]
    assert f"({user:5.1f}% :u {100 - user:5.1f}% :k)" in lines["cycles"]


def test_the_latest_event_is_told(measured):
    assert "cycles after its due cycle came the latest event" in measured[0].err


def test_fields_are_those_of_perf(document, tmp_path):
    file = tmp_path / "counters.csv"
    assert ringscope("stat", "-x,", "-o", file).err == ""
    rows = [line.split(",") for line in file.read_text().splitlines()]
    assert all(len(row) == 7 for row in rows)
    assert {row[2]: int(row[0]) for row in rows} == document["counters"]


def test_without_models_their_counters_are_absent_and_the_guest_does_the_same(document):
    said = ringscope("stat", "--fidelity", "functional", "--json", "-", "-o", os.devnull)
    console, _, text = said.out.partition("{\n")
    plain = json.loads("{" + text)
    assert console == ringscope("boot").out
    assert plain["fidelity"] == "functional"
    assert document["counters"].keys() >= CACHE_COUNTERS
    assert plain["counters"].keys().isdisjoint(CACHE_COUNTERS)
    assert "ipc" in plain["counters"]


def test_a_kernel_without_marks_has_no_ipc_to_count(tmp_path):
    said = ringscope("stat", small_kernels.write("exit-3", tmp_path), "--json", "-", "-o", os.devnull)
    plain = json.loads(said.out)
    assert said.status == 3
    assert plain["exit"] == {"reason": "guest", "status": 3}
    assert plain["ledger"] == []
    assert plain["counters"].keys().isdisjoint({"ipc", "context-switches", "bytes-copied"})


def test_the_ledger_is_printed_beside_what_theory_says():
    said = ringscope("ipc")
    rows = [line.split() for line in said.out.splitlines()]
    assert said.status == 0
    assert ["mode", "switches"] in [row[:2] for row in rows]
    for operation, counter, number in (
        ("ping-pong", "mode-switches", "4"),
        ("ping-pong", "address-space-switches", "2"),
        ("ping-pong", "ipc", "2"),
        ("null-call", "mode-switches", "2"),
        ("null-call", "address-space-switches", "0"),
        ("null-call", "ipc", "0"),
    ):
        assert [operation, counter, number, number] in rows


def test_a_table_in_a_pipe_has_no_padding_at_the_ends_of_its_lines():
    lines = ringscope("ipc", "--serial", "none").out.splitlines()
    assert lines
    assert lines == [line.rstrip() for line in lines]


def test_the_ledger_is_in_the_document_too(document, tmp_path):
    file = tmp_path / "ledger.json"
    ringscope("ipc", "--json", file)
    assert json.loads(file.read_text()) == document


def test_a_guest_without_marks_is_told_how_to_make_them(tmp_path):
    said = ringscope("ipc", small_kernels.write("exit-3", tmp_path))
    assert said.status == 3
    assert said.out.startswith("No operation was marked")


def test_a_mark_that_is_begun_again_is_told_with_what_may_be_wrong(tmp_path):
    said = ringscope("ipc", small_kernels.write("begun-twice", tmp_path))
    assert said.status == 0
    assert said.err.startswith(
        "ringscope: 1 mark could not be booked: an operation was begun again before its"
    )


ENDINGS = {
    "guest": ("exit-3", (), 3),
    "limit": ("spin", ("--limit-cycles", "1M"), 124),
    "matched": ("chatter", ("--exit-on", r"\."), 0),
    "halted": ("halt", (), 0),
    "triple-fault": ("triple-fault", (), 126),
}


@pytest.mark.parametrize("reason", ENDINGS)
def test_the_document_has_the_reason_and_the_status_of_every_ending(reason, tmp_path):
    kernel, options, status = ENDINGS[reason]
    file = tmp_path / "counters.json"
    said = ringscope("stat", small_kernels.write(kernel, tmp_path), *options, "--json", file)
    assert said.status == status
    assert json.loads(file.read_text())["exit"] == {"reason": reason, "status": status}


def test_ctrl_c_still_prints_the_counters(tmp_path):
    file = tmp_path / "counters.json"
    words = command("stat", small_kernels.write("spin", tmp_path), "--json", file)
    with subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as run:
        run.stdout.read(1)
        run.send_signal(signal.SIGINT)
        _, err = run.communicate(timeout=TIMEOUT)
    assert run.returncode == 130
    assert b"insn per cycle" in err
    assert json.loads(file.read_text())["exit"] == {"reason": "interrupted", "status": 130}


def test_a_disk_that_fills_leaves_the_old_result_and_says_so(tmp_path):
    file = tmp_path / "counters.json"
    file.write_text("old")
    done = subprocess.run(
        command("stat", small_kernels.write("exit-3", tmp_path), "--json", file),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)),
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env=environment(tmp_path) | {"PYTHONDONTWRITEBYTECODE": "1"},
        timeout=TIMEOUT,
    )
    assert done.returncode == 2
    assert f"ringscope: {file}: cannot be written: File too large".encode() in done.stderr
    assert file.read_text() == "old"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["counters.json", "exit-3.bin"]


def test_a_result_keeps_the_permissions_and_the_links_of_what_it_replaces(tmp_path):
    file, link = tmp_path / "counters.json", tmp_path / "link.json"
    file.write_text("old")
    file.chmod(0o640)
    link.symlink_to(file)
    ringscope("stat", small_kernels.write("exit-3", tmp_path), "--json", link)
    assert link.is_symlink()
    assert json.loads(file.read_text())["exit"]["status"] == 3
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_a_result_on_stdout_goes_after_the_console_also_in_a_file(tmp_path):
    file = tmp_path / "everything"
    with file.open("wb") as out:
        subprocess.run(
            command(
                "stat", small_kernels.write("spin", tmp_path), "--limit-cycles", "1M", "--json", "/dev/stdout"
            ),
            stdin=subprocess.DEVNULL,
            stdout=out,
            check=False,
            timeout=TIMEOUT,
        )
    console, _, text = file.read_text().partition("{")
    assert console == "\n"
    assert json.loads("{" + text)["exit"] == {"reason": "limit", "status": 124}


def test_a_profile_is_shown_with_every_value_and_source():
    said = ringscope("cpu", "show", "skylake")
    rows = [line.split() for line in said.out.splitlines()]
    assert ["l1d.size", "32,768", "bytes", "optimisation", "manual"] in rows
    listed = [line.split()[:2] for line in ringscope("cpu", "list").out.splitlines()[1:]]
    assert ["skylake", "x86_64"] in listed
    assert ["cortex-a57", "aarch64"] in listed


def test_the_share_of_estimates_is_listed_and_shown():
    profile = profiles.load("i486")
    shown = " ".join(ringscope("cpu", "show", "i486").out.split())
    estimates = sum(source.startswith("estimate") for source in profile.sources.values())
    share = f"{100 * estimates / len(profile.sources):.0f}%"
    assert f"{estimates} of {len(profile.sources)} values ({share}) are estimates" in shown
    assert "are assumed for what the core lacks; what-if: i486, a core of IA-32" in shown
    row = next(line.split() for line in ringscope("cpu", "list").out.splitlines() if line.startswith("i486"))
    assert row[2:4] == [share, f"{100 * profile.share('assumed'):.0f}%"]


WHAT_IF = "what-if: i486, a core of IA-32, prices the instructions of x86_64"


def test_every_report_of_a_core_that_prices_another_machine_says_what_if(tmp_path):
    file = tmp_path / "run.json"
    said = ringscope("stat", "--cpu", "i486", "--json", file)
    assert "(x86_64, i486 (what-if), timing)" in said.err
    assert json.loads(file.read_text())["what_if"] == WHAT_IF
    assert f"ringscope: {WHAT_IF}" in ringscope("boot", "--cpu", "i486").err
    assert WHAT_IF in " ".join(ringscope("ipc", "--cpu", "i486").out.split())


def test_two_machines_side_by_side_say_which_is_a_what_if():
    said = ringscope("compare", "--cpu", "i486,zen4")
    heading = next(line.split() for line in said.out.splitlines() if "what-if" in line)
    assert heading == ["what-if", "zen4"]  # below "x86_64" and "i486"; zen4 is what it is
