# SPDX-License-Identifier: GPL-2.0-or-later
"""A table whose figures are never cut: only the last column gives way where the terminal is narrow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WHOLE_LINES = 1000  # columns, where nobody says how many there are
BAR = 12  # columns
GAP = "  "
BLOCKS = " ▏▎▍▌▋▊▉"


def bar(part: int, whole: int, width: int = BAR) -> str:
    """Return a bar for a share, to the eighth of a column."""
    eighths = round(8 * width * part / whole) if whole > 0 and part > 0 else 0
    full, rest = divmod(min(eighths, 8 * width), 8)
    return ("█" * full + (BLOCKS[rest] if rest else "")).ljust(width)


def share(part: int, whole: int) -> str:
    """Return a share in percent."""
    return f"{100 * part / whole:.1f}%" if whole else "-"


@dataclass(frozen=True)
class Column:
    """A heading; figures stand at the right of their column."""

    heading: str
    figures: bool = True


class Grid:
    """Rows of text under a title."""

    def __init__(self, title: str, columns: Sequence[Column]) -> None:
        """Have no rows yet."""
        self._title, self._columns = title, columns
        self._rows: list[tuple[str, ...]] = []

    def add(self, *cells: str) -> None:
        """Add a row, with a cell for each column."""
        self._rows.append(cells)

    def lines(self, width: int) -> Iterator[Text]:
        """Yield the lines, of at most ``width`` columns where the figures leave room."""
        yield Text(self._title, style="bold")
        headings = tuple(column.heading for column in self._columns)
        widths = [max(map(len, cells)) for cells in zip(headings, *self._rows, strict=True)]
        for number, row in enumerate((headings, *self._rows)):
            cells = (
                cell.rjust(wide) if column.figures else cell.ljust(wide)
                for cell, wide, column in zip(row, widths, self._columns, strict=True)
            )
            line = Text(GAP.join(cells).rstrip(), style="" if number else "dim")
            line.truncate(width, overflow="ellipsis")
            yield line
