# SPDX-License-Identifier: GPL-2.0-or-later
"""The real gdb, attached to the bundled system as a user attaches it."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from ringscope.emulator.debug.gdb.packet import frame
from tests.machine import small_kernels
from tests.machine.command_line import TIMEOUT, command, environment, ringscope

if TYPE_CHECKING:
    from collections.abc import Iterator

ARCHITECTURES = ("x86_64", "aarch64")
GDB = "gdb-multiarch"
PLACE = re.compile(r"target remote (\S+)")
QUIET = ("-nx", "-q", "-batch", "-ex", "set confirm off", "-ex", "set width 0")
#: A watchpoint's value, before or after.
VALUE = re.compile(r"^(?:Old|New) value = .* (0x\w+)$", re.MULTILINE)
#: The client's calls to the echo server are under way, and every program runs.
UNDER_WAY = ("tbreak fastpath_call", "ignore 1 150", "continue", "info threads", "inferior 1")


@dataclass
class Booted:
    """A system that waits for gdb at ``place``."""

    process: subprocess.Popen[str]
    place: str

    def gdb(self, *commands: str, program: str = GDB) -> str:
        """Let gdb attach and carry out some commands; return what it says."""
        words = [program, *QUIET, "-ex", f"target remote {self.place}"]
        for one in commands:
            words += ["-ex", one]
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=TIMEOUT, check=False, stdin=subprocess.DEVNULL
        )
        return done.stdout + done.stderr

    def parts(self, **parts: tuple[str, ...]) -> dict[str, str]:
        """Let gdb carry out some parts one after another; return what it says to each, and on stderr."""
        begin = {name: f"=== {name} ===" for name in (*parts, "aside")}
        commands = [(f"echo \\n{begin[name]}\\n", *commands) for name, commands in parts.items()]
        said = self.gdb(*itertools.chain.from_iterable(commands), f"echo \\n{begin['aside']}\\n")
        _, *pieces = re.split("|".join(begin.values()), said)
        return dict(zip(begin, pieces, strict=True))

    def end(self) -> tuple[int, str, str]:
        """Wait for the end; return status, output and what else was said."""
        out, err = self.process.communicate(timeout=TIMEOUT)
        return self.process.returncode, out, err


@contextlib.contextmanager
def booted(*words: object, verb: str = "boot") -> Iterator[Booted]:
    """Start a system for gdb, at any port that is free."""
    process = subprocess.Popen(
        command(verb, "--gdb", ":0", *words),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(os.devnull),
    )
    try:
        said = process.stderr.readline()
        yield Booted(process, PLACE.search(said)[1])
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module", autouse=True)
def _gdb(require_program) -> None:
    require_program(GDB)


@pytest.fixture(scope="module", params=ARCHITECTURES)
def arch(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def looked(arch):
    """What gdb says in the kernel's fast path, and how the system ends that it leaves there."""
    with booted("--arch", arch, "-S") as system:
        parts = system.parts(
            stop=("break fastpath_call", "continue"),
            kernel=("bt 1", "info registers sp pc", "x/i $pc"),
            back=("p $pc", "stepi 3", "reverse-stepi 3", "p $pc"),
            leave=("delete", "detach"),
        )
        return parts, system.end()


@pytest.fixture(scope="module")
def changed(arch):
    """What gdb says where it changes the fast path's argument, puts it back, and steps on from there."""
    register = {"x86_64": "$rdi", "aarch64": "$x0"}[arch]
    with booted("--arch", arch, "-S") as system:
        return system.parts(
            stop=("tbreak fastpath_call", "continue"),
            keep=(f"set $argument = {register}", "set $word = *(int *)$sp"),
            changes=(f"set {register} = 99", "p slot", "set var *(int *)$sp = 77", "p *(int *)$sp"),
            put_back=(f"set {register} = $argument", "set var *(int *)$sp = $word"),
            steps=("p $pc", "stepi", "p $pc", "next", "next", "info line"),
        )


@pytest.fixture(scope="module")
def under_way(arch):
    """What gdb says while every program runs, of the kernel's variable and of the programs."""
    with booted("--arch", arch, "-S") as system:
        return system.parts(
            start=UNDER_WAY,
            writes=("watch current", "continue", "continue", "info watchpoints"),
            back=("reverse-continue",),
            reads=("delete", "rwatch current", "continue", "delete"),
            monitor=("monitor counters", "monitor ledger", "monitor walk $pc"),
            spaces=("info inferiors", "inferior 5", "x/2gx 0x400000", "inferior 6", "x/2gx 0x400000"),
            server=("inferior 4", "break uart_send", "continue", "bt 3", "p character"),
            again=("continue",) * 3,
        )


