# SPDX-License-Identifier: GPL-2.0-or-later
"""Snippets of AArch64 code: assembled, and the memory around them: tables, stacks, a place for everything.

Physical and virtual addresses are equal; TTBR1 has the same tables, so that all is to be seen once more from
``HIGH`` on. The first GiB is the devices'. The first 2 MiB of RAM are mapped by 4 KiB pages, the rest by
2 MiB blocks. Pages for EL0 belong to the ASID in force; what is EL1's is global.
"""

from __future__ import annotations

import re
import struct
from functools import cache

import keystone

RAM, RAM_BYTES = 0x4000_0000, 8 << 20
PAGE = 0x1000
HIGH = 0xFFFF_FF80_0000_0000

ENTRY = RAM + 0x80000
LEVEL_1, LEVEL_2, LEVEL_3 = RAM + 0x101000, RAM + 0x102000, RAM + 0x103000
SPARE_LEVEL_1 = RAM + 0x104000  # for a second address space
CODE, VECTORS, USER_CODE = RAM + 0x110000, RAM + 0x120000, RAM + 0x130000
KERNEL_STACK, USER_STACK = RAM + 0x148000, RAM + 0x158000  # tops
DATA = RAM + 0x160000  # eight pages, nothing in them; EL0 may use them
TREE = RAM + 0x170000

#: Offsets in the table of vectors: from the same level with its own stack, from EL0.
SAME_SYNC, SAME_IRQ, USER_SYNC, USER_IRQ = 0x200, 0x280, 0x400, 0x480

VALID, TABLE, USER, READ_ONLY, ACCESSED, NOT_GLOBAL = 1, 2, 1 << 6, 1 << 7, 1 << 10, 1 << 11
PXN, UXN = 1 << 53, 1 << 54
DEVICE, NORMAL = 0, 1 << 2 | 3 << 8  # index into MAIR; inner shareable
MAIR = 0xFF00
KERNEL_PAGE = VALID | TABLE | ACCESSED | NORMAL | UXN
USER_PAGE = VALID | TABLE | ACCESSED | NORMAL | USER | NOT_GLOBAL | PXN

WALK = 1 << 8 | 1 << 10 | 3 << 12  # of TCR: tables are write-back and inner shareable
TCR_A1, TCR_AS, TCR_TBI0 = 1 << 22, 1 << 36, 1 << 37
TCR = 25 | 25 << 16 | WALK | WALK << 16 | 2 << 30 | 2 << 32 | TCR_AS  # 39 bits, 4 KiB, 16-bit ASIDs
SCTLR_M, SCTLR_A = 1, 2
SCTLR = 0x30D0_0800 | SCTLR_M | 1 << 2 | 1 << 12  # MMU and caches on, beside what is always 1

#: Handler that goes on behind the instruction that faulted, and behind the one that follows an SVC.
SKIP = "mrs x17, elr_el1; add x17, x17, #4; msr elr_el1, x17; eret"

SET = re.compile(r"\bset (\w+), (\w+)")
MARK = re.compile(r"\bmark (\d+), (\d+)")
BEGIN, END, EVENT, COPY_BEGIN, COPY_END = range(5)  # kinds of marks, ringscope.h
INSN_ALIGNMENT = 4  # bytes
MARK_CLASS = "alu"  # whose price an instruction that is a mark has


def movn(number: int) -> int:
    """Return a mark's instruction."""
    return 0x92E0001F | number << 5


def _set(match: re.Match[str]) -> str:
    register, value = match[1], int(match[2], 0)
    return f"movz {register}, #{value & 0xFFFF}; movk {register}, #{value >> 16}, lsl #16"


@cache
def assemble(source: str, address: int) -> bytes:
    """Assemble a snippet.

    Beside instructions there are ``set REGISTER, VALUE`` (two of them; 32 bits), ``mark KIND, NUMBER`` and
    ``fence``: a mark that counts nothing; a block begins there.
    """
    source = SET.sub(_set, source).replace("fence", f"mark {EVENT}, 0")
    source = MARK.sub(lambda m: f".word {movn(int(m[1]) << 12 | int(m[2]))}", source)
    engine = keystone.Ks(keystone.KS_ARCH_ARM64, keystone.KS_MODE_LITTLE_ENDIAN)
    code, _ = engine.asm(source, address, as_bytes=True)
    return bytes(code)


def page_entry(vaddr: int) -> int:
    """Return the address of the descriptor of a page in the first 2 MiB of RAM."""
    return LEVEL_3 + 8 * ((vaddr - RAM) // PAGE)


def _page(index: int) -> int:
    at = RAM + index * PAGE
    user = USER_CODE <= at < KERNEL_STACK - 0x8000 or USER_STACK - 0x8000 <= at < DATA + 8 * PAGE
    return at | (USER_PAGE if user else KERNEL_PAGE)


def tables() -> dict[int, bytes]:
    """Return the translation tables, by address."""
    blocks = [LEVEL_3 | VALID | TABLE]
    blocks += [RAM + (i << 21) | KERNEL_PAGE & ~TABLE for i in range(1, RAM_BYTES >> 21)]
    top = struct.pack("<2Q", VALID | ACCESSED | DEVICE | PXN | UXN, LEVEL_2 | VALID | TABLE)
    return {
        LEVEL_1: top.ljust(PAGE, b"\0"),
        LEVEL_2: struct.pack(f"<{len(blocks)}Q", *blocks).ljust(PAGE, b"\0"),
        LEVEL_3: struct.pack("<512Q", *map(_page, range(512))),
        SPARE_LEVEL_1: top.ljust(PAGE, b"\0"),
    }


def start(sctlr: int = SCTLR, tcr: int = TCR) -> bytes:
    """From the state of the boot protocol to code at CODE with the MMU on."""
    return assemble(
        f"set x1, {MAIR}; msr mair_el1, x1; set x1, {tcr & 0xFFFF_FFFF}; movk x1, #{tcr >> 32}, lsl #32;"
        f"msr tcr_el1, x1; set x1, {LEVEL_1}; msr ttbr0_el1, x1; msr ttbr1_el1, x1; set x1, {VECTORS};"
        f"msr vbar_el1, x1; set x1, {KERNEL_STACK}; mov sp, x1; isb; set x1, {sctlr}; msr sctlr_el1, x1; isb;"
        f"b {CODE:#x}",
        ENTRY,
    )


def memory(sctlr: int = SCTLR, tcr: int = TCR) -> dict[int, bytes]:
    """Return all that the snippets need around them, by address."""
    return {ENTRY: start(sctlr, tcr), **tables()}
