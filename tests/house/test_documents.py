# SPDX-License-Identifier: GPL-2.0-or-later
"""The documents say what is there: commands that parse, targets and files that exist."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from itertools import takewhile

import pytest

from ringscope.tools import command_line

DOCUMENTS = (
    "README.md",
    "HACKING.md",
    "ARCHITECTURE.md",
    "LIMITS.md",
    "kernel/abi/SPEC.md",
    "emulator/API.md",
)
BLOCK = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
SHELL_OPERATORS = {"|", "||", "&", "&&", ";", "<", ">", ">>", "#"}
TARGET = re.compile(r"^\.PHONY: (.*)$", re.MULTILINE)
PATH = re.compile(r"^(?:kernel|servers|emulator|bootimage|tools|tests|\.ci)/[\w./-]+$")


def _words(line):
    """Split a shell line into words, up to the first operator."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split = True
    lexer.commenters = ""
    return list(takewhile(lambda word: word not in SHELL_OPERATORS, lexer))


def commands(text, program):
    """Return the arguments of every ``program`` line in a document's code blocks and inline code."""
    lines = [line.strip() for block in BLOCK.findall(text) for line in block.splitlines()]
    lines += [line.strip() for line in INLINE.findall(BLOCK.sub("", text)) if "..." not in line]
    lines = [line.removeprefix("$ ").removeprefix(".venv/bin/") for line in lines]
    return [words[1:] for line in lines if line.startswith(f"{program} ") and (words := _words(line))]


def transcripts(text):
    """Return each ``$ ringscope`` command of a document with the lines that it is said to print."""
    parts = [
        part for block in BLOCK.findall(text) for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    ]
    commands_and_outputs = [part.removeprefix(".venv/bin/").partition("\n") for part in parts]
    return [
        (_words(command)[1:], shown.splitlines())
        for command, _, shown in commands_and_outputs
        if command.startswith("ringscope ") and shown
    ]


def _read(root, document):
    return (root / document).read_text("utf-8")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_of_a_document_is_understood(root, document):
    for arguments in commands(_read(root, document), "ringscope"):
        assert command_line.parse(arguments).func, arguments


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_make_target_of_a_document_exists(root, document):
    targets = TARGET.search(_read(root, "Makefile"))[1].split()
    named = [words for words in commands(_read(root, document), "make") if words]
    wanted = {word for words in named for word in words if "=" not in word and not word.startswith("-")}
    assert wanted <= set(targets)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_that_a_document_names_exists(root, document):
    named = [name for name in INLINE.findall(_read(root, document)) if PATH.match(name)]
    assert not [name for name in named if not (root / name).exists()]


def test_the_first_screen_of_the_readme_boots_and_tests(root):
    screen = "\n".join(_read(root, "README.md").splitlines()[:40])
    assert {("run",), ("test",)} <= {tuple(words) for words in commands(screen, "make")}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_transcript_is_what_the_command_prints(root, document):
    """A line of dots stands for lines left out."""
    for command, shown in transcripts(_read(root, document)):
        whole = [sys.executable, "-m", "ringscope.tools.main", *command]
        done = subprocess.run(
            whole, cwd=root, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
        )
        printed = "".join(f"{line.rstrip()}\n" for line in done.stdout.splitlines())
        wanted = ["(?:.*\n)*" if line == "..." else re.escape(line.rstrip()) + "\n" for line in shown]
        assert re.match("".join(wanted), printed), printed


def test_commands_are_found_in_blocks_and_in_prose():
    text = "Say `ringscope image inspect FILE`:\n```\n$ ringscope boot -m 64M < keys | less\nringscope\n```\n"
    assert commands(text, "ringscope") == [["boot", "-m", "64M"], ["image", "inspect", "FILE"]]
