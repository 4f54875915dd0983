# SPDX-License-Identifier: GPL-2.0-or-later
"""``ringscope debug`` by scripts and pipes, as a user or a program has it, on both systems and others."""

from __future__ import annotations

import json
import re

import pytest

from tests.guest.catalogue import build_foreign
from tests.machine import small_kernels
from tests.machine.command_line import ringscope

ARCHITECTURES = ("x86_64", "aarch64")


def session(*commands, arch="x86_64", options=(), kernel=None):
    """What a session says, as objects, to commands from a pipe; by command."""
    words = [kernel] if kernel is not None else ["--arch", arch]
    said = ringscope("debug", "--json", *words, *options, typed="\n".join(commands).encode())
    assert said.err == "" or "ringscope" in said.err
    return [json.loads(line) for line in said.out.splitlines()]


def answers(objects, command):
    """The answers to a command."""
    return [each for each in objects if each.get("command") == command]


def answer(objects, command):
    """The only answer to a command."""
    (found,) = answers(objects, command)
    assert "error" not in found, found["error"]
    return found


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


def test_a_condition_decides_whether_a_breakpoint_stops(arch):
    late = {"x86_64": 3_000_000, "aarch64": 12_000_000}[arch]
    said = session(
        "break fastpath_call",
        "continue",
        f"break fastpath_call if $cycle > {late}",
        "delete 1",
        "c",
        arch=arch,
    )
    assert answer(said, "continue")["cycle"] <= late < answer(said, "c")["cycle"]
    assert answer(said, "c")["number"] == 2


def test_a_watchpoint_tells_what_was_written_by_whom(arch):
    said = session("run-to client:program_main", "print *current", "watch current", "continue", arch=arch)
    before = answer(said, "print *current")["hex"]
    stop = answer(said, "continue")
    assert (stop["stop"], stop["old"]) == ("watchpoint", before)
    assert stop["new"] != stop["old"]
    assert stop["by"]["symbol"].startswith("fastpath_call+")


def test_a_condition_decides_whether_a_watchpoint_stops(arch):
    """The variable that names the running thread, when it is set to what it was at first."""
    begin = "run-to client:program_main; print *current"
    first = session(*begin.split("; "), arch=arch)[-1]["hex"]
    said = session(
        "run-to client:program_main", f"watch current if *current == {first}", "continue", arch=arch
    )
    stop = answer(said, "continue")
    assert (stop["stop"], stop["new"]) == ("watchpoint", first)


def test_user_memory_is_watched_in_its_own_space_and_the_kernels_in_all(arch):
    """Every program has a stack at these addresses."""
    said = session("run-to client:program_main", "watch *$sp - 16", "continue", arch=arch)
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
def events(arch):
    """The answers of a session that goes from event to event."""
    return session("run-to client:program_main", *(f"run-to {event}" for event in EVENTS), arch=arch)


@pytest.mark.parametrize(("event", "told"), EVENTS.items())
def test_a_run_goes_to_the_next_event_of_a_kind(events, event, told):
    stop = answer(events, f"run-to {event}")
    assert stop["stop"] == "event"
    assert re.fullmatch(told, stop["event"])


def test_a_run_goes_to_the_next_miss_and_to_a_counter_of_ones_choice():
    said = session("run-to client:program_main", "run-to miss", "run-to page-walks")
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


def test_a_step_of_instructions_executes_as_many(arch):
    said = session("run-to client:program_main", "stepi 10", arch=arch)
    before, after = (
        answer(said, command)["instructions"] for command in ("run-to client:program_main", "stepi 10")
    )
    assert after - before in range(10, 200)  # a block is counted when it is entered


def test_next_goes_over_calls_and_the_kernel_and_step_goes_into_both(arch):
    begin = "run-to client:program_main"
    over = session(begin, *["next"] * 12, arch=arch)
    assert {each["ring"] for each in answers(over, "next")} == {"user"}
    assert {each["symbol"].partition("+")[0] for each in answers(over, "next")} == {"client: program_main"}
    into = session(begin, *["step"] * 40, arch=arch)
    assert "kernel" in {each["ring"] for each in answers(into, "step")}


