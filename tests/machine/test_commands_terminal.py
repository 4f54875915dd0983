# SPDX-License-Identifier: GPL-2.0-or-later
"""``ringscope boot`` at a terminal: typing, the log of it, Ctrl-C and Ctrl-Z, the progress line."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import termios
import time

import pexpect
import pytest

from ringscope.tools.progress import INTERVAL, PATIENCE
from tests.machine import small_kernels
from tests.machine.command_line import TIMEOUT, command, environment, ringscope

PROMPT = "guest's host $ "


def modes(terminal):
    """The input, output, control and local modes of a terminal."""
    return termios.tcgetattr(terminal.child_fd)[:4]


def until(condition):
    """Wait for what must become true."""
    limit = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.02)


@pytest.fixture
def spawn(tmp_path):
    """A function that starts a program on a terminal of its own."""
    started = []

    def run(*words, **variables):
        terminal = pexpect.spawn(
            str(words[0]),
            [str(word) for word in words[1:]],
            timeout=TIMEOUT,
            env=environment(tmp_path / "state") | {"TERM": "xterm", "COLUMNS": "80"} | variables,
        )
        started.append(terminal)
        return terminal

    yield run
    for terminal in started:
        terminal.close(force=True)


@pytest.fixture
def echo(spawn, tmp_path):
    """The echo kernel at a terminal, in which it waits; with the modes of before."""
    words = command("boot", small_kernels.write("echo", tmp_path))
    terminal = spawn(*words)
    before = modes(terminal)
    terminal.expect_exact(">")
    until(lambda: modes(terminal) != before)
    return terminal, before


def logs(tmp_path):
    return list((tmp_path / "state" / "ringscope").iterdir())


def end(terminal):
    """Wait for the program's end and return what it still said."""
    terminal.expect(pexpect.EOF)
    terminal.wait()
    return terminal.before.decode()


def test_keys_reach_the_guest_one_by_one_and_only_the_guest_echoes_them(echo):
    terminal, before = echo
    terminal.send("ab")
    terminal.expect_exact("ab")  # before any Enter
    terminal.send("\r.")
    terminal.expect_exact("\r.")  # Enter is a carriage return, and nobody adds a line feed
    terminal.send("q")
    assert end(terminal).startswith("q\r\n")
    assert terminal.exitstatus == 7
    assert modes(terminal) == before


def test_a_run_is_repeated_to_the_last_count_from_the_log_of_its_typing(spawn, tmp_path):
    first, kernel = tmp_path / "first.json", small_kernels.write("echo", tmp_path)
    terminal = spawn(*command("stat", kernel, "--json", first))
    terminal.expect_exact(">")
    for key in "xyq":
        terminal.send(key)
        terminal.expect_exact(key)
    said = end(terminal)
    (log,) = logs(tmp_path)
    assert f"ringscope: what was typed is in {log}; --replay types it again" in said
    again = tmp_path / "again.json"
    repeated = ringscope("stat", kernel, "--replay", log, "--json", again)
    assert (repeated.status, repeated.out) == (7, ">xyq\n")
    assert json.loads(again.read_text()) == json.loads(first.read_text())


def test_typing_goes_to_the_log_that_was_asked_for(spawn, tmp_path):
    log = tmp_path / "typed"
    terminal = spawn(*command("boot", small_kernels.write("echo", tmp_path), "--log-input", log))
    terminal.expect_exact(">")
    terminal.send("q")
    end(terminal)
    header, typed = log.read_text().splitlines()
    assert header == "ringscope-input 1 hz=4000000000"
    assert typed.endswith(f" {ord('q'):02x}")


def test_nothing_typed_leaves_no_log(echo, tmp_path):
    terminal, _ = echo
    terminal.sendintr()
    assert "what was typed" not in end(terminal)
    assert logs(tmp_path) == []


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT], ids=lambda number: number.name
)
def test_every_signal_that_ends_the_run_gives_the_terminal_back(echo, number):
    terminal, before = echo
    terminal.kill(number)
    assert "ringscope: interrupted at cycle " in end(terminal)
    assert terminal.exitstatus == 128 + number
    assert modes(terminal) == before


def test_a_refused_replay_leaves_the_terminal_alone(spawn, tmp_path):
    terminal = spawn(*command("boot", small_kernels.write("echo", tmp_path), "--replay", tmp_path / "absent"))
    before = modes(terminal)
    assert "cannot be read" in end(terminal)
    assert modes(terminal) == before


def test_a_terminal_that_hangs_up_ends_the_run(echo):
    terminal, _ = echo
    terminal.close(force=False)
    assert not terminal.isalive()


def test_ctrl_z_stops_the_program_and_lends_the_terminal_to_the_shell(spawn, tmp_path):
    words = " ".join(command("boot", small_kernels.write("echo", tmp_path)))
    shell = spawn("/bin/sh", "-i", PS1=PROMPT, ENV="")
    shell.expect_exact(PROMPT)
    before = modes(shell)
    shell.sendline(words)
    shell.expect_exact("echo.bin")
    shell.expect_exact(">")
    until(lambda: modes(shell) != before)
    inside = modes(shell)
    shell.send("\x1a")
    shell.expect_exact(PROMPT)
    assert modes(shell) == before
    shell.sendline("fg")
    until(lambda: modes(shell) == inside)
    shell.send("c")
    shell.expect_exact("c")
    shell.send("q")
    shell.expect_exact(PROMPT)
    assert modes(shell) == before
    shell.sendline("echo status $?")
    shell.expect_exact("status 7")


def test_a_long_run_shows_how_far_it_is_and_takes_the_line_away(spawn, tmp_path):
    terminal = spawn(*command("boot", small_kernels.write("spin", tmp_path), "--limit-cycles", "1G"))
    terminal.expect(
        r"\[\d\.\d{3} s simulated, [\d.]+ M cycles, [\d.]+ M instructions/s, \d+%, \d+ \w+ left\]"
    )
    terminal.sendintr()
    assert "\r\x1b[2Kringscope: interrupted at cycle " in end(terminal)


def test_no_progress_is_shown_where_stderr_is_no_terminal(tmp_path):
    words = command("boot", small_kernels.write("spin", tmp_path))
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(words, env=environment(tmp_path), **pipes) as run:
        assert run.stdout.read(1) == b"\n"  # the guest runs
        time.sleep(PATIENCE + 2 * INTERVAL)  # a terminal would have been shown it
        run.send_signal(signal.SIGINT)
        _, err = run.communicate(timeout=TIMEOUT)
    assert re.fullmatch(rb"ringscope: interrupted at cycle \d+\n", err)
