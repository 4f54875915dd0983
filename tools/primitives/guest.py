# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest made of pieces, each of which carries out operations between marks, and the run that measures."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from ringscope.emulator.books import INTERRUPT
from ringscope.emulator.machine import Machine, MachineConfig
from ringscope.tools.primitives.assembler import assemble

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ringscope.bootimage import LoadedImage
    from ringscope.bootimage.arm64 import LoadedArm64
    from ringscope.emulator.books import Books

MIB, PAGE = 1 << 20, 4096
LIMIT = 1 << 36  # cycles; no guest comes near


class Address(int):
    """A number whose halves of 16 bits have names."""

    @property
    def low(self) -> int:
        """Bits 15 to 0."""
        return self & 0xFFFF

    @property
    def high(self) -> int:
        """Bits 31 to 16."""
        return self >> 16 & 0xFFFF


@dataclass(frozen=True)
class Piece:
    """Code of the kernel's ring, and code of the user's ring that it enters.

    ``operations`` are the names of what is marked: in the source, ``{0}`` stands for the first one's number.
    ``{user}`` is the address of the user's code, ``{back}`` the one behind the piece, ``{pages}`` where to
    enter the chain of Chains: at a page that lies, in every TLB, one set behind the piece's own. ``handlers``
    are further code of the kernel's, by address.
    """

    operations: tuple[str, ...]
    kernel: str
    user: str = ""
    handlers: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Measured:
    """What an operation cost: how often it was carried out, and the books of all of it."""

    count: int
    books: Books

    def cause(self, name: str) -> float:
        """Return cycles of a cause, per operation."""
        return self.books.causes()[name] / self.count

    def counter(self, name: str) -> float:
        """Return a counter, per operation."""
        return self.books.total(name) / self.count


@dataclass(frozen=True)
class Chains:
    """A chain from page to page of the window: each page's word is the address of the next one's.

    The words lie in ever other lines, so that the pages' places in a cache differ. It is entered 64 to 127
    pages from its begin, where the entries of the tables lie in other sets of a cache than those above them.
    """

    window: int  # virtual address of the first page
    pool: int  # physical one
    line: int  # bytes

    PAGES = 4096 + 128  # in the window

    def writes(self) -> dict[int, bytes]:
        """Return what is to be in memory, by physical address."""
        offsets = [page * self.line % PAGE for page in range(self.PAGES)]
        return {
            self.pool + page * PAGE + offset: (self.window + (page + 1) * PAGE + following).to_bytes(
                8, "little"
            )
            for page, (offset, following) in enumerate(zip(offsets, [*offsets[1:], 0], strict=True))
        }


class Layout(Protocol):
    """The memory around the pieces of one architecture.

    ``code``, ``user_code`` and ``pages`` are where they begin. ``begin`` comes before the first piece,
    ``finish`` behind the last, and ends the run.
    """

    arch: str
    bits: int
    code: int
    user_code: int
    pages: int
    begin: str
    finish: str

    def image(self, code: Mapping[int, bytes], line: int) -> LoadedImage | LoadedArm64:
        """Return what is to be loaded: the code and all that it needs; ``line`` is a cache's, in bytes."""


class Benchmarks(Layout, Protocol):
    """One architecture's pieces.

    From ``region`` on, to the end of RAM, which begins at ``ram``, loads are chained through the caches.
    ``levels`` is how many entries a walk reads.
    """

    region: int
    ram: int
    levels: int

    def primitives(self) -> Iterator[Piece]:
        """Yield a piece for each event of fixed price; an operation has the name of its price."""

    def walks(self) -> Piece:
        """Return a piece whose every load walks, and finds what it reads in L1D."""

    def branches(self, count: int) -> Piece:
        """Return a piece with ``count`` branches that depend on random bits."""

    def chain(self, operation: str, start: int, stride: int, loads: int) -> Piece:
        """Return a piece that chains ``loads`` lines of the region, and follows them."""

    def far_walk(self, operation: str, start: int, loads: int) -> Piece:
        """Return a piece whose load walks after a chain has pushed what it reads out of inner levels."""

    def reach(self, operation: str, pages: int) -> Piece:
        """Return a piece that follows the chain through so many pages of the window."""


@dataclass
class Guest:
    """Pieces placed one behind the other."""

    layout: Layout
    line: int
    numbers: dict[str, int] = field(default_factory=dict)
    code: dict[int, bytes] = field(default_factory=dict)

    def build(self, pieces: Sequence[Piece]) -> None:
        """Place the pieces."""
        at = self._add(self.layout.code, self.layout.begin)
        user = self.layout.user_code
        for piece in pieces:
            first = len(self.numbers)
            self.numbers |= {name: first + i for i, name in enumerate(piece.operations)}
            numbers = [self.numbers[name] for name in piece.operations]
            at, user = self._place(piece, numbers, at, user)
        self._add(at, self.layout.finish)

    def _add(self, at: int, source: str) -> int:
        if source:
            self.code[at] = assemble(self.layout.arch, source, at, self.layout.bits)
            at += len(self.code[at])
        return at

    def _place(self, piece: Piece, numbers: Sequence[int], at: int, user: int) -> tuple[int, int]:
        """Place a piece on one page; return where the next one and its user's code may begin."""
        size = len(self._kernel(piece, numbers, at, user, at))
        if at % PAGE + size > PAGE:
            nops = -at % PAGE // len(assemble(self.layout.arch, "nop", at, self.layout.bits))
            at = self._add(at, ";".join(["nop"] * nops))
        self.code[at] = self._kernel(piece, numbers, at, user, at + size)
        for address, source in piece.handlers.items():
            self._add(address, source.format(*numbers))
        return at + size, self._add(user, piece.user.format(*numbers))

    def _kernel(self, piece: Piece, numbers: Sequence[int], at: int, user: int, back: int) -> bytes:
        first = 64 + (at // PAGE + 1) % 64
        pages = self.layout.pages + first * PAGE + first * self.line % PAGE
        source = piece.kernel.format(*numbers, user=Address(user), back=back, pages=Address(pages))
        return assemble(self.layout.arch, source, at, self.layout.bits)

    def run(self, cpu: str, ram_bytes: int) -> dict[str, Measured]:
        """Run on a machine with that processor; return every operation, and INTERRUPT if any came."""
        output = bytearray()
        config = MachineConfig(ram_bytes, cpu, serial=False, arch=self.layout.arch)
        machine = Machine(config, output.extend)
        try:
            machine.load(self.layout.image(self.code, self.line))
            end = machine.run(LIMIT)
            if end.reason != "guest" or end.status != 0:
                raise RuntimeError(
                    f"the microbenchmarks ended with {end.reason}, status {end.status} {end.detail}"
                )
            entries = {entry.name: entry for entry in machine.ledger()}
        finally:
            machine.engine.close()
        marked = {name: f"mark-{number}" for name, number in self.numbers.items()}
        if INTERRUPT in entries:
            marked[INTERRUPT] = INTERRUPT
        return {name: Measured(entries[mark].count, entries[mark].books) for name, mark in marked.items()}
