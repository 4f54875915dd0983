# SPDX-License-Identifier: GPL-2.0-or-later
"""One function's instructions by address, under their source lines, with what they spent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import capstone

from ringscope.bootimage import ImageError, elf
from ringscope.emulator.attribution.costs import total
from ringscope.emulator.attribution.summary import CYCLES
from ringscope.emulator.trace.threads import label
from ringscope.tools.report_grid import Column, Grid, bar, share
from ringscope.tools.report_table import COUNTS, events

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.text import Text

    from ringscope.emulator.attribution.costs import Cost, Place
    from ringscope.emulator.attribution.names import Function
    from ringscope.emulator.attribution.recording import Recording
    from ringscope.emulator.attribution.summary import Summary
    from ringscope.emulator.debug.source_lines import Place as Line

LONGEST = 15  # bytes of an instruction
SHOWN = ("instructions", "L1 misses", "LLC misses", "walks", "br. misses")


class AnnotatedCode:
    """A function of a recording: every instruction of it that was executed, or charged."""

    def __init__(self, kept: Recording, summary: Summary, function: Function) -> None:
        """Collect them."""
        self._head, self._names, self._function = kept.head, summary.names, function
        own: dict[int, tuple[Place, list[Cost]]] = {}
        for number, cost in kept.attribution.costs.items():
            place = kept.attribution.places[number]
            if summary.names.of(place) == function:
                at = summary.names.linked(place.space, place.address, user=place.user)
                own.setdefault(at, (place, []))[1].append(cost)
        self._code = {
            at: (summary.names.line(place), total(costs)) for at, (place, costs) in sorted(own.items())
        }
        self._whole = total(cost for _, cost in self._code.values())
        data = kept.kernel if not function.user else None
        for name, content in kept.modules if function.user else ():
            if label(name) == function.program:
                data = content
        self._file = _parsed(data)
        self._disassembler = _disassembler(kept.head.arch, self._file)

    def _instruction(self, address: int) -> str:
        """Return the instruction there, nothing where no file has it."""
        for segment in self._file.segments if self._file is not None else ():
            offset = address - segment.vaddr
            if 0 <= offset < len(segment.data):
                code = segment.data[offset : offset + LONGEST]
                for _, _, mnemonic, operands in self._disassembler.disasm_lite(code, address, 1):
                    return f"{mnemonic} {operands}".rstrip()
        return ""

    def lines(self, width: int) -> Iterator[Text | str]:
        """Yield what is printed on a console of that width."""
        function, whole = self._function, self._whole[CYCLES]
        cycles = sum(ring[CYCLES] for ring in self._head.totals)
        yield (
            f"{function.name} of {function.program}, {function.ring} mode: {whole:,} cycles, "
            f"{share(whole, cycles)} of {cycles:,}"
        )
        yield ""
        counts = {}
        for heading in SHOWN:
            words = [
                self._head.columns.index(one) for one in COUNTS[heading][0] if one in self._head.counters
            ]
            if words:
                counts[heading] = words
        columns = [Column("cycles"), Column("share"), Column("", figures=False)]
        columns += [Column("executed" if heading == SHOWN[0] else heading) for heading in counts]
        grid = Grid("", [*columns, Column("address"), Column("", figures=False)])
        before: Line | None = None
        for address, (line, cost) in self._code.items():
            if line != before and line is not None:
                text = self._names.lines.text(line)
                grid.add(
                    *("",) * (len(columns) + 1), f"{line}" + ("" if text is None else f"  {text.strip()}")
                )
            before = line
            value = cost[CYCLES]
            figures = (f"{number:,}" if number else "" for number in _sums(cost, counts))
            grid.add(
                f"{value:,}", share(value, whole), bar(value, whole), *figures, f"{address:x}",
                f"    {self._instruction(address)}",
            )  # fmt: skip
        figures = (f"{number:,}" for number in _sums(self._whole, counts))
        grid.add(f"{whole:,}", share(whole, whole), bar(whole, whole), *figures, "", "all of it")
        yield from [*grid.lines(width)][1:]

    def document(self) -> dict[str, object]:
        """Return the same for JSON, with every event."""
        return {
            "function": self._function.name,
            "program": self._function.program,
            "ring": self._function.ring,
            "total": events(self._head, self._whole),
            "instructions": [
                {
                    "address": address,
                    "instruction": self._instruction(address),
                    "file": None if line is None else line.file,
                    "line": None if line is None else line.line,
                    **events(self._head, cost),
                }
                for address, (line, cost) in self._code.items()
            ],
        }


def _sums(cost: Cost, counts: dict[str, list[int]]) -> list[int]:
    return [sum(cost[word] for word in words) for words in counts.values()]


def _parsed(data: bytes | None) -> elf.ElfFile | None:
    try:
        return None if data is None else elf.parse(data, "")
    except ImageError:
        return None


def _disassembler(arch: str, file: elf.ElfFile | None) -> capstone.Cs:
    if arch == "aarch64":
        return capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM)
    wide = file is None or file.bits == 64
    return capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64 if wide else capstone.CS_MODE_32)
