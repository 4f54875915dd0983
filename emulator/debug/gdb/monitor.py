# SPDX-License-Identifier: GPL-2.0-or-later
"""``monitor`` commands: what gdb has no words for. Each answers with lines of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringscope.emulator.debug import inspection, page_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ringscope.emulator.books import Entry
    from ringscope.emulator.debug.control import Control
    from ringscope.emulator.debug.gdb.processes import Processes

USAGE = {
    "help": "this list",
    "counters": "every counter since power-on: its name, all of it, the user's, the kernel's",
    "cycles": "simulated time, and the cycles by cause",
    "ledger": "the marked operations: how often, and cycles and instructions of each time",
    "spaces": "the processes: their number, their address space's root, their program",
    "walk ADDRESS": "what an address translates to in the process that gdb looks at, and by which entries",
}


class Monitor:
    """Answers commands about a machine; ``space`` is the one looked at, None for that in force."""

    def __init__(self, control: Control, processes: Processes) -> None:
        """``control`` steers the machine."""
        self._control = control
        self._processes = processes
        self._commands: dict[str, Callable[[list[str], int | None], Iterator[str]]] = {
            "help": self._help,
            "counters": self._counters,
            "cycles": self._cycles,
            "ledger": self._ledger,
            "spaces": self._spaces,
            "walk": self._walk,
        }

    def answer(self, line: str, space: int | None) -> str:
        """Return the text that a command prints; a sentence where it is none."""
        verb, *rest = line.split() or ["help"]
        command = self._commands.get(verb)
        if command is None:
            return f"{verb}: no such command; 'monitor help' has the list\n"
        return "".join(f"{text}\n" for text in command(rest, space))

    def _help(self, _: list[str], __: int | None) -> Iterator[str]:
        width = max(map(len, USAGE))
        yield from (f"monitor {name:{width}}  {text}" for name, text in USAGE.items())

    def _counters(self, _: list[str], __: int | None) -> Iterator[str]:
        books = self._control.machine.books()
        for name in self._control.machine.counters.names():
            kernel, user = books.counter(name)
            yield f"{name:24} {kernel + user:>15,} {user:>15,}:u {kernel:>15,}:k"

    def _cycles(self, _: list[str], __: int | None) -> Iterator[str]:
        books = self._control.machine.books()
        worked = books.total("cycles")
        yield f"{'simulated time':24} {self._control.cycle:>15,}"
        yield f"{'worked':24} {worked:>15,}"
        yield f"{'slept':24} {self._control.engine.idle:>15,}"
        yield from (f"  {name:22} {cycles:>15,}" for name, cycles in books.causes().items() if cycles)

    def _ledger(self, _: list[str], __: int | None) -> Iterator[str]:
        entries = self._control.machine.ledger()
        if not entries:
            yield "no marked operation has been carried out"
        for entry in entries:
            yield (
                f"{entry.name:24} {entry.count:>9,} times, each {_each(entry, 'cycles')} cycles, "
                f"{_each(entry, 'instructions')} instructions"
            )

    def _spaces(self, _: list[str], __: int | None) -> Iterator[str]:
        for process in self._processes:
            where = "in force" if process.space is None else f"{process.space:#x}"
            yield f"process {process.pid:<4} {where:>18}  {self._processes.title(process)}"

    def _walk(self, words: list[str], space: int | None) -> Iterator[str]:
        try:
            (word,) = words
            address = int(word, 0)
        except ValueError:
            yield "monitor walk takes one address, as in: monitor walk 0x400000"
            return
        engine = self._control.engine
        address &= (1 << 64) - 1
        found = inspection.walk(engine, address, space)
        for level, told in zip(found.levels, page_tables.tell(engine.arch, found), strict=True):
            yield f"{told.name:6} at {level.paddr:#x}: {level.entry:#018x}  {', '.join(told.flags)}"
        where = "not mapped" if found.paddr is None else f"at physical {found.paddr:#x}"
        yield f"{address:#x} is {where}"


def _each(entry: Entry, counter: str) -> str:
    return f"{entry.books.total(counter) / entry.count:,.1f}"
