# SPDX-License-Identifier: GPL-2.0-or-later
"""Snippets of x86 code: assembled, and the memory around them: tables, stacks, a place for everything.

Physical and virtual addresses are equal. The first 2 MiB are mapped by 4 KiB pages, the rest of RAM by 2 MiB
ones; all of it is open to ring 3.
"""

from __future__ import annotations

import re
import struct
from functools import cache

import keystone

RAM_BYTES = 8 << 20
PAGE = 0x1000

ENTRY = 0x100000
GDT, IDT, TSS = 0x101000, 0x102000, 0x104000
PML4, PDPT, PAGE_DIRECTORY, PAGE_TABLE = 0x105000, 0x106000, 0x107000, 0x108000
CODE, HANDLERS, USER_CODE = 0x110000, 0x120000, 0x130000
KERNEL_STACK, USER_STACK = 0x148000, 0x158000  # tops
DATA = 0x160000  # eight pages, nothing in them
SPARE_PML4 = 0x170000  # for a second address space

KERNEL_CS, KERNEL_SS, USER_CS, USER_SS, TSS_SELECTOR = 0x08, 0x10, 0x2B, 0x23, 0x30
PRESENT, WRITABLE, USER, LARGE = 1, 2, 4, 0x80

#: What the assembler does not know. `fence` is a mark that counts nothing: a block begins there.
BYTES = {
    "sysretq": "0x48, 0x0f, 0x07",
    "sysexitq": "0x48, 0x0f, 0x35",
    "fence": "0x0f, 0x1f, 0x84, 0x00, 0x00, 0x20, 0x53, 0x52",
}
WRONG = re.compile(r"\bmov r(?!ax)\w+, \[\d")
MARK = re.compile(r"\bmark (\d+), (\d+)")
BEGIN, END, EVENT, COPY_BEGIN, COPY_END = range(5)  # kinds of marks, ringscope.h
INSN_ALIGNMENT = 1  # bytes
MARK_CLASS = "nop"  # whose price an instruction that is a mark has


def mark(kind: int, number: int = 0) -> bytes:
    """Return the bytes of a mark."""
    return bytes((0x0F, 0x1F, 0x84, 0x00)) + struct.pack("<I", 0x5253 << 16 | kind << 12 | number)


@cache
def assemble(source: str, address: int, bits: int = 64) -> bytes:
    """Assemble Intel syntax; ``mark KIND, NUMBER``, ``fence`` and the words of BYTES are instructions too."""
    assert not WRONG.search(source), "the assembler takes the address for a distance: use a 32-bit register"
    mode = {16: keystone.KS_MODE_16, 32: keystone.KS_MODE_32, 64: keystone.KS_MODE_64}[bits]
    for word, code in BYTES.items():
        source = re.sub(rf"\b{word}\b", f".byte {code}", source)
    source = MARK.sub(lambda m: ".byte " + ", ".join(map(str, mark(int(m[1]), int(m[2])))), source)
    code, _ = keystone.Ks(keystone.KS_ARCH_X86, mode).asm(source, address, as_bytes=True)
    return code


def descriptors() -> bytes:
    """Null, kernel code and data, 32-bit code for sysret's sake, user data and code, the TSS."""
    code64, data, code32 = 0x00AF9B000000FFFF, 0x00CF93000000FFFF, 0x00CF9B000000FFFF
    ring3 = 3 << 45
    flat = (0, code64, data, code32 | ring3, data | ring3, code64 | ring3)
    low = 0x67 | (TSS & 0xFFFFFF) << 16 | 0x89 << 40 | (TSS >> 24) << 56
    return struct.pack("<8Q", *flat, low, 0)


def gate(handler: int, privilege: int = 3) -> bytes:
    """Return a 64-bit interrupt gate, which clears IF."""
    low, middle, high = handler & 0xFFFF, handler >> 16 & 0xFFFF, handler >> 32
    return struct.pack("<HHBBHII", low, KERNEL_CS, 0, 0x8E | privilege << 5, middle, high, 0)


def page_tables() -> dict[int, bytes]:
    """Return the tables that map RAM one to one, by address."""
    rights = PRESENT | WRITABLE | USER
    small = b"".join(struct.pack("<Q", i * PAGE | rights) for i in range(512))
    large = [PAGE_TABLE | rights] + [i << 21 | rights | LARGE for i in range(1, RAM_BYTES >> 21)]
    top = struct.pack("<Q", PDPT | rights)
    return {
        PML4: top,
        SPARE_PML4: top,
        PDPT: struct.pack("<Q", PAGE_DIRECTORY | rights),
        PAGE_DIRECTORY: struct.pack(f"<{len(large)}Q", *large),
        PAGE_TABLE: small,
    }


def to_long_mode(cr4: int) -> bytes:
    """From the multiboot state to 64-bit code at CODE, by way of a GDT register image behind the code."""
    lgdt, ljmp = ".byte 0x0f, 0x01, 0x15; .long", ".byte 0xea; .long"
    image = ENTRY + 0x800
    code = assemble(
        f"mov eax, {PML4}; mov cr3, eax; mov eax, 0x620; mov cr4, eax; mov ecx, 0xc0000080; rdmsr;"
        f"or eax, 0x901; wrmsr; mov eax, 0x80010013; mov cr0, eax; {lgdt} {image};"
        f"{ljmp} {ENTRY + 0x400}; .short {KERNEL_CS}",
        ENTRY,
        32,
    )
    rest = assemble(
        f"lidt [{image + 16}]; mov eax, {TSS_SELECTOR}; ltr ax; xor eax, eax; mov ds, eax; mov es, eax;"
        f"mov fs, eax; mov gs, eax; mov eax, {KERNEL_SS}; mov ss, eax; mov esp, {KERNEL_STACK};"
        f"mov eax, {0x620 | cr4}; mov cr4, rax; xor eax, eax; mov rcx, {CODE}; jmp rcx",
        ENTRY + 0x400,
    )
    tables = struct.pack("<HI", 0x3F, GDT).ljust(16, b"\0") + struct.pack("<HQ", 0xFFF, IDT)
    return code.ljust(0x400, b"\0") + rest.ljust(0x400, b"\0") + tables


def memory(cr4: int = 0) -> dict[int, bytes]:
    """Return all that the snippets need around them, by address. Every vector has a slot of HANDLERS."""
    gates = b"".join(gate(HANDLERS + 0x40 * vector) for vector in range(256))
    task = bytearray(104)
    struct.pack_into("<Q", task, 4, KERNEL_STACK)  # RSP0
    struct.pack_into("<H", task, 102, 104)
    return {ENTRY: to_long_mode(cr4), GDT: descriptors(), IDT: gates, TSS: bytes(task), **page_tables()}
