# SPDX-License-Identifier: GPL-2.0-or-later
"""``ringscope debug`` lets the bundled systems run to where they shall stop, and changes them there."""

from __future__ import annotations

import json
import re

import pytest

from tests.machine.command_line import ringscope
from tests.machine.debugged import ARCHITECTURES, answer, answers, session


@pytest.fixture(scope="module", params=ARCHITECTURES)
def arch(request):
    return request.param


# ---- stops ----


def test_a_breakpoint_of_one_program_stops_in_that_program_alone(arch):
    said = session("break console:program_main", "continue", "continue", arch=arch)
    first, second = answers(said, "continue")
    assert (first["stop"], first["program"], first["ring"]) == ("breakpoint", "console.elf", "user")
    assert first["symbol"] == "console: program_main+0x0"
    assert second["stop"] == "end"  # though every program has a program_main


def test_a_breakpoint_on_a_line_stops_where_its_code_begins(arch):
    """The line of a function's end has code of its own."""
    said = session("break schedule.c:76", "continue", "list", arch=arch)
    stop = answer(said, "continue")
    assert stop["file"] == "kernel/schedule.c"
    assert stop["line"] in (76, 77)
    assert stop["line"] in {each["line"] for each in answer(said, "list")["lines"]}


def test_a_condition_decides_whether_a_breakpoint_stops(in_client, arch):
    late = {"x86_64": 2_000_000, "aarch64": 6_000_000}[arch]
    said = in_client(
        "break fastpath_call",
        "continue",
        f"break fastpath_call if $cycle > {late}",
        "delete 1",
        "c",
        arch=arch,
    )
    assert answer(said, "continue")["cycle"] <= late < answer(said, "c")["cycle"]
    assert answer(said, "c")["number"] == 2


def test_a_watchpoint_tells_what_was_written_by_whom(in_client, arch):
    said = in_client("print *current", "watch current", "continue", arch=arch)
    before = answer(said, "print *current")["hex"]
    stop = answer(said, "continue")
    assert (stop["stop"], stop["old"]) == ("watchpoint", before)
    assert stop["new"] != stop["old"]
    assert stop["by"]["symbol"].startswith("fastpath_call+")


def test_a_condition_decides_whether_a_watchpoint_stops(in_client, arch):
    """The variable that names the running thread, when it is set to what it was at first."""
    first = in_client("print *current", arch=arch)[-1]["hex"]
    said = in_client(f"watch current if *current == {first}", "continue", arch=arch)
    stop = answer(said, "continue")
    assert (stop["stop"], stop["new"]) == ("watchpoint", first)


def test_user_memory_is_watched_in_its_own_space_and_the_kernels_in_all(in_client, arch):
    """Every program has a stack at these addresses."""
    said = in_client("watch *$sp - 16", "continue", arch=arch)
    stop = answer(said, "continue")
    assert stop["stop"] == "watchpoint"
    assert stop["by"]["program"] == "client.elf"


EVENTS = {
    "crossing": r"(syscall|svc) .*|data abort.*",
    "ipc": "ipc",
    "space-switch": r"space \S+ -> \S+",
    "page-fault": r"#PF.*|data abort.*",
    "interrupt": "interrupt.*",
}


@pytest.fixture(scope="module")
def events(in_client, arch):
    """The answers of a session that goes from event to event."""
    return in_client(*(f"run-to {event}" for event in EVENTS), arch=arch)


@pytest.mark.parametrize(("event", "told"), EVENTS.items())
def test_a_run_goes_to_the_next_event_of_a_kind(events, event, told):
    stop = answer(events, f"run-to {event}")
    assert stop["stop"] == "event"
    assert re.fullmatch(told, stop["event"])


def test_a_run_goes_to_the_next_miss_and_to_a_counter_of_ones_choice(in_client):
    said = in_client("run-to miss", "run-to page-walks", arch="x86_64")
    assert all(name.endswith("-misses") for name in answer(said, "run-to miss")["counters"])
    stop = answer(said, "run-to page-walks")
    assert stop["counters"] == ["page-walks"]
    assert stop["since"]["counters"]["page-walks"] == 1


def test_every_stop_says_where_the_cycles_since_the_last_one_went(arch):
    said = session("run-to 2000000", "run-to ipc", "stepi 7", "continue", "counters", arch=arch)
    stops = [each for each in said if "since" in each]
    assert sum(each["since"]["cycles"] for each in stops) == stops[-1]["cycle"]
    for each in stops:
        since = each["since"]
        assert sum(since["causes"].values()) == since["cycles"] - since["idle"]
    total = answer(said, "counters")["counters"]["instructions"]
    assert sum(each["since"]["counters"].get("instructions", 0) for each in stops) == total


def test_a_session_changes_no_count(arch):
    plain = json.loads(ringscope("stat", "--arch", arch, "--serial", "none", "--json", "-").out)["counters"]
    commands = (
        "break fastpath_call; continue; bt; stepi 100; next; delete; run-to interrupt; walk $sp; threads; "
        "watch current; continue; delete; continue; counters"
    )
    said = session(*commands.split("; "), arch=arch, options=["--serial", "none"])
    assert answer(said, "counters")["counters"] == plain


# ---- steps ----


def test_a_step_of_instructions_executes_as_many(in_client, arch):
    said = in_client("stepi", "stepi 10", arch=arch)
    before, after = (answer(said, command)["instructions"] for command in ("stepi", "stepi 10"))
    assert after - before in range(10, 200)  # a block is counted when it is entered


def test_next_goes_over_calls_and_the_kernel_and_step_goes_into_both(in_client, arch):
    over = in_client(*["next"] * 12, arch=arch)
    assert {each["ring"] for each in answers(over, "next")} == {"user"}
    assert {each["symbol"].partition("+")[0] for each in answers(over, "next")} == {"client: program_main"}
    into = in_client(*["step"] * 40, arch=arch)
    assert "kernel" in {each["ring"] for each in answers(into, "step")}


def test_finish_returns_to_the_caller_and_from_the_kernel_to_user_mode(in_client, arch):
    said = in_client("break fastpath_call", "continue", "delete", "finish", arch=arch)
    stop = answer(said, "finish")
    assert (stop["ring"], stop["program"]) == ("user", "client.elf")


# ---- changing ----


def test_what_is_set_is_what_the_guest_goes_on_with(in_client, arch):
    register = {"x86_64": "$rbx", "aarch64": "$x20"}[arch]
    said = in_client(
        f"set {register} = 0x1234", f"print {register}",
        "set u32($sp - 64) = 77", "print u32($sp - 64)", arch=arch,
    )  # fmt: skip
    assert answer(said, f"print {register}")["value"] == 0x1234
    assert answer(said, "print u32($sp - 64)")["value"] == 77


def test_a_patch_is_assembled_and_executed(in_client, arch):
    text = {"x86_64": "mov eax, 99", "aarch64": "movz x9, #99"}[arch]
    register = {"x86_64": "$rax", "aarch64": "$x9"}[arch]
    said = in_client(f"patch *$pc {text}", "stepi", f"print {register}", arch=arch)
    assert answer(said, f"print {register}")["value"] == 99
