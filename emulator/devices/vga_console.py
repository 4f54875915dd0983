# SPDX-License-Identifier: GPL-2.0-or-later
"""The text screen as a stream: what newly appears on it, in order, as a terminal would have shown it.

The screen is looked at when the guest moves the hardware cursor to anywhere but the next cell, at refresh
instants of simulated time (from every 20 us while it changes to every 1 ms while it does not), and at the
end of the run. Each look compares it with the one before: lines that went off the top are matched first
(scrolling), then rows that differ are printed from the top down. A row that grew at its end goes on where it
was; any other change prints the row anew. A look that finds the guest in the middle of scrolling is put off.

A guest that scrolls by more than a screen between two looks loses those lines, as for a person. All of this
depends on the guest alone, so two runs print the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringscope.emulator.devices.state import Stateful
from ringscope.emulator.devices.vga_text import COLUMNS, ROWS, VgaText

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringscope.emulator.devices.interfaces import Clock

FASTEST, SLOWEST = 50_000, 1_000  # looks per second
MOST_PUT_OFF = 50  # looks in a row


class VgaConsole(Stateful):
    """Prints the screen to `output`; `memory` returns a copy of the text memory."""

    __slots__ = (
        "_clock",
        "_interval",
        "_last_memory",
        "_memory",
        "_output",
        "_vga",
        "line_open",
        "open_row",
        "put_off",
        "rows",
    )
    STATE = ("_interval", "_last_memory", "line_open", "open_row", "put_off", "rows")

    def __init__(
        self, clock: Clock, vga: VgaText, memory: Callable[[], bytes], output: Callable[[str], None]
    ) -> None:
        """Start looking at the first refresh instant. What is on the screen now counts as printed."""
        self._clock = clock
        self._vga = vga
        self._memory = memory
        self._output = output
        self._last_memory = memory()
        self.rows = vga.render(self._last_memory)
        self.line_open = False  # the last line printed has not been ended yet
        self.put_off = 0  # looks since the rows were last compared
        self.open_row: int | None = None  # the row that it stands in, while it can grow
        self._interval = clock.hz // FASTEST
        vga.on_cursor = self._cursor_moved
        clock.at(clock.cycle + self._interval, self._refresh)

    def finish(self) -> None:
        """Print what is still new, and end an open line."""
        self.put_off = MOST_PUT_OFF
        self.look()
        self._end_line()

    def look(self) -> bool:
        """Print what has newly appeared; return whether anything changed."""
        memory = self._memory()
        still = memory == self._last_memory
        if still and not self.put_off:
            return False
        self._last_memory = memory
        new = self._vga.render(memory)
        if not still and self.put_off < MOST_PUT_OFF and self._mid_scroll(new):
            self.put_off += 1
            return True
        self.put_off = 0
        if new == self.rows:
            return False
        self._scroll(new)
        for row in range(ROWS):
            if new[row] != self.rows[row]:
                self._print_row(row, new)
        self.rows = new
        return True

    def _cursor_moved(self, before: int, after: int) -> None:
        if after != before + 1:
            self.look()

    def _refresh(self, due: int) -> None:
        hz = self._clock.hz
        self._interval = hz // FASTEST if self.look() else min(2 * self._interval, hz // SLOWEST)
        self._clock.at(due + self._interval, self._refresh)

    def _mid_scroll(self, new: list[str]) -> bool:
        """Say whether the screen looks half scrolled: a row starts as the next one and ends as it did before.

        What it was before now stands in the row above; for the top row it is among the rows of the last look.
        Equal neighbours look the same, which only delays them until the screen rests.
        """
        if new[0] not in self.rows and any(_half_copied(new[0], new[1], before) for before in self.rows):
            return True
        return any(map(_half_copied, new[1:], [*new[2:], ""], new))

    def _scroll(self, new: list[str]) -> None:
        """Move the rows printed so far up by as many as the screen scrolled: what keeps most of them."""
        shift = min(range(ROWS + 1), key=lambda rows: (-self._kept(new, rows), rows))
        if shift == 0 or self._kept(new, shift) <= self._kept(new, 0):
            return
        self.rows = self.rows[shift:] + [""] * shift
        if self.open_row is not None:
            self.open_row = self.open_row - shift if self.open_row >= shift else None

    def _kept(self, new: list[str], shift: int) -> int:
        """Return how many printed rows that are not blank are found `shift` rows higher."""
        return sum(old != "" and new[row - shift] == old for row, old in enumerate(self.rows) if row >= shift)

    def _print_row(self, row: int, new: list[str]) -> None:
        old, text = self.rows[row], new[row]
        if row == self.open_row:
            if text.startswith(old):
                self._output(text[len(old) :])
                return
            self.open_row = None
        if not text or old.startswith(text):
            return
        above = self.open_row
        self._end_line()
        if above is not None:
            self._output("\n" * sum(not new[between] for between in range(above + 1, row)))
        self._output(text)
        self.line_open = True
        self.open_row = row

    def _end_line(self) -> None:
        if self.line_open:
            self._output("\n")
        self.line_open = False
        self.open_row = None


def _half_copied(text: str, source: str, target: str) -> bool:
    """Say whether `text` begins as `source` and goes on as `target`, other than by being blank."""
    if not text:
        return not target and bool(source)
    text, source, target = (row.ljust(COLUMNS) for row in (text, source, target))
    copied = next((column for column in range(COLUMNS) if text[column] != source[column]), COLUMNS)
    return text[copied:] == target[copied:]
