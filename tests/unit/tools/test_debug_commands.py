# SPDX-License-Identifier: GPL-2.0-or-later
"""A session's lines: which command a word means, what may stand after it, what an empty line does."""

from __future__ import annotations

import json

import pytest
from prompt_toolkit.document import Document

from ringscope.tools.debug import conversation
from ringscope.tools.debug.commands import LIVE, REGISTERS, SYMBOLS, Commands
from ringscope.tools.debug.help import Leave
from ringscope.tools.debug.recorded_session import RecordedCommands
from ringscope.tools.debug.reply import CommandError, JsonPrinter, Reply, TextPrinter, say
from ringscope.tools.debug.shell import CommandCompleter, Shell

assert conversation.GROUPS  # it imports every group of commands


class Kept:
    """A printer that keeps what it is given."""

    def __init__(self):
        self.replies, self.refusals = [], []

    def reply(self, command, reply):
        self.replies.append((command, reply.data))

    def refuse(self, command, sentence):
        self.refusals.append((command, sentence))

    def finish(self):
        pass


class Session:
    """A session with three commands."""

    def __init__(self):
        self.printer, self.commands, self.done = Kept(), Commands(), []
        self.commands.command("step", "s", usage="[N]", group="one", repeats=True)(self._do)
        self.commands.command("print", "p", group="two", completes=SYMBOLS, words=("all",))(self._do)
        self.commands.command("quit", group="two")(self._leave)

    def _do(self, _, words):
        """Keep the words."""
        if words == "wrong":
            raise CommandError("that is wrong")
        self.done.append(words)
        return say("done")

    def _leave(self, _, __):
        """End."""
        raise Leave

    def completions(self, kind, begin):
        names = {SYMBOLS: ["main", "map", "panic"], REGISTERS: ["rax", "rbx"]}[kind]
        return [name for name in names if name.startswith(begin)]


@pytest.fixture
def session():
    return Session()


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("continue", "continue"),
        ("c", "continue"),
        ("si", "stepi"),
        ("bt", "backtrace"),
        ("backt", "backtrace"),
        ("disas", "disassemble"),
        ("b", "break"),
        ("q", "quit"),
        ("?", "help"),
    ],
)
def test_a_word_means_a_command_by_name_alias_or_beginning(word, name):
    assert LIVE.find(word).name == name


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("contnue", "there is no command contnue; did you mean continue, counters or reverse-continue?"),
        ("wa", "wa begins watch or walk; write more of it"),
        ("xyzzy", "there is no command xyzzy; 'help' lists the commands"),
    ],
)
def test_a_word_that_means_none_is_answered_with_the_ones_that_are_near(word, sentence):
    with pytest.raises(CommandError) as refusal:
        LIVE.find(word)
    assert str(refusal.value) == sentence


def test_no_two_commands_share_a_name():
    names = [name for each in LIVE.all.values() for name in (each.name, *each.aliases)]
    assert len(names) == len(set(names))


def test_every_command_says_in_one_sentence_what_it_does():
    for command in LIVE.all.values():
        assert command.about
        assert command.about[0].isupper()


def test_what_a_recording_has_not_is_said_to_need_a_machine():
    with pytest.raises(CommandError, match="walk needs a live machine"):
        RecordedCommands().find("walk")
    with pytest.raises(CommandError, match="there is no command xyzzy"):
        RecordedCommands().find("xyzzy")


def test_an_empty_line_repeats_a_step_and_nothing_else(session):
    shell = Shell(session)
    for line in ("step 3", "", "print x", ""):
        shell.carry_out(line)
    assert session.done == ["3", "3", "x"]


def test_a_slash_after_a_command_begins_its_arguments(session):
    Shell(session).carry_out("print/4xg main")
    assert session.done == ["/4xg main"]


def test_info_before_a_command_changes_nothing(session):
    Shell(session).carry_out("info print main")
    assert session.done == ["main"]


def test_comments_and_empty_lines_of_a_script_do_nothing(session):
    Shell(session).script(["# a comment", "", "  ", "step"], stop_at_refusal=True)
    assert session.done == [""]


def test_a_script_ends_at_what_is_refused_and_a_pipe_goes_on(session):
    lines = ["print wrong", "step"]
    with pytest.raises(Leave):
        Shell(session).script(lines, stop_at_refusal=True)
    assert session.done == []
    shell = Shell(session)
    shell.script(lines, stop_at_refusal=False)
    assert session.done == [""]
    assert shell.refused
    assert session.printer.refusals == [("print wrong", "that is wrong")] * 2


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("", ["print", "quit", "step"]),
        ("st", ["step"]),
        ("print ma", ["main", "map"]),
        ("print *ma", ["main", "map"]),
        ("print a", ["all"]),
        ("print $r", ["$rax", "$rbx"]),
        ("print 1 + pa", ["panic"]),
        ("step m", []),
        ("nonsense m", []),
    ],
)
def test_what_may_stand_at_the_cursor_is_offered(session, typed, offered):
    completer = CommandCompleter(session)
    assert [each.text for each in completer.get_completions(Document(typed), None)] == offered


def test_json_is_one_object_a_line_with_what_the_guest_said_before(capsys):
    printer = JsonPrinter()
    printer.guest(b"hello\n")
    printer.finish()
    printer.reply("where", Reply({"pc": "0x10"}))
    printer.refuse("foo", "no such thing")
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert said == [
        {"console": "hello\n"},
        {"command": "where", "pc": "0x10"},
        {"command": "foo", "error": "no such thing"},
    ]


def test_text_begins_a_line_where_the_guest_has_not_ended_its_own(capfdbinary):
    printer = TextPrinter()
    printer.guest(b"half a line")
    printer.finish()
    printer.reply("where", say("here"))
    assert capfdbinary.readouterr().out == b"half a line\nhere\n"
