# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the process begins: what becomes of what no command expected."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys

import pytest

from ringscope.emulator.machine import EXIT_STATUS
from ringscope.tools import command_line, endings, host_signals, main, session


@pytest.fixture
def failing(monkeypatch):
    """A function that makes the next run fail with an error."""

    def fail(error):
        def run(_):
            raise error

        monkeypatch.setattr(session, "run", run)

    return fail


def test_ctrl_c_outside_a_run_is_130_without_a_traceback(failing, capfd):
    failing(KeyboardInterrupt())
    assert main.main(["boot", "image"]) == 130
    assert capfd.readouterr() == ("", "")


def test_a_bug_is_125_and_asks_to_be_reported(failing, capfd, monkeypatch):
    monkeypatch.delenv("RINGSCOPE_DEBUG", raising=False)
    failing(RuntimeError("two and two make five"))
    assert main.main(["boot", "image"]) == 125
    err = capfd.readouterr().err
    assert err.startswith("ringscope: internal error: RuntimeError: two and two make five; this is a bug")
    assert "please report it" in err
    assert err.count("\n") == 1


def test_a_bug_shows_its_traceback_where_that_is_asked_for(failing, capfd, monkeypatch):
    monkeypatch.setenv("RINGSCOPE_DEBUG", "1")
    failing(RuntimeError("two and two make five"))
    assert main.main(["boot", "image"]) == 125
    assert "Traceback (most recent call last)" in capfd.readouterr().err


@pytest.mark.parametrize(
    "error", [OSError(12, "Cannot allocate memory"), MemoryError()], ids=["host", "Python"]
)
def test_too_little_memory_on_the_host_is_no_bug(error, failing, capfd, monkeypatch):
    monkeypatch.setattr(command_line, "_give_up_stdout", lambda: None)  # this process goes on printing
    failing(error)
    assert main.main(["boot", "image"]) == 2
    assert "too little memory" in capfd.readouterr().err


@pytest.mark.parametrize("command", command_line.COMMANDS)
def test_every_command_answers_for_its_own_help(command, capsys):
    with pytest.raises(SystemExit) as ended:
        command_line.parse([command, "--help"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: ringscope {command} ")


def test_the_help_of_all_names_every_command(capfd):
    assert main.main(["--help"]) == 0
    said = capfd.readouterr().out
    assert set(command_line.COMMANDS) <= set(re.findall(r"^ {4}(\w+)  ", said, re.MULTILINE))


def test_a_run_imports_no_other_command_and_no_debugger():
    """What is imported is waited for, at every start."""
    program = (
        "import sys; from ringscope.tools.command_line import parse; parse(['boot', 'image']); "
        "print(*(name for name in sys.modules if name.startswith(('ringscope', 'elftools', 'keystone'))))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    imported = set(done.stdout.split())
    assert "ringscope.tools.session" in imported
    assert not imported & {"elftools", "keystone", "ringscope.emulator.debug.gdb.server"}
    assert not imported & (set(command_line.COMMANDS.values()) - {"ringscope.tools.boot"})


@pytest.mark.parametrize(("module", "name"), command_line.REFUSALS)
def test_what_is_refused_is_said_in_the_errors_own_words(module, name, failing, capfd):
    error = getattr(importlib.import_module(module), name)
    failing(error("it cannot be done"))
    assert main.main(["boot", "image"]) == 2
    assert capfd.readouterr() == ("", "ringscope: it cannot be done\n")


def test_the_version_is_that_of_the_package_and_its_engine(capfd):
    assert main.main(["--version"]) == 0
    assert re.fullmatch(r"ringscope [\w. ()]+, on unicorn 2\.\S+\n", capfd.readouterr().out)


def test_help_has_every_exit_status_that_ends_a_run(capfd):
    assert main.main(["--help"]) == 0
    said = capfd.readouterr().out
    signals = {host_signals.STATUS_BASE + number for number in host_signals.ENDING}
    statuses = {command_line.BAD_INPUT, endings.NOBODY_READS, *EXIT_STATUS.values(), *signals}
    for status in statuses:
        assert re.search(rf"^  {status:<7}\S", said, re.MULTILINE), status
