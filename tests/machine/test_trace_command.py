# SPDX-License-Identifier: GPL-2.0-or-later
"""``ringscope trace`` as a user has it: the bundled systems' story, in every form, kept and read again."""

from __future__ import annotations

import functools
import json
import re

import pytest

from tests.machine import small_kernels
from tests.machine.command_line import ringscope

ARCHITECTURES = ("x86_64", "aarch64")
CALLS = 1000
#: What one ping-pong is, as (thread, what), from one mark to the other.
PING_PONG = {
    arch: [
        ("client", f"> {call} call"),
        ("client", "ipc"),
        ("client", "context switch"),
        ("echo", "space client -> echo"),
        ("echo", "< return"),
        ("echo", f"> {call} reply_wait"),
        ("echo", "ipc"),
        ("echo", "context switch"),
        ("client", "space echo -> client"),
        ("client", "< return"),
    ]
    for arch, call in zip(ARCHITECTURES, ("syscall", "svc"), strict=True)
}


@pytest.fixture(scope="module", params=ARCHITECTURES)
def recording(request, tmp_path_factory):
    """A recording of the bundled system, and its architecture."""
    file = tmp_path_factory.mktemp("trace") / "recording"
    said = ringscope("trace", "--arch", request.param, "--record", file)
    assert (said.status, said.err) == (0, "")
    return file, request.param


@pytest.fixture(scope="module")
def told(recording):
    """A function that reads the recording with some options and returns the lines."""

    @functools.cache
    def tell(*options):
        file, arch = recording
        said = ringscope("trace", "--arch", arch, "--read", file, *options)
        assert (said.status, said.out) == (0, "")
        return said.err.splitlines()

    return tell


def parts(lines):
    """A line's cycle, its thread and what follows; the cycles since the line before depend on the filter."""
    form = re.compile(r"\s*([\d,]+) +(?:\+[\d,]+ +)?(?:[\d,]+ +)?([a-z]\S*) +(.*)")
    found = (form.fullmatch(line) for line in lines[1:])
    return [(int(each[1].replace(",", "")), each[2], each[3]) for each in found]


def test_a_ping_pong_is_told_event_by_event(recording, told):
    events = parts(told())
    begins = [at for at, (_, _, what) in enumerate(events) if what.startswith("begin ping-pong")]
    assert len(begins) == CALLS
    middle = begins[CALLS // 2]
    wanted = PING_PONG[recording[1]]
    seen = events[middle + 1 : middle + 1 + len(wanted)]
    assert [
        (thread, what[: len(begin)]) for (_, thread, what), (_, begin) in zip(seen, wanted, strict=True)
    ] == wanted


def test_every_place_has_a_name(told):
    nameless = [
        line for line in told("--only", "call,return,exception") if re.search(r"(^|\s)0x[0-9a-f]+$", line)
    ]
    assert nameless == []


def test_a_system_has_its_threads_by_name(told):
    threads = {thread for _, thread, _ in parts(told())}
    assert threads == {"kernel", "root", "pager", "console", "echo", "client"}


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        (("--only", "space"), lambda _, what: re.match(r"space \S+ -> \S+", what)),
        (("--thread", "ec*"), lambda thread, _: thread == "echo"),
        (("--place", "*fastpath_call*"), lambda _, what: "fastpath_call" in what),
        (("--only", "mark,call", "--thread", "client"), lambda thread, what: thread == "client"
            and re.match(r"(begin|end|> syscall|> svc) ", what)),
    ],
    ids=["kind", "thread", "place", "both"],
)  # fmt: skip
def test_a_filter_lets_through_what_it_names_and_no_less(told, options, chosen):
    wanted = [event for event in parts(told()) if chosen(event[1], event[2])]
    assert wanted
    assert parts(told(*options)) == wanted


