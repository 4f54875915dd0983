# SPDX-License-Identifier: GPL-2.0-or-later
"""``ringscope debug`` at a terminal: history, completion, Ctrl-C, the end of input."""

from __future__ import annotations

import re

import pexpect
import pytest

from tests.machine import small_kernels
from tests.machine.command_line import command, environment

#: What the line editor tells the terminal when it begins to ask for a line, and when it has one.
ASKS, HAS = "\x1b[?2004h", "\x1b[?2004l"
UP, TAB, END_OF_INPUT = "\x1b[A", "\t", "\x04"
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """A session at a terminal of its own."""

    def __init__(self, state, *words):
        self.child = pexpect.spawn(
            command("debug", *words)[0],
            command("debug", *words)[1:],
            timeout=15,
            dimensions=(40, 200),
            env=environment(state) | {"TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"},
            encoding="utf-8",
        )
        self.ready()

    def ready(self):
        """Wait for the prompt; return what was said before it, without the escapes."""
        self.child.expect_exact(ASKS)
        return ESCAPES.sub("", self.child.before)

    def ask(self, line):
        """Type a line and return the answer."""
        self.child.send(line + "\r")
        self.child.expect_exact(HAS)
        return self.ready()

    def shown(self, text):
        """Wait until a text is on the screen."""
        self.child.expect_exact(text)

    def end(self):
        """Wait for the program's end and return its exit status."""
        self.child.expect(pexpect.EOF)
        self.child.wait()
        return self.child.exitstatus


@pytest.fixture
def start(tmp_path):
    """A function that starts a session; its history is kept from one to the next."""
    started = []

    def run(*words):
        terminal = Terminal(tmp_path / "state", *words)
        started.append(terminal)
        return terminal

    yield run
    for terminal in started:
        terminal.child.close(force=True)


@pytest.fixture
def spin(tmp_path):
    """A kernel that never ends."""
    return small_kernels.write("spin", tmp_path)


@pytest.mark.parametrize("arch", ["x86_64", "aarch64"])
def test_a_session_answers_line_by_line_and_leaves_at_quit(start, arch):
    terminal = start("--arch", arch)
    assert "client: program_main+0x0 at servers/client/main.c" in terminal.ask("run-to client:program_main")
    assert "#0  client: program_main+0x0" in terminal.ask("bt")
    terminal.child.send("quit\r")
    assert terminal.end() == 0


def test_an_empty_line_steps_again(start, spin):
    terminal = start(spin)
    before = terminal.ask("stepi")
    assert terminal.ask("").count("=>") == 1
    assert f"{small_kernels.ENTRY + 2:#x}" in before


def test_tab_completes_commands_symbols_and_registers(start):
    terminal = start()
    terminal.child.send("backt" + TAB)
    terminal.shown("race")
    terminal.child.send("\r")
    terminal.ready()
    terminal.child.send("break fastpath_r" + TAB)
    terminal.shown("eply_wait")
    assert "1: break fastpath_reply_wait" in terminal.ask("")
    terminal.child.send("break cons" + TAB)
    terminal.shown("ole:")
    terminal.child.send("uart_sta" + TAB)
    terminal.shown("rt")
    assert "2: break console:uart_start" in terminal.ask("")
    terminal.child.send("print $efl" + TAB)
    terminal.shown("ags")


def test_lines_are_remembered_from_one_session_to_the_next(start, spin):
    first = start(spin)
    first.ask("print 6 * 7")
    first.child.send(END_OF_INPUT)
    assert first.end() == 0
    second = start(spin)
    second.child.send(UP)
    second.shown("print 6 * 7")
    assert "0x2a = 42" in second.ask("")


def test_ctrl_c_stops_the_guest_and_returns_to_the_prompt(start, spin):
    terminal = start(spin)
    terminal.child.send("continue\r")
    terminal.child.expect_exact(HAS)
    terminal.child.expect_exact("\r\n")  # the guest's own line: it runs
    terminal.child.sendintr()
    said = terminal.ready()
    assert "interrupted" in said
    assert "jmp" in said
    assert f"{small_kernels.ENTRY:#x}" not in terminal.ask("stepi")


def test_ctrl_c_at_the_prompt_clears_the_line_and_a_second_one_ends(start, spin):
    terminal = start(spin)
    terminal.child.send("nonsense")
    terminal.shown("nonsense")
    terminal.child.sendintr()
    assert "Ctrl-C again ends the session" in terminal.ready()
    terminal.child.sendintr()
    assert terminal.end() == 130


def test_the_end_of_input_ends_the_session(start, spin):
    terminal = start(spin)
    terminal.child.send(END_OF_INPUT)
    assert terminal.end() == 0


def test_a_refused_command_leaves_the_session_as_it_was(start, spin):
    terminal = start(spin)
    assert "there is no command braek; did you mean break or tbreak?" in terminal.ask("braek main")
    assert "0x2 = 2" in terminal.ask("print 1 + 1")


def test_a_script_comes_first_and_the_terminal_then(start, spin, tmp_path):
    script = tmp_path / "script"
    script.write_text("print 40 + 2\n")
    terminal = start(spin, "-x", script)
    assert "0x2 = 2" in terminal.ask("print 1 + 1")
