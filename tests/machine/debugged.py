# SPDX-License-Identifier: GPL-2.0-or-later
"""Debugging sessions as a program has them: commands through a pipe, answers as objects."""

from __future__ import annotations

import json

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