# ---- looking ----


def test_gdb_breaks_in_the_kernel_with_symbols_that_it_was_given(looked) -> None:
    said, (status, out, _) = looked
    assert "Breakpoint 1, fastpath_call (slot=" in said["stop"]
    assert "at ./kernel/fastpath.c:" in said["kernel"]
    assert re.search(r"^pc .*<fastpath_call(\+\d+)?>$", said["kernel"], re.MULTILINE)
    assert (status, "power off" in out) == (0, True)


def test_plain_gdb_attaches_to_the_pc(require_program) -> None:
    require_program("gdb")
    with booted("-S") as system:
        said = system.gdb("p $pc", "p/x $cr0", "p $eflags", "kill", program="gdb")
        assert "$1 = (void (*)()) 0x" in said
        assert "$2 = 0x11" in said  # protected mode, no paging: as multiboot enters a kernel


def test_each_program_is_a_process_with_its_own_code_at_one_address(under_way) -> None:
    said = under_way["spaces"]
    assert re.findall(r"target:/(\w+)\.elf\s*$", said, re.MULTILINE) == [
        "root", "pager", "console", "echo", "client",
    ]  # fmt: skip
    codes = re.findall(r"^0x400000.*:\t(.*)$", said, re.MULTILINE)
    assert len(codes) == 2
    assert codes[0] != codes[1]


def test_a_breakpoint_in_a_server_stops_that_server_with_a_backtrace(under_way) -> None:
    said = under_way["server"]
    assert re.search(r'^Thread 4\.1 "console\.elf" hit Breakpoint \d+, uart_send', said, re.MULTILINE)
    assert re.search(r"^#2 .*serve \(.*servers/console/main.c:", said, re.MULTILINE)
    assert "99 'c'" in said  # of "client: 1000 of 1000 calls"


def test_one_address_in_two_servers_is_two_breakpoints(under_way) -> None:
    """Every program has code there, and runs it."""
    hits = re.findall(r"^Thread (\S+) .* hit Breakpoint", under_way["again"], re.MULTILINE)
    assert hits == ["4.1"] * 3


# ---- moving ----


def test_stepping_goes_by_instructions_and_lines(changed) -> None:
    said = changed["steps"]
    first, second = re.findall(r"= \(void \(\*\)\(\)\) (0x\w+)", said)
    assert 0 < int(second, 16) - int(first, 16) <= 15
    assert 'of "./kernel/fastpath.c"' in said


def test_a_watchpoint_tells_who_wrote_what(under_way) -> None:
    said = under_way["writes"]
    first, second, third, fourth = VALUE.findall(said)
    assert (first, second) == (fourth, third)  # to the server and back
    assert said.count("in switch_to (next=") == 2
    assert "breakpoint already hit 2 times" in said


def test_a_read_watchpoint_is_one(under_way) -> None:
    said = under_way["reads"]
    assert re.search(r"^Hardware read watchpoint \d+: current$", said, re.MULTILINE)
    assert re.search(r"^Value = .* 0x\w+$", said, re.MULTILINE)


def test_gdb_writes_registers_and_memory(changed) -> None:
    assert re.findall(r"^\$\d+ = (\d+)$", changed["changes"], re.MULTILINE) == ["99", "77"]


def test_the_monitor_counts(under_way) -> None:
    said = under_way["aside"]
    assert re.search(r"^ipc +[1-9]\d* +0:u +[1-9]\d*:k$", said, re.MULTILINE)
    assert re.search(r"^ping-pong +\d+ times, each [\d.]+ cycles", said, re.MULTILINE)
    assert "monitor walk takes one address" in said


# ---- backwards ----


def test_a_step_back_undoes_a_step(looked) -> None:
    said, (status, _, _) = looked
    first, second = re.findall(r"= \(void \(\*\)\(\)\) (0x\w+)", said["back"])
    assert first == second
    assert status == 0


def test_going_back_stops_at_the_breakpoint_before(arch) -> None:
    with booted("--arch", arch, "-S") as system:
        said = system.gdb(
            *("break fastpath_call", "continue", "monitor cycles", "continue", "reverse-continue"),
            *("monitor cycles", "reverse-continue"),
        )
        first, second = re.findall(r"^simulated time +([\d,]+)$", said, re.MULTILINE)
        assert first == second
        assert "No more reverse-execution history" in said  # at the first instruction


