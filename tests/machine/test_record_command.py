# SPDX-License-Identifier: GPL-2.0-or-later
"""``ringscope record`` and ``report`` as a user has them, and that what they tell adds up to the counters."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections import Counter

import pytest

from tests.machine import small_kernels
from tests.machine.command_line import TIMEOUT, command, environment, fresh, ringscope


def test_the_guest_prints_and_ends_as_without_recording(recorded):
    assert (recorded.said.status, recorded.said.err) == (0, "")
    assert recorded.said.out == recorded.plain.out


@pytest.mark.parametrize("table", ["processes", "functions", "lines"])
def test_every_table_of_the_report_adds_up_to_every_counter_of_the_run(recorded, table):
    totals = {name: value for name, value in recorded.counters.items() if ":" not in name}
    sums = Counter()
    for row in recorded.report[table]:
        sums.update(row["counters"])
    assert {name: sums[name] for name in totals} == totals


@pytest.mark.parametrize(("ring", "part"), [("user", ":u"), ("kernel", ":k")])
def test_functions_of_a_ring_add_up_to_what_the_ring_was_booked(recorded, ring, part):
    sums = Counter()
    for row in recorded.report["functions"]:
        if row["ring"] == ring:
            sums.update(row["counters"])
    wanted = {name.removesuffix(part): n for name, n in recorded.counters.items() if name.endswith(part)}
    assert {name: sums[name] for name in wanted} == wanted


def test_no_function_spent_less_than_nothing(recorded):
    assert all(
        min(*row["counters"].values(), *row["cycles_by_cause"].values()) >= 0
        for row in recorded.report["functions"]
    )


def test_cycles_by_cause_add_up_to_the_cycles_of_each_function(recorded):
    assert all(
        sum(row["cycles_by_cause"].values()) == row["counters"]["cycles"]
        for row in recorded.report["functions"]
    )


def test_all_code_of_the_bundled_system_but_its_boot_stub_has_a_name(recorded):
    rows = recorded.report["functions"]
    unknown = [row for row in rows if row["function"].startswith("[unknown]")]
    assert all(row["ring"] == "kernel" for row in unknown)
    assert sum(row["counters"]["instructions"] for row in unknown) < 100


def test_most_cycles_have_a_source_line_that_can_be_read(recorded):
    named = sum(row["counters"]["cycles"] for row in recorded.report["lines"] if row["file"] is not None)
    assert named > 0.9 * recorded.counters["cycles"]
    told = ringscope("report", recorded.data, "--top", 9999).out
    assert re.search(r"fastpath\.c:\d+ +\S", told)


def test_the_entry_of_the_kernel_has_what_crossing_costs(recorded):
    rows = {row["function"]: row for row in recorded.report["functions"] if row["ring"] == "kernel"}
    name = max(rows, key=lambda one: rows[one]["counters"]["mode-switches"])
    assert rows[name]["cycles_by_cause"]["trap"] > rows[name]["counters"]["cycles"] // 2


def test_folded_stacks_add_up_to_the_cycles(recorded):
    lines = recorded.folded.read_text().splitlines()
    assert sum(int(line.rpartition(" ")[2]) for line in lines) == recorded.counters["cycles"]


def test_in_a_folded_stack_the_kernel_lies_on_the_program_that_called_it(recorded):
    stacks = [line.rpartition(" ")[0].split(";") for line in recorded.folded.read_text().splitlines()]
    calls = [stack for stack in stacks if stack[0] == "client" and stack[-1].startswith("fastpath_call")]
    assert calls
    assert all(stack[1] == "_start" for stack in calls)
    rings = [[frame.endswith("_[k]") for frame in stack] for stack in calls]
    assert all(stack == sorted(stack) and stack[-1] for stack in rings)
    assert ["client", "_start", "program_main", "fastpath_call_[k]"] in calls


@pytest.fixture
def annotated(recorded, require_program):
    """What the real callgrind_annotate says of the recording."""
    require_program("callgrind_annotate")

    def annotate(*options):
        command = ["callgrind_annotate", "--auto=no", "--threshold=100", *options, recorded.callgrind]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stderr == ""
        return done.stdout

    return annotate


def numbers(line):
    return [int(word.replace(",", "")) for word in re.findall(r"([\d,]+) +\([ \d.]+%\)", line)]


def test_callgrind_annotate_reads_totals_equal_to_the_counters(recorded, annotated):
    told = annotated()
    events = re.search(r"^Events recorded: +(.*)$", told, re.MULTILINE)[1].split()
    totals = next(line for line in told.splitlines() if "PROGRAM TOTALS" in line)
    assert dict(zip(events, numbers(totals), strict=True)) == {
        name: n for name, n in recorded.counters.items() if ":" not in name and n
    }


def test_callgrind_annotate_reads_functions_that_add_up_to_the_total(recorded, annotated):
    told = annotated("--show=cycles").partition("file:function")[2]
    assert sum(numbers(line)[0] for line in told.splitlines() if numbers(line)) == recorded.counters["cycles"]


def test_callgrind_annotate_reads_what_a_function_cost_with_all_it_called(recorded, annotated):
    function = "uart_send"  # is always called, and never jumped to: the reader goes by its callers
    told = annotated("--show=cycles", "--inclusive=yes").partition("file:function")[2]
    found = [numbers(line)[0] for line in told.splitlines() if re.search(rf":{function}( |$)", line)]
    row = next(row for row in recorded.report["functions"] if row["function"] == function)
    assert max(found) == row["cycles_with_callees"]  # the others are what other files had inlined there


# ---- whatever is run ----


def test_code_without_symbols_is_told_by_its_page(tmp_path):
    kernel = small_kernels.write("exit-3", tmp_path)
    assert ringscope("record", kernel, folder=tmp_path).status == 3
    told = ringscope("report", folder=tmp_path).out
    assert "[unknown] 0x100000" in told


def test_without_models_instructions_are_told(tmp_path):
    kernel = small_kernels.write("exit-3", tmp_path)
    ringscope("record", kernel, "--fidelity", "functional", folder=tmp_path)
    report = json.loads(ringscope("report", "--json", "-", folder=tmp_path).out)
    assert report["total"]["counters"]["instructions"] == report["total"]["counters"]["cycles"] == 2
    assert "L1-dcache-loads" not in report["total"]["counters"]


def test_what_was_recorded_before_the_limit_is_kept(tmp_path):
    kernel = small_kernels.write("spin", tmp_path)
    assert ringscope("record", kernel, "--limit-cycles", "100K", folder=tmp_path).status == 124
    report = json.loads(ringscope("report", "--json", "-", folder=tmp_path).out)
    assert report["exit"] == {"reason": "limit", "status": 124}
    assert report["total"]["counters"]["cycles"] >= 100_000


def test_what_was_recorded_before_ctrl_c_is_kept(tmp_path):
    kernel = small_kernels.write("spin", tmp_path)
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command("record", kernel), cwd=tmp_path, env=environment(tmp_path), **pipes) as run:
        assert run.stdout.read(1) == b"\n"  # the guest runs
        run.send_signal(signal.SIGINT)
        assert run.wait(TIMEOUT) == 130
    report = json.loads(ringscope("report", "--json", "-", folder=tmp_path).out)
    assert report["exit"]["reason"] == "interrupted"
    assert report["total"]["counters"]["cycles"] > 0


def test_two_recordings_of_one_run_are_equal(tmp_path):
    kernel = small_kernels.write("exit-3", tmp_path)
    for name in ("one", "other"):
        fresh("record", kernel, "-o", tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


@pytest.mark.parametrize("recorded", ["x86_64"], indirect=True)
@pytest.mark.parametrize("keep", [0, 10, 1000])
def test_half_a_recording_is_refused_in_one_sentence(recorded, tmp_path, keep):
    (tmp_path / "half").write_bytes(recorded.data.read_bytes()[:keep])
    said = ringscope("report", tmp_path / "half")
    assert (said.status, said.out) == (2, "")
    assert (
        said.err == f"ringscope: {tmp_path / 'half'}: not a recording of ringscope record, or a damaged one\n"
    )


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("report", "/nowhere"), "/nowhere: cannot be read: No such file or directory"),
        (("report", "/etc"), "/etc: cannot be read: Is a directory"),
        (("report", "--top", "0"), "'0' is not a number of rows; write 50"),
        (("record", "-o", "/nowhere/data"), "/nowhere/data: cannot be written: No such file or directory"),
        (("record", "-o", "/dev/full", "IMAGE"), "/dev/full: cannot be written: No space left on device"),
        (("record", "-o", "a", "--folded", "a"), "two of -o, --folded and --callgrind name one file"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(tmp_path, words, complaint):
    kernel = small_kernels.write("exit-3", tmp_path)
    said = ringscope(*(kernel if word == "IMAGE" else word for word in words), folder=tmp_path)
    assert said.status == 2
    assert said.err.startswith("ringscope: ")
    assert complaint in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize("recorded", ["x86_64"], indirect=True)
@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--sort", "luck"), "'luck' is not among the events of this recording: cycles, instructions"),
        (("--process", "nobody"), "no process 'nobody' did anything here; there are client, console, echo"),
    ],
)
def test_a_choice_that_the_recording_has_nothing_of_is_refused(recorded, options, complaint):
    said = ringscope("report", recorded.data, *options)
    assert (said.status, said.out) == (2, "")
    assert complaint in said.err