def test_finish_returns_to_the_caller_and_from_the_kernel_to_user_mode(arch):
    said = session(
        "run-to client:program_main", "break fastpath_call", "continue", "delete", "finish", arch=arch
    )
    stop = answer(said, "finish")
    assert (stop["ring"], stop["program"]) == ("user", "client.elf")


# ---- looking ----


@pytest.fixture(scope="module")
def looked(arch):
    """The answers of a session that looks around in the client, and then in the kernel under it."""
    in_client = "where; registers; walk $sp; threads; disassemble $pc 5; x/2xg $sp; x/5i $pc; list; stack 4"
    after_a_step = "stepi; r; tlb itlb $pc; cache l1i $pc"
    in_kernel = "run-to fastpath_call; backtrace; messages"
    commands = f"run-to client:program_main; {in_client}; {after_a_step}; {in_kernel}"
    return session(*commands.split("; "), arch=arch)


def test_the_backtrace_crosses_the_rings(looked):
    frames = answer(looked, "backtrace")["frames"]
    rings = [each["ring"] for each in frames]
    assert rings == sorted(rings)  # the kernel's first
    assert frames[0]["symbol"] == "fastpath_call+0x0"
    assert frames[-1]["symbol"].startswith("client: _start+")
    assert [each["found_by"] for each in frames].count("ring crossing") == 1


def test_a_walk_shows_every_level_and_where_it_leads(looked):
    walk = answer(looked, "walk $sp")
    assert len(walk["levels"]) == 4
    last = walk["levels"][-1]
    assert int(walk["physical"], 16) & -0x1000 == int(last["leads_to"], 16)
    assert "writable" in walk["rights"]
    assert "no-execute" in walk["rights"]


def test_what_was_just_executed_is_in_the_tlb_and_in_the_cache(looked):
    assert answer(looked, "tlb itlb $pc")["tlbs"]["itlb"]
    assert answer(looked, "cache l1i $pc")["caches"]["l1i"]


def test_the_threads_are_listed_with_their_states(looked):
    threads = {each["name"]: each for each in answer(looked, "threads")["threads"]}
    assert set(threads) == {"root", "pager", "console", "echo", "client"}
    assert (threads["client"]["state"], threads["client"]["current"]) == ("running", True)
    assert threads["pager"]["state"] == "receiving"


def test_a_message_on_the_fast_path_is_found_in_the_registers(looked):
    (message,) = [each for each in answer(looked, "messages")["messages"] if each["in"] == "registers"]
    assert (message["at"], message["from"]) == ("fastpath_call", "client")
    assert len(message["words"]) == 4


def test_code_is_shown_with_its_lines(looked):
    code = answer(looked, "disassemble $pc 5")["instructions"]
    assert [each["symbol"].partition("+")[0] for each in code] == ["client: program_main"] * 5
    assert {each["file"] for each in code} <= {"servers/client/main.c", "servers/lib/calls.h"}
    assert answer(looked, "x/5i $pc")["instructions"] == code


def test_source_and_memory_are_shown_as_asked(looked):
    shown = answer(looked, "list")
    assert shown["file"] == "servers/client/main.c"
    assert any("program_main" in each["text"] for each in shown["lines"])
    words = answer(looked, "x/2xg $sp")["values"]
    assert [int(each["value"], 16) for each in answer(looked, "stack 4")["stack"]][:2] == words


def test_registers_that_changed_are_marked(looked, arch):
    assert answer(looked, "registers")["changed"] == []
    assert ("rip" if arch == "x86_64" else "pc") in answer(looked, "r")["changed"]


# ---- changing ----


def test_what_is_set_is_what_the_guest_goes_on_with(arch):
    register = {"x86_64": "$rbx", "aarch64": "$x20"}[arch]
    said = session(
        "run-to client:program_main", f"set {register} = 0x1234", f"print {register}",
        "set u32($sp - 64) = 77", "print u32($sp - 64)", arch=arch,
    )  # fmt: skip
    assert answer(said, f"print {register}")["value"] == 0x1234
    assert answer(said, "print u32($sp - 64)")["value"] == 77


