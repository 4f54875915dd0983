# SPDX-License-Identifier: GPL-2.0-or-later
"""A trace as swim lanes, and the page around it: what is in it, and that it stays small."""

from __future__ import annotations

import itertools
import json
import re

import pytest

from ringscope.emulator.debug.symbols import SymbolTable
from ringscope.emulator.trace.event import Kind
from ringscope.emulator.trace.story import IPC, Names, Teller
from ringscope.tools import session
from ringscope.tools.command_line import BAD_INPUT, run
from ringscope.tools.page import Timeline, page
from ringscope.tools.page.timeline import KINDS
from tests.unit.trace.event_bytes import event

PROGRAMS = {0x1000: "client.elf", 0x2000: "echo.elf"}
CLIENT, ECHO = {"space": 0x1000, "thread": 0xA}, {"space": 0x2000, "thread": 0xB}
HEAD = {"arch": "x86_64", "cpu": "skylake", "hz": 4_000_000_000}


def call(time, who):
    return event(Kind.SYSTEM_CALL, time, user=1, to_user=0, cost=60, source=0x10, target=0x20, **who)


def back(time, who):
    return event(Kind.RETURN, time, user=0, to_user=1, source=0x20, target=0x10, **who)


#: A client runs from 100 on and calls at 200; the kernel sends its message at 250 and goes on as echo. That
#: runs from 300 to 350, when an interrupt comes. The operation lasts from 150 to 400.
STORY = [
    event(Kind.INTERRUPT, 50, number=0x20, **CLIENT),
    back(100, CLIENT),
    event(Kind.BEGIN, 150, number=7, user=1, **CLIENT),
    call(200, CLIENT),
    event(Kind.EVENT, 250, number=IPC, **CLIENT),
    event(Kind.SPACE, 260, argument=0x2000, **CLIENT),
    event(Kind.EVENT, 270, number=2, **ECHO),
    back(300, ECHO),
    event(Kind.INTERRUPT, 350, number=0x20, user=1, to_user=0, **ECHO),
    event(Kind.END, 400, number=7, user=1, **CLIENT),
]


def timeline(events, *window, **options):
    """The data of a timeline, its lanes by thread and ring, pieces as (begin, end, name, kind)."""
    teller = Teller(Names("x86_64", 10**9, PROGRAMS, {7: "ping"}, {}, SymbolTable(None, [])))
    teller.survey(events)
    line = Timeline(*window, **options)
    line.take(teller.tell(events))
    data = line.data()
    lanes = {
        (lane["thread"], lane["ring"]): [
            (begin, end, data["words"][name] if name >= 0 else None, KINDS[kind])
            for begin, end, name, _place, kind, *_ in lane["pieces"]
        ]
        for lane in data["lanes"]
    }
    return data, lanes


def test_a_piece_lasts_from_one_crossing_to_the_next_or_to_the_switch_to_another_thread():
    _, lanes = timeline(STORY)
    assert lanes["client", "user"] == [(100, 200, "client: 0x10", "user")]
    assert lanes["client", "kernel"][-1] == (200, 270, "syscall 0", "system call")
    assert lanes["echo", "kernel"][0] == (270, 300, "syscall 0", "system call")
    assert lanes["echo", "user"] == [(300, 350, "echo: 0x10", "user")]
    assert lanes["client", "operations"] == [(150, 400, "ping", "operation")]


def test_before_anything_crosses_the_kernel_boots():
    assert timeline(STORY)[1]["kernel", "kernel"] == [(0, 50, "boot", "kernel")]


def test_what_was_recorded_from_later_on_begins_with_its_first_crossing():
    assert ("kernel", "kernel") not in timeline(STORY[3:])[1]
    assert ("kernel", "kernel") not in timeline(STORY, boots=False)[1]


def test_the_lanes_of_a_thread_lie_together_with_its_operations_first():
    data, _ = timeline(STORY)
    order = [(lane["thread"], lane["ring"]) for lane in data["lanes"]]
    assert order == [
        ("kernel", "kernel"),
        ("client", "operations"),
        ("client", "user"),
        ("client", "kernel"),
        ("echo", "user"),
        ("echo", "kernel"),
    ]


