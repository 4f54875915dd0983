# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands that show the state of the project's own microkernel: its threads, the messages on their way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ringscope.emulator.debug.programs import label
from ringscope.tools.debug.commands import LIVE
from ringscope.tools.debug.reply import CommandError, Reply, hexadecimal, lines
from ringscope.tools.debug.running import nothing

if TYPE_CHECKING:
    from ringscope.emulator.debug.our_kernel import Message, OurKernel, Thread
    from ringscope.tools.debug.live_session import LiveSession

GROUP: Final = "the kernel"


def _ours(session: LiveSession) -> OurKernel:
    if session.live.ours is None:
        raise CommandError("this kernel is not known: threads and messages are shown of the bundled one")
    return session.live.ours


def _names(session: LiveSession, threads: list[Thread]) -> dict[int, str]:
    """Return what each thread is called: after its program, and with a number from the second on."""
    found: dict[int, str] = {}
    seen: dict[str, int] = {}
    for thread in threads:
        session.live.spaces.learn(thread.space, thread.registers[session.live.mode.program_counter])
        program = session.live.spaces.program.get(thread.space)
        name = label(program) if program is not None else f"space {thread.space:#x}"
        seen[name] = seen.get(name, 0) + 1
        found[thread.address] = name if seen[name] == 1 else f"{name}.{seen[name]}"
    return found


@LIVE.command("threads", "t", group=GROUP)
def threads(session: LiveSession, words: str) -> Reply:
    """Show the kernel's threads: state, priority, whom each waits for, where it left user mode."""
    nothing(words)
    ours, live = _ours(session), session.live
    found = ours.threads()
    names = _names(session, found)
    rows, data = [], []
    for thread in found:
        pc = thread.registers[live.mode.program_counter]
        if thread.address == ours.current and live.user:
            pc = live.pc
        program = live.spaces.program.get(thread.space)
        place = live.programs.describe(pc, program, user=True)
        waits = _waits(thread, names)
        star = "*" if thread.address == ours.current else " "
        state = f"{thread.state:<14} priority {thread.priority:<3}"
        rows.append(f"{star} {names[thread.address]:<12} {state} {waits:<24} {place or hexadecimal(pc)}")
        data.append(
            {
                "name": names[thread.address],
                "address": hexadecimal(thread.address),
                "current": thread.address == ours.current,
                "state": thread.state,
                "priority": thread.priority,
                "space": hexadecimal(thread.space),
                "port": hexadecimal(thread.port) if thread.port else None,
                "waits_for": names.get(thread.peer),
                "owes_reply_to": names.get(thread.caller),
                "fault": thread.fault or None,
                "pc": hexadecimal(pc),
                "place": place,
            }
        )
    return Reply({"threads": data}, lines(rows or ["there are no threads yet"]))


def _waits(thread: Thread, names: dict[int, str]) -> str:
    parts = [f"for {names[thread.peer]}"] if thread.peer in names else []
    parts += [f"port {thread.port & 0xFFFFFFFF:#x}"] if thread.port else []
    parts += [f"owes {names[thread.caller]}"] if thread.caller in names else []
    parts += [f"({thread.fault})"] if thread.fault else []
    return ", ".join(parts)


@LIVE.command("messages", "m", "message", group=GROUP)
def messages(session: LiveSession, words: str) -> Reply:
    """Show the messages on their way: in registers on the fast path, or waiting with their senders."""
    nothing(words)
    ours, live = _ours(session), session.live
    found = ours.threads()
    names = _names(session, found)
    rows, data = [], []
    held = None if live.user else ours.message_in_registers(live.pc, live.variable)
    if held is not None:
        who = names.get(ours.current, "?")
        verb = "to" if held.arrives else "from"
        rows.append(f"in the registers, at {held.function}: {verb} {who}, {_message(held.message)}")
        data.append({"in": "registers", "at": held.function, verb: who, **_message_data(held.message)})
    for thread in found:
        if thread.message is not None:
            name = names[thread.address]
            rows.append(f"{name} is {thread.state} to port {thread.port:#x}: {_message(thread.message)}")
            data.append(
                {"in": "thread", "from": name, "state": thread.state, **_message_data(thread.message)}
            )
    return Reply({"messages": data}, lines(rows or ["no message is on its way"]))


def _message(message: Message) -> str:
    words = " ".join("?" if word is None else hexadecimal(word) for word in message.words)
    tag = "?" if message.tag is None else hexadecimal(message.tag)
    return f"badge {message.badge:#x}, tag {tag}, words {words}"


def _message_data(message: Message) -> dict[str, object]:
    return {
        "badge": hexadecimal(message.badge),
        "tag": None if message.tag is None else hexadecimal(message.tag),
        "words": [None if word is None else hexadecimal(word) for word in message.words],
    }