def test_a_patch_is_assembled_and_executed(arch):
    text = {"x86_64": "mov eax, 99", "aarch64": "movz x9, #99"}[arch]
    register = {"x86_64": "$rax", "aarch64": "$x9"}[arch]
    said = session(
        "run-to client:program_main", f"patch *$pc {text}", "stepi", f"print {register}", arch=arch
    )
    assert answer(said, f"print {register}")["value"] == 99


# ---- scripts, and what is refused ----


def test_a_script_is_carried_out_and_ends_at_what_is_refused(tmp_path):
    script = tmp_path / "script"
    script.write_text("# where the client begins\nrun-to client:program_main\n\nbraek main\nwhere\n")
    said = ringscope("debug", "-x", script)
    assert said.status == 2
    assert "client: program_main+0x0 at servers/client/main.c" in said.out
    assert said.err == "ringscope: there is no command braek; did you mean break or tbreak?\n"


def test_a_pipe_goes_on_behind_what_is_refused():
    said = ringscope("debug", "--json", typed=b"nonsense\nwhere\n")
    objects = [json.loads(line) for line in said.out.splitlines()]
    assert "error" in answers(objects, "nonsense")[0]
    assert answer(objects, "where")["cycle"] == 0
    assert said.status == 2


def test_bytes_that_are_no_text_are_no_command():
    said = ringscope("debug", typed=b"\xff\xfe\nwhere\n")
    assert said.status == 2
    assert said.err.startswith("ringscope: there is no command ")
    assert "cycle 0" in said.out


def test_the_end_of_the_pipe_ends_the_session():
    assert ringscope("debug", typed=b"where\n").status == 0


REFUSALS = {
    "break nowhere_at_all": "no symbol is called nowhere_at_all",
    "break consle:main": "no program is called consle: did you mean console?",
    "break program_main": "program_main is in several programs; write root:program_main or",
    "break main.c:99999": "main.c:99999: no code is known to be there",
    "break fastpath_call if 1 +": "'1 +' is no expression: a value is missing at its end",
    "print $nothing": "$nothing: there is no register of this name",
    "print 1 / 0": "/ by zero has no value",
    "x/4q $sp": "'/4q' is no format",
    "x/4xg 0xdead0000000": "there is no memory at 0xdead0000000",
    "stepi zero": "'zero' is no number of times",
    "run-to": "run-to what?",
    "run-to 0": "cycle 0 is past",
    "registers rzx": "there is no register rzx",
    "set rax 5": "write what shall be set = to what",
    "set u8(0x100000) = 256": "0x100 does not fit into 1 bytes",
    "patch *$pc frobnicate": "'frobnicate' cannot be assembled",
    "watch current 100000": "100000 bytes cannot be watched",
    "watch console:line": "console has no symbol line",
    "delete 7": "there is no breakpoint 7; there are none",
    "counters nonsense": "there is no counter nonsense",
    "finish now": "this command takes no argument",
    "cache l1d 0xdead0000000": "0xdead0000000 is not mapped: no cache can hold it",
    "wa": "wa begins watch or walk; write more of it",
    "braek": "there is no command braek; did you mean break or tbreak?",
}


@pytest.fixture(scope="module")
def refused():
    """What a session, soon after paging is on, says to commands that make no sense."""
    return session("run-to kernel_main", *REFUSALS)


@pytest.mark.parametrize(("command", "sentence"), REFUSALS.items())
def test_what_makes_no_sense_is_refused_in_one_sentence(refused, command, sentence):
    (said,) = answers(refused, command)
    assert said["error"].startswith(sentence)
    assert "\n" not in said["error"]


def test_a_run_that_is_over_can_be_looked_at_and_not_run():
    said = session("continue", "registers", "stepi")
    assert answer(said, "continue")["exit"] == {"reason": "guest", "status": 0}
    assert answer(said, "registers")["registers"]
    assert answers(said, "stepi")[0]["error"].startswith("the run is over")


def test_what_the_guest_prints_stands_before_the_stop_that_it_was_printed_before():
    said = session("continue")
    assert "client: 1000 of 1000 calls to echo came back" in next(
        each["console"] for each in said if "console" in each
    )
    assert "console" in said[-2]


# ---- other kernels ----


