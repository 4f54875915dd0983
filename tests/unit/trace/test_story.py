# SPDX-License-Identifier: GPL-2.0-or-later
"""Who and what: threads named after programs, events in words, and the forms they are printed in."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ringscope.emulator.debug.spaces import AddressSpaces
from ringscope.emulator.debug.symbols import SymbolTable
from ringscope.emulator.trace.event import Call, Kind
from ringscope.emulator.trace.story import Names, Teller
from ringscope.emulator.trace.threads import Threads
from ringscope.tools import trace_text
from ringscope.tools.trace_perfetto import Exporter
from tests.unit.debug.test_symbols import BASE, FUNCTION, elf
from tests.unit.trace.event_bytes import event

HZ = 1_000_000  # a cycle is a microsecond
CLIENT, ECHO, NOBODY = 0x1000, 0x2000, 0x3000
NAMES = Names(
    "x86_64",
    HZ,
    {CLIENT: "client.elf", ECHO: "echo.elf", NOBODY: None},
    {1: "ping-pong"},
    {5: "call"},
    SymbolTable(
        elf([("entry", BASE, 0x100, FUNCTION)]),
        [
            ("client.elf", elf([("ask", 0x400000, 0x100, FUNCTION)], vaddr=0x400000)),
            ("echo.elf", elf([("answer", 0x400000, 0x100, FUNCTION)], vaddr=0x400000)),
        ],
    ),
)
ASK = event(
    Kind.SYSTEM_CALL, 100, source=0x400010, target=BASE, space=CLIENT, thread=1, argument=5, cost=80,
    number=Call.SYSCALL, user=1, to_user=0,
)  # fmt: skip
SENT = event(Kind.EVENT, 190, source=BASE + 4, space=CLIENT, thread=1, number=1)
SWITCH = event(Kind.SPACE, 200, source=BASE + 8, space=CLIENT, thread=2, argument=ECHO, cost=30)
RECEIVED = event(
    Kind.RETURN, 240, source=BASE + 12, target=0x400020, space=ECHO, thread=2, cost=70, to_user=1
)
ANSWER = event(
    Kind.SYSTEM_CALL, 350, source=0x400024, target=BASE, space=ECHO, thread=2, argument=6, cost=80,
    number=Call.SYSCALL, user=1, to_user=0,
)  # fmt: skip
EVENTS = [ASK, SENT, SWITCH, RECEIVED, ANSWER]


def tell(events=EVENTS, names=NAMES):
    teller = Teller(names)
    teller.survey(events)
    return list(teller.tell(events))


# ---- who ----


def test_a_space_is_known_by_the_code_that_it_executes():
    one, two = (elf([], vaddr=0x400000, paddr=paddr, size=0x1000) for paddr in (0x1000, 0x2000))
    pages = {CLIENT: one[:120], ECHO: two[:120]}  # the file's part of its segment; the rest is cleared
    spaces = AddressSpaces(
        lambda space, _at, size: pages[space].ljust(size, b"\0"),
        [("one", one), ("text", b"hello"), ("two", two)],
    )
    spaces.learn(ECHO, 0x400004)
    spaces.learn(CLIENT, 0x400FFC)
    assert spaces.program == {ECHO: "two", CLIENT: "one"}


def test_code_outside_of_every_program_is_nobodys():
    file = elf([], vaddr=0x400000, size=0x1000)
    spaces = AddressSpaces(lambda _space, _at, size: bytes(size), [("one", file)])
    spaces.learn(CLIENT, 0x500000)
    assert spaces.program == {CLIENT: None}


def test_code_that_differs_is_somebody_elses():
    file = elf([("f", 0x400000, 8, FUNCTION)], vaddr=0x400000, size=64)
    spaces = AddressSpaces(lambda _space, _at, size: bytes(size), [("one", file)])
    spaces.learn(0x1000, 0x400000)
    assert spaces.program == {0x1000: None}


def test_threads_are_called_after_their_program_in_the_order_they_ran():
    threads = Threads({CLIENT: "client.elf"})
    first = event(Kind.SYSTEM_CALL, space=CLIENT, thread=1, user=1, to_user=0)
    second = event(Kind.SYSTEM_CALL, space=CLIENT, thread=2, user=1, to_user=0)
    threads.survey([first, second, first])
    assert threads.names() == ["client", "client.2"]
    assert [threads.follow(one) for one in (second, first)] == ["client.2", "client"]


def test_a_thread_is_known_before_it_first_runs_and_the_kernel_is_nobody_else():
    threads = Threads({CLIENT: "client.elf"})
    start = event(Kind.RETURN, space=CLIENT, thread=1, to_user=1)
    boot = event(Kind.EVENT, thread=9)
    runs = event(Kind.SYSTEM_CALL, space=CLIENT, thread=1, user=1, to_user=0)
    threads.survey([boot, start, runs])
    assert [threads.follow(one) for one in (boot, start, runs)] == ["kernel", "client", "client"]


def test_a_thread_whose_frame_is_used_again_is_another():
    threads = Threads({CLIENT: "client.elf", ECHO: "echo.elf"})
    one = event(Kind.SYSTEM_CALL, space=CLIENT, thread=1, user=1, to_user=0)
    other = event(Kind.SYSTEM_CALL, space=ECHO, thread=1, user=1, to_user=0)
    threads.survey([one, other])
    assert [threads.follow(each) for each in (one, other)] == ["client", "echo"]


def test_without_a_view_of_the_kernel_a_space_counts_as_a_thread():
    threads = Threads({})
    runs = event(Kind.SYSTEM_CALL, space=CLIENT, user=1, to_user=0)
    threads.survey([runs])
    assert threads.follow(runs) == "space 0x1000"


# ---- what ----


def test_each_event_is_told_with_its_places():
    assert [(one.thread, one.what, one.where, one.to) for one in tell()] == [
        ("client", "syscall call", "client: ask+0x10", "entry+0x0"),
        ("client", "ipc", "entry+0x4", ""),
        ("echo", "space client -> echo", "entry+0x8", ""),
        ("echo", "return", "entry+0xc", "echo: answer+0x20"),
        ("echo", "syscall 6", "echo: answer+0x24", "entry+0x0"),
    ]


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (event(Kind.INTERRUPT, number=0x20), "interrupt 0x20"),
        (event(Kind.EXCEPTION, number=14, detail=6, argument=0x5000), "#PF(0x6) for 0x5000"),
        (event(Kind.EVENT, number=2), "context switch"),
        (event(Kind.BEGIN, number=1), "begin ping-pong"),
        (event(Kind.END, number=9), "end 9"),
        (event(Kind.SPACE, space=NOBODY, argument=ECHO), "space 0x3000 -> echo"),
        (event(Kind.SYSTEM_CALL, number=Call.INT, argument=4), "int 4"),
    ],
)
def test_what_happened_is_one_phrase(one, words):
    assert tell([one])[0].what == words


def test_an_arm_exception_is_told_by_its_syndrome():
    names = replace(NAMES, arch="aarch64")
    fault = event(Kind.EXCEPTION, number=0x24, detail=0x92000047, argument=0x5000)
    assert tell([fault], names)[0].what == "data abort (translation fault, level 3, write) for 0x5000"


# ---- forms ----


def test_a_line_says_when_how_long_after_the_last_who_and_what():
    heading, first, second, *_ = trace_text.lines(tell())
    assert heading.split() == ["cycle", "+cycles", "cost", "thread", "event"]
    assert first.split() == [
        "100", "80", "client", ">", "syscall", "call", "client:", "ask+0x10", "->", "entry+0x0",
    ]  # fmt: skip
    assert second.split() == ["190", "+90", "client", "ipc", "entry+0x4"]


def test_the_tree_closes_a_level_with_all_that_it_took():
    lines = list(trace_text.tree(tell()))
    assert lines[0].endswith("syscall call 80  client: ask+0x10 -> entry+0x0 {\n")
    assert "    ipc" in lines[1]
    assert lines[3].endswith("} return 70, 210 cycles  echo: answer+0x20\n")  # 240 + 70 - 100
    assert [line.index(word) - line.index(who) for line, word, who in (
        (lines[0], "syscall", "client"), (lines[1], "ipc", "client"), (lines[4], "syscall", "echo"),
    )] == [13, 15, 13]  # fmt: skip


def test_a_return_that_nobody_entered_for_closes_nothing():
    assert "cycles" not in next(iter(trace_text.tree(tell([RECEIVED]))))


@pytest.fixture
def exported():
    """What the exporter makes of the events, as a reader of the format finds it."""
    return json.loads("".join(Exporter(HZ).text(tell())))["traceEvents"]


def test_a_slice_runs_from_one_crossing_to_the_next(exported):
    slices = [(each["name"], each["ts"], each["dur"]) for each in exported if each["ph"] == "X"]
    assert slices == [("syscall call", 100, 140), ("echo: answer", 240, 110), ("syscall 6", 350, 80)]


def test_every_track_has_a_name_of_thread_and_ring(exported):
    names = {
        (each["pid"], each["tid"]): each["args"]["name"] for each in exported if each["name"] == "thread_name"
    }
    assert sorted(names.values()) == ["client kernel", "echo kernel", "echo user"]
    used = {(each["pid"], each["tid"]) for each in exported if each["ph"] in "Xisf"}
    assert used <= names.keys()


def test_a_message_flows_from_the_sender_to_the_receivers_slice(exported):
    start, finish = (next(each for each in exported if each["ph"] == phase) for phase in "sf")
    assert (start["id"], start["ts"]) == (finish["id"], 190)
    received = next(each for each in exported if each["ph"] == "X" and each["name"] == "echo: answer")
    assert [finish[key] for key in ("ts", "pid", "tid")] == [received[key] for key in ("ts", "pid", "tid")]


def test_counters_count_what_has_happened_so_far(exported):
    switches = [each["args"]["mode switches"] for each in exported if each["name"] == "mode switches"]
    assert switches == [1, 2, 3]


def test_a_system_call_by_no_known_instruction_is_told_by_its_number():
    (told,) = tell([event(Kind.SYSTEM_CALL, number=200, argument=9)])
    assert told.what == "call by 200 9"