def test_a_window_of_time_has_what_began_in_it(told):
    cycles = [cycle for cycle, _, _ in parts(told())]
    begin, end = cycles[100], cycles[200]
    inside = [cycle for cycle, _, _ in parts(told("--begin", begin, "--end", end))]
    assert inside == [cycle for cycle in cycles if begin <= cycle < end]


def test_a_run_tells_what_its_recording_tells(recording, told):
    said = ringscope("trace", "--arch", recording[1], "--serial", "none")
    assert said.err.splitlines() == told()


def test_the_guest_prints_and_ends_as_it_does_untraced(recording):
    traced = ringscope("trace", "--arch", recording[1], "-o", "/dev/null")
    plain = ringscope("boot", "--arch", recording[1])
    assert (traced.status, traced.out, traced.err) == (plain.status, plain.out, plain.err)


@pytest.fixture(scope="module")
def perfetto(recording, tmp_path_factory):
    """The events of the recording as Perfetto has them."""
    file, arch = recording
    target = tmp_path_factory.mktemp("perfetto") / "trace.json"
    said = ringscope("trace", "--arch", arch, "--read", file, "--form", "perfetto", "-o", target)
    assert (said.status, said.err) == (0, "")
    return json.loads(target.read_text())["traceEvents"]


def test_a_perfetto_file_is_json_with_a_track_for_each_thread_and_ring(perfetto):
    names = {each["args"]["name"] for each in perfetto if each["name"] == "thread_name"}
    assert {"client user", "client kernel", "echo user", "echo kernel"} <= names
    starts, ends = ({each["id"] for each in perfetto if each["ph"] == phase} for phase in "sf")
    assert starts == ends
    assert len(starts) >= 2 * CALLS
    assert all(each["dur"] >= 0 for each in perfetto if each["ph"] == "X")


def test_slices_of_one_track_do_not_overlap(perfetto):
    slices = [each for each in perfetto if each["ph"] == "X"]
    ends = {}
    for each in slices:
        track = each["pid"], each["tid"]
        assert each["ts"] >= ends.get(track, 0) - 1e-6
        ends[track] = each["ts"] + each["dur"]


def test_in_the_tree_each_return_stands_where_its_entry_does(told):
    opened = []
    for line in told("--form", "tree"):
        margin = re.match(r"\s*[\d,]+  \S+ +(?=[^ ])", line)[0]
        if line.endswith("{"):
            opened.append(len(margin))
        elif "} return" in line and "cycles" in line:
            assert len(margin) == opened.pop()
    assert len(opened) <= 1  # the call that switches the power off, where firmware does that


# ---- other kernels, and what is refused ----


@pytest.fixture
def kernel(tmp_path):
    """A kernel with no symbols and no user mode, which ends with status 3."""
    return small_kernels.write("exit-3", tmp_path)


def test_a_kernel_that_crosses_nothing_has_a_trace_with_nothing(kernel):
    said = ringscope("trace", kernel)
    assert said.status == 3
    assert len(said.err.splitlines()) == 1


def test_the_last_events_are_kept_and_it_is_said_that_the_others_were_not():
    said = ringscope("trace", "--last", "10", "--serial", "none")
    first, heading, *events = said.err.splitlines()
    assert re.fullmatch(
        r"ringscope: the first [\d,]+ events were let go; --last keeps more, --record all", first
    )
    assert heading.split()[0] == "cycle"
    assert len(events) == 10


def test_a_full_disk_ends_a_recording_in_one_sentence():
    said = ringscope("trace", "--serial", "none", "--record", "/dev/full")
    assert said.status == 2
    assert said.err == "ringscope: /dev/full: cannot be written: No space left on device\n"


def test_a_recording_of_another_architecture_than_the_image_is_refused(kernel, tmp_path):
    file = tmp_path / "recording"
    words = ("--arch", "aarch64", "--serial", "none", "--limit-cycles", "1M")
    assert ringscope("trace", *words, "--record", file).status == 124
    said = ringscope("trace", kernel, "--read", file)
    assert said.status == 2
    assert "a recording of aarch64, and the image is for x86_64" in said.err
