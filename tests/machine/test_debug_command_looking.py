# SPDX-License-Identifier: GPL-2.0-or-later
"""What a debugging session shows of a system: of the bundled ones, and of kernels of somebody else."""

from __future__ import annotations

import pytest

from tests.guest.catalogue import build_foreign
from tests.machine import small_kernels
from tests.machine.command_line import ringscope
from tests.machine.debugged import ARCHITECTURES, answer, answers, session


@pytest.fixture(scope="module", params=ARCHITECTURES)
def arch(request):
    return request.param


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
