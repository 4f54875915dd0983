# SPDX-License-Identifier: GPL-2.0-or-later
"""The identities of SOSP'95 as snippets, each of which provokes exactly the events that it reckons with.

J. Liedtke, On micro-kernel construction, SOSP 1995. The guest is what an i486 runs: 32-bit code, tables of
two levels. RAM is mapped one to one by pages of 4 KiB, open to ring 3; from ``pages`` on, 4 MiB of it once
more.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringscope.bootimage import LoadedImage
from ringscope.tools.primitives.assembler import assemble
from ringscope.tools.primitives.guest import MIB, PAGE, Guest, Piece

if TYPE_CHECKING:
    from collections.abc import Mapping

SOURCE = "SOSP'95"
RAM_BYTES = 16 * MIB
ENTRY, GDT, IDT, TSS, DIRECTORY = 0x100000, 0x101000, 0x102000, 0x104000, 0x105000
TABLES, WINDOW = 0x106000, 0x10A000  # RAM_BYTES of RAM, and the window
HANDLERS = 0x120000
KERNEL_STACK, USER_STACK = 0x138000, 0x148000  # tops
POOL = 8 * MIB  # what the window shows; and behind that is where nothing was touched before
UNTOUCHED = 12 * MIB
ROUND_TRIP, LEAVE = 0x80, 0x81
KERNEL_CS, KERNEL_SS, USER_CS, USER_SS, TASK = 0x08, 0x10, 0x1B, 0x23, 0x28
RIGHTS = 7  # present, writable, user
TLB_SETS = 8
FAR_LINE = 0x7F0  # of a page: in a set of the cache where no entry of the tables lies
ENTER = (
    f"mov esp, {KERNEL_STACK}; mov ebp, {{back}}; push {USER_SS}; push {USER_STACK}; push 2; push {USER_CS};"
    "push {user}; iretd"
)


@dataclass(frozen=True)
class Identity:
    """One equation: what the ledger must have under some causes, and the snippet for it."""

    text: str
    cycles: int
    causes: tuple[str, ...]
    piece: Piece


def _each_page(label: str, pages: int) -> str:
    """Return code that loads from so many pages, none of them in the TLB set of its own."""
    return (
        f"mov esi, {{pages}}; and esi, -{PAGE}; mov ecx, {pages}; mov ebx, {TLB_SETS - 1};"
        f"{label}: mov eax, [esi + {FAR_LINE}]; add esi, {PAGE}; dec ebx; jne near{label};"
        f"mov ebx, {TLB_SETS - 1}; add esi, {PAGE};"
        f"near{label}: dec ecx; jne {label}"
    )


def _in_order(first: int, lines: tuple[int, ...]) -> str:
    """Return code that loads from so many lines of each of some pages."""
    loads = (
        f"mov eax, [esi + {page * PAGE + 16 * line}]" for page, n in enumerate(lines) for line in range(n)
    )
    return ";".join([f"mov esi, {first}", *loads])


def identities() -> list[Identity]:
    """Return the equations in the order of the paper."""
    behind = I486Layout.pages + 256 * PAGE  # pages that nothing else uses; an entry's line holds four
    switch = f"mov eax, {DIRECTORY}; {{mark}}mov cr3, eax; {_each_page('{label}', 13)}"
    return [
        Identity(
            "71 + 36 = 107",
            107,
            ("trap",),
            Piece(
                ("identity: a system call",),
                ENTER,
                f"begin {{0}}; int {ROUND_TRIP}; end {{0}}; int {LEAVE}",
                {HANDLERS + 0x40 * ROUND_TRIP: "iretd"},
            ),
        ),
        Identity(
            "500 instructions x 1.6 = 800",
            800,
            ("issue",),
            Piece(("identity: instructions",), ";".join(["begin {0}", *["nop"] * 499, "end {0}"])),
        ),
        Identity(
            "270 L1 misses x 3 = 810",
            810,
            ("d-miss",),
            Piece(
                ("identity: cache misses",),
                f"mov esi, {UNTOUCHED}; mov ecx, 270; begin {{0}}; next: mov eax, [esi]; add esi, 16;"
                "dec ecx; jne next; end {0}",
            ),
        ),
        Identity(
            "90 TLB misses x 9 = 810",
            810,
            ("tlb-walk",),
            Piece(
                ("identity: TLB misses",),
                f"{_each_page('warm', 90)}; begin {{0}}; {_each_page('again', 90)}; end {{0}}",
            ),
        ),
        Identity(
            "3 TLB misses + 10 cache misses = 57",
            57,
            ("tlb-walk", "d-miss"),
            Piece(
                ("identity: both",),
                f"mov eax, [{behind}]; begin {{0}}; {_in_order(behind + PAGE, (4, 3, 3))}; end {{0}}",
            ),
        ),
        Identity(
            "36 + 14 TLB misses x 9 = 162",
            162,
            ("serialisation", "tlb-walk"),
            Piece(
                ("identity: an address-space switch",),
                switch.replace("{mark}", "").replace("{label}", "warm")
                + "; "
                + switch.replace("{mark}", "begin {0}; ").replace("{label}", "again")
                + "; end {0}",
            ),
        ),
    ]


class I486Layout:
    """Protected mode with paging."""

    arch, bits = "x86_64", 32
    code, user_code = (
        0x280000,
        0x300000,
    )  # whose entries of the tables lie in sets of the cache apart from the rest
    pages = 1 << 30
    begin = "nop"
    finish = "xor eax, eax; mov edx, 0xf4; out dx, al"

    def image(self, code: Mapping[int, bytes], line: int) -> LoadedImage:
        """Return the code and all that it needs around it, to be entered as a Multiboot kernel is."""
        del line  # nothing is chained
        writes = tuple({**code, **_around(self)}.items())
        return LoadedImage("multiboot1", ENTRY, 0x2BADB002, 0, writes, (), None, "")


def _around(layout: I486Layout) -> dict[int, bytes]:
    start = assemble(
        "x86_64",
        f"mov eax, {ENTRY + 0x800}; lgdt [eax]; mov eax, {ENTRY + 0x810}; lidt [eax];"
        f"mov esp, {KERNEL_STACK}; push {KERNEL_CS}; push {ENTRY + 0x400}; retf",
        ENTRY,
        32,
    )
    rest = assemble(
        "x86_64",
        f"mov eax, {KERNEL_SS}; mov ss, eax; mov eax, {USER_SS}; mov ds, eax; mov es, eax;"
        f"mov eax, {TASK}; ltr ax; mov eax, {DIRECTORY}; mov cr3, eax; mov eax, 0x80010013; mov cr0, eax;"
        f"mov eax, {layout.code}; jmp eax",
        ENTRY + 0x400,
        32,
    )
    registers = struct.pack("<HI", 0x2F, GDT).ljust(16, b"\0") + struct.pack("<HI", 0x7FF, IDT)
    code32, data, ring3 = 0x00CF9B000000FFFF, 0x00CF93000000FFFF, 3 << 45
    task = 0x67 | (TSS & 0xFFFFFF) << 16 | 0x89 << 40 | (TSS >> 24) << 56
    stack = bytearray(104)
    struct.pack_into("<II", stack, 4, KERNEL_STACK, KERNEL_SS)
    gates = {vector: _gate(HANDLERS + 0x40 * vector) for vector in (ROUND_TRIP, LEAVE)}
    directory = [0] * 1024
    for n in range(RAM_BYTES // (4 * MIB)):
        directory[n] = TABLES + n * PAGE | RIGHTS
    directory[layout.pages >> 22] = WINDOW | RIGHTS
    return {
        ENTRY: start.ljust(0x400, b"\0") + rest.ljust(0x400, b"\0") + registers,
        GDT: struct.pack("<6Q", 0, code32, data, code32 | ring3, data | ring3, task),
        IDT: b"".join(gates.get(vector, bytes(8)) for vector in range(256)),
        TSS: bytes(stack),
        HANDLERS + 0x40 * LEAVE: assemble("x86_64", f"mov esp, {KERNEL_STACK}; jmp ebp", HANDLERS, 32),
        DIRECTORY: struct.pack("<1024I", *directory),
        TABLES: struct.pack("<4096I", *(n * PAGE | RIGHTS for n in range(4096))),
        WINDOW: struct.pack("<1024I", *(POOL + n * PAGE | RIGHTS for n in range(1024))),
    }


def _gate(handler: int) -> bytes:
    return struct.pack("<HHBBH", handler & 0xFFFF, KERNEL_CS, 0, 0xEE, handler >> 16)


def measure(cpu: str, line: int) -> dict[str, float]:
    """Run the snippets on a machine with that processor; return by equation the cycles under its causes."""
    equations = identities()
    guest = Guest(I486Layout(), line)
    guest.build([identity.piece for identity in equations])
    found = guest.run(cpu, RAM_BYTES)
    return {
        identity.text: sum(found[identity.piece.operations[0]].cause(cause) for cause in identity.causes)
        for identity in equations
    }
