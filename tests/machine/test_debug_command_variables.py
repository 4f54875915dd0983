# SPDX-License-Identifier: GPL-2.0-or-later
"""``ringscope debug`` shows arguments and local variables, and a message wherever the compiler keeps it."""

from __future__ import annotations

import pytest

from tests.guest.catalogue import build_foreign
from tests.machine import small_kernels
from tests.machine.debugged import ARCHITECTURES, answer, answers, session

#: The client's ping of this round, as servers/client/main.c sends it.
ROUND = 76
WORDS = [ROUND, ROUND ^ (1 << 64) - 1, 3, 4]
STEPS = 66  # instructions of the fast path, on either processor more than half of them


@pytest.fixture(scope="module", params=ARCHITECTURES)
def arch(request):
    return request.param


@pytest.fixture(scope="module")
def followed(arch):
    """A ping of the client on the kernel's fast path, from instruction to instruction."""
    commands = [f"break fastpath_call if w0 == {ROUND}", "continue", "locals", "print w3 + $slot"]
    for _ in range(STEPS):
        commands += ["stepi", "messages", "info locals"]
    return session(*commands, arch=arch)


def by_name(reply, function="fastpath_call"):
    return {each["name"]: each for each in reply["variables"] if each["function"] == function}


def test_a_command_shows_the_arguments_that_the_client_gave(followed):
    here = by_name(answer(followed, "locals"))
    assert [here[f"w{n}"]["bytes"] for n in range(4)] == [word.to_bytes(8, "little").hex() for word in WORDS]
    assert here["w0"]["value"] == "76 (0x4c)"
    assert here["tag"] == {**here["tag"], "type": "uint64_t", "argument": True}
    assert here["handle"] == {**here["handle"], "type": "const struct handle *", "value": None}
    slot = int.from_bytes(bytes.fromhex(here["slot"]["bytes"]), "little")
    assert answer(followed, "print w3 + $slot")["value"] == WORDS[3] + slot


def test_a_command_shows_an_argument_as_it_is_or_not_at_all_in_every_instruction(followed):
    seen = {
        each["bytes"]
        for reply in answers(followed, "info locals")
        if "variables" in reply
        for name, each in by_name(reply).items()
        if name == "w0"
    }
    assert seen <= {ROUND.to_bytes(8, "little").hex(), None}
    assert ROUND.to_bytes(8, "little").hex() in seen


def test_a_command_follows_a_message_through_the_registers_to_whom_it_goes(followed):
    told = [
        each
        for reply in answers(followed, "messages")
        for each in reply["messages"]
        if each["in"] == "registers"
    ]
    assert len(told) > STEPS // 2
    for each in told:
        assert all(word in (None, hex(there)) for word, there in zip(each["words"], WORDS, strict=True))
    ways = ["from client" if each.get("from") == "client" else f"to {each.get('to')}" for each in told]
    assert ways == sorted(ways)  # from the client at first, and to the server from some instruction on
    assert set(ways) == {"from client", "to echo"}


def test_a_command_shows_variables_of_the_code_that_entered_the_kernel(arch):
    """Registers that calls lose are not believed there."""
    said = session("break fastpath_call if w0 == 76", "continue", "backtrace", "locals 1", arch=arch)
    frame = answer(said, "backtrace")["frames"][1]
    assert (frame["ring"], frame["program"]) == ("user", "client.elf")
    here = answer(said, "locals 1")["variables"]
    (good,) = [each for each in here if (each["function"], each["name"]) == ("ping_pong", "round")][-1:]
    assert good["value"] in (f"{ROUND} ({ROUND:#x})", None)
    assert {each["function"] for each in here} >= {"ping_pong", "ping"}


def test_the_command_waits_for_the_frame_of_a_function_of_32_bits():
    """The caller pushed the argument: it lies above the return address, and is found behind the prologue."""
    said = session(
        *("run-to system_call", "locals", "print u32($esp + 4)", "step", "stepi", "info locals"),
        kernel=build_foreign("pae_tasks"),
    )
    pushed = answer(said, "print u32($esp + 4)")["hex"]
    assert by_name(answer(said, "locals"), "system_call")["regs"]["value"] is None
    argument = by_name(answer(said, "info locals"), "system_call")["regs"]
    assert (argument["type"], argument["value"].partition(" ")[0]) == ("struct regs *", pushed)


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("locals here", "'here' is no number of a frame; 'backtrace' shows them"),
        ("locals 7", "there is no frame 7; 'backtrace' shows which there are"),
        ("locals", "no variables are known of this place"),
    ],
)
def test_a_command_that_finds_no_variables_is_refused_in_one_sentence(tmp_path, command, sentence):
    said = session(command, kernel=small_kernels.write("spin", tmp_path))
    assert answers(said, command)[0]["error"] == sentence