def test_a_message_is_an_arrow_from_the_senders_kernel_to_the_receivers_user_lane():
    data, _ = timeline(STORY)
    lanes = [(lane["thread"], lane["ring"]) for lane in data["lanes"]]
    assert [(sent, lanes[start], received, lanes[end]) for sent, start, received, end in data["arrows"]] == [
        (250, ("client", "kernel"), 300, ("echo", "user"))
    ]


def test_of_a_window_the_pieces_that_reach_into_it_are_kept():
    data, lanes = timeline(STORY, 280, 320)
    assert lanes == {
        ("client", "operations"): [(150, 400, "ping", "operation")],
        ("echo", "user"): [(300, 350, "echo: 0x10", "user")],
        ("echo", "kernel"): [(270, 300, "syscall 0", "system call")],
    }
    assert (data["begin"], data["end"]) == (280, 320)


def rounds(count):
    """A client that calls and comes back, every 100 cycles; a while in between now and then."""
    times = itertools.accumulate(100 if i % 50 else 5000 for i in range(count))
    return [one for time in times for one in (call(time, CLIENT), back(time + 40, CLIENT))]


@pytest.mark.parametrize("most", [10, 100, 1000])
def test_a_long_trace_is_drawn_in_no_more_pieces_than_it_may_have(most):
    events = rounds(20_000)
    data, _ = timeline(events, most=most)
    pieces = [piece for lane in data["lanes"] for piece in lane["pieces"]]
    assert most / 10 <= len(pieces) <= most
    assert data["events"] == 40_000
    assert data["within"] > 0
    assert all(piece[1] - piece[0] <= max(data["within"], 5000) for piece in pieces)


def test_putting_pieces_together_loses_no_cycle():
    events = rounds(5000)
    whole, few = (timeline(events, **options)[0] for options in ({}, {"most": 50}))
    assert (whole["within"], len(whole["lanes"])) == (0, len(few["lanes"]))
    for lane, short in zip(whole["lanes"], few["lanes"], strict=True):
        assert (lane["busy"], lane["count"]) == (short["busy"], short["count"])
        assert sum(piece[6] for piece in short["pieces"]) == lane["busy"] == sum(p[6] for p in lane["pieces"])
        assert sum(piece[7] for piece in short["pieces"]) == lane["count"]


def test_what_is_put_together_keeps_no_text_that_is_not_shown():
    places = [
        event(Kind.SYSTEM_CALL, 10 * i, user=1, to_user=0, source=i, target=0x20, **CLIENT)
        for i in range(3000)
    ]
    assert len(timeline(places, most=20)[0]["words"]) <= 2 * 20


def embedded(text):
    return json.loads(
        re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)[1]
    )


def test_the_page_carries_its_data_and_asks_no_network_for_anything():
    text = page("k.elf", HEAD, None, timeline(STORY)[0])
    assert embedded(text)["head"] == HEAD
    assert not re.search(r"https?://|//[a-z]+\.|\bfetch\(|@import|url\(|src=|href=|XMLHttp|WebSocket", text)
    assert "default-src 'none'" in text


def test_no_name_of_a_guest_can_end_the_pages_data():
    name = "</script><script>alert(1)</script> & @SCRIPTS@"
    text = page(name, HEAD, None, timeline(STORY)[0])
    assert embedded(text)["title"] == name
    assert "alert(1)</script>" not in text
    assert text.count("</script>") == 2


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("-m", "32M"), "without --html a report is of what 'record' wrote: it takes no options of a run"),
        (
            ("--html", "p", "--top", "5"),
            "--html writes a page, and --sort, --top, --process, --ring and --json",
        ),
        (("--html", "-"), "--html - and the guest's console would both be stdout; give --serial none too"),
        (("--html", "/nowhere/p"), "/nowhere/p: cannot be written: No such file or directory"),
        (
            ("--html", "p", "--begin", "5", "--end", "5"),
            "--begin is not before --end: that is no time at all",
        ),
        (("--html", "p", "--read", "/nowhere"), "/nowhere: cannot be read: No such file or directory"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(monkeypatch, tmp_path, capsys, words, complaint):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(session, "run", lambda *_: pytest.fail("a machine was run"))
    assert run(["report", *words]) == BAD_INPUT
    said = capsys.readouterr().err
    assert complaint in said
    assert said.startswith("ringscope: ")
    assert not list(tmp_path.iterdir())