def test_a_kernel_without_symbols_is_stepped_by_addresses(tmp_path):
    kernel = small_kernels.write("exit-3", tmp_path)
    entry = f"{small_kernels.ENTRY:#x}"
    said = session(
        "where", "registers", f"break *{small_kernels.ENTRY + 2}", "continue", "bt", "continue", kernel=kernel
    )
    assert answer(said, "where")["pc"] == entry
    assert answer(said, "registers")["registers"]["eip"] == entry
    first, end = answers(said, "continue")
    assert (first["stop"], first["pc"]) == ("breakpoint", f"{small_kernels.ENTRY + 2:#x}")
    assert end["exit"] == {"reason": "guest", "status": 3}


@pytest.fixture(scope="module")
def tasks():
    """A session with a kernel of somebody else: 32 bits, PAE, tasks in ring 3."""
    commands = (
        "break system_call; continue; backtrace; walk 0x40000000; finish; run-to crossing; stepi 2; "
        "who-wrote idt 4; threads"
    )
    return session(*commands.split("; "), kernel=build_foreign("pae_tasks"))


def test_under_another_kernels_frames_lies_the_task_that_called_it(tasks):
    frames = answer(tasks, "backtrace")["frames"]
    assert [each["symbol"] for each in frames] == ["system_call+0x0", "int80+0x16", None]
    assert [each["ring"] for each in frames] == ["kernel", "kernel", "user"]
    assert frames[2]["address"] == answer(tasks, "run-to crossing")["pc"]  # where the kernel returns to


def test_page_tables_of_another_format_are_walked(tasks):
    levels = answer(tasks, "walk 0x40000000")["levels"]
    assert [each["name"] for each in levels] == ["PDPTE", "PDE", "PTE"]
    assert levels[0]["flags"] == []  # of PAE's outermost entries nothing says who may
    assert levels[2]["flags"] == ["read-only", "user", "accessed"]


def test_who_wrote_a_variable_of_another_kernel_is_found_too(tasks):
    assert answer(tasks, "who-wrote idt 4")["by"]["symbol"].startswith("kmain+")


def test_a_kernel_of_another_processor_is_stepped_through():
    said = session(
        "stepi 5", "where", "break *$pc + 0", "continue", "reverse-stepi", kernel=build_foreign("tiny64")
    )
    assert answer(said, "where")["file"] == "tests/guest/foreign/tiny64/tiny64.S"
    assert answer(said, "continue")["stop"] in ("breakpoint", "end")


def test_threads_are_shown_of_the_bundled_kernel_alone(tmp_path):
    said = session("threads", kernel=small_kernels.write("exit-3", tmp_path))
    assert "this kernel is not known" in answers(said, "threads")[0]["error"]


def test_debugging_never_writes_the_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.write_bytes(bytes(1024))
    kernel = small_kernels.write("write-disk", tmp_path)
    said = ringscope("debug", kernel, "-hda", disk, "--disk-write", typed=b"continue\n")
    assert f"debugging does not write {disk}" in said.err
    assert "the run is over: guest, status 0" in said.out
    assert disk.read_bytes() == bytes(1024)


def test_without_models_the_caches_are_said_to_be_none(tmp_path):
    kernel = small_kernels.write("exit-3", tmp_path)
    said = session("tlb", "cache", "run-to miss", kernel=kernel, options=["--fidelity", "functional"])
    assert "nothing is modelled" in answers(said, "tlb")[0]["error"]
    assert "nothing is modelled" in answers(said, "cache")[0]["error"]
    assert "nothing to miss without models" in answers(said, "run-to miss")[0]["error"]


def test_a_session_goes_on_from_what_another_saved(arch, tmp_path):
    file = tmp_path / "snapshot"
    before = session("run-to 3000000", f"save {file}", "stepi 50", arch=arch)
    after = session("stepi 50", arch=arch, options=["--from-snapshot", file])
    assert answer(after, "stepi 50") == answer(before, "stepi 50")


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ("--log-input", "--log-input logs what is typed to the guest, and here commands are typed"),
        (
            "--save-snapshot",
            "--save-snapshot saves at a run's end or at a cycle; in a session the command save does",
        ),
    ],
)
def test_an_option_for_what_a_session_does_otherwise_is_refused(option, sentence, tmp_path):
    said = ringscope("debug", option, tmp_path / "file")
    assert said.status == 2
    assert said.err.startswith(f"ringscope: {sentence}")