def test_going_back_to_a_watchpoint_tells_the_value_before(under_way) -> None:
    values = VALUE.findall(under_way["writes"] + under_way["back"])
    client, server = values[:2]
    assert values == [client, server, server, client, client, server]


# ---- the same run ----


@pytest.mark.parametrize("fidelity", ["timing", "functional"])
def test_what_gdb_looks_at_is_counted_as_if_it_did_not(arch, fidelity, tmp_path) -> None:
    plain, debugged = tmp_path / "plain", tmp_path / "debugged"
    boot = ("--arch", arch, "--fidelity", fidelity)
    assert ringscope("stat", *boot, "--json", plain).status == 0
    with booted(*boot, "-S", "--json", debugged, verb="stat") as system:
        said = system.gdb(*UNDER_WAY, "watch current", "continue", "continue", "stepi", "detach")
        assert said.count("New value") == 2
        assert system.end()[0] == 0
    one, other = (json.loads(file.read_text())["counters"] for file in (plain, debugged))
    assert one == other


# ---- coming and going ----


def test_the_guests_status_is_told_and_kept(tmp_path) -> None:
    with booted(small_kernels.write("exit-3", tmp_path), "-S") as system:
        assert "[Inferior 1 (process 1) exited with code 03]" in system.gdb("continue")
        assert system.end()[0] == 3


def test_gdb_may_come_while_the_guest_runs_and_the_guest_goes_on_without_it(tmp_path) -> None:
    with booted(small_kernels.write("spin", tmp_path)) as system:
        first = system.gdb("p $pc", "detach")
        second = system.gdb("p $pc", "detach")
        assert "[Inferior 1 (process 1) detached]" in first
        assert re.findall(r"0x10\w+", first)[-1] == re.findall(r"0x10\w+", second)[-1]  # it spins
        system.process.send_signal(signal.SIGINT)
        assert system.end()[0] == 130


def test_killing_from_gdb_ends_the_run(tmp_path) -> None:
    with booted(small_kernels.write("spin", tmp_path), "-S") as system:
        assert "killed" in system.gdb("kill")
        assert system.end()[0] == 130


def connect(system: Booted) -> socket.socket:
    host, _, port = system.place.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=TIMEOUT)


def ask(client: socket.socket, packet: bytes, until: bytes = b"#") -> bytes:
    client.sendall(b"+" + frame(packet))
    said = b""
    while until not in said:
        said += client.recv(4096)
    return said


def test_a_client_that_dies_lets_the_guest_go_on(tmp_path) -> None:
    with booted(small_kernels.write("exit-3", tmp_path), "-S") as system:
        client = connect(system)
        assert b"T05" in ask(client, b"?")
        client.close()
        assert system.end()[0] == 3


def test_a_second_client_is_refused_and_the_first_stays(tmp_path) -> None:
    with booted(small_kernels.write("spin", tmp_path), "-S") as system, connect(system) as first:
        assert b"T05" in ask(first, b"?")
        with connect(system) as second:
            assert second.recv(1) == b""
        assert b"T05" in ask(first, b"s", b"T05")


@pytest.mark.parametrize("packets", [(frame(b"c") + b"\x03",), (frame(b"c"), b"\x03")])
def test_an_interrupt_stops_the_guest(tmp_path, packets) -> None:
    with booted(small_kernels.write("spin", tmp_path), "-S") as system, connect(system) as client:
        for one in packets:
            client.sendall(one)
            time.sleep(0.2)
        said = b""
        while b"T02" not in said:
            said += client.recv(100)


def test_ctrl_c_ends_a_system_that_waits_for_a_gdb_that_never_comes(tmp_path) -> None:
    with booted(small_kernels.write("spin", tmp_path), "-S") as system:
        time.sleep(0.5)
        system.process.send_signal(signal.SIGINT)
        assert system.end()[0] == 130


def test_ctrl_c_ends_a_system_that_gdb_holds(tmp_path) -> None:
    with booted(small_kernels.write("spin", tmp_path), "-S") as system, connect(system) as client:
        assert b"T05" in ask(client, b"?")
        system.process.send_signal(signal.SIGINT)
        assert system.end()[0] == 130


def test_a_port_that_is_taken_is_a_usage_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = ringscope("boot", "--gdb", f":{port}")
    assert said.status == 2
    assert said.err == (
        f"ringscope: gdb cannot be waited for at 127.0.0.1:{port}: Address already in use; "
        "take another place\n"
    )
