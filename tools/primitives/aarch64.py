# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest of the microbenchmarks on AArch64: EL1 with the MMU on, and EL0 where an operation begins there.

RAM is mapped one to one by blocks of 2 MiB, one of which is EL0's code; from ``pages`` on its second 16 MiB
are to be seen once more by pages of 4 KiB.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ringscope.bootimage.arm64 import LoadedArm64
from ringscope.tools.primitives.assembler import assemble
from ringscope.tools.primitives.guest import MIB, PAGE, Chains, Piece

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

RAM = 0x4000_0000
ENTRY = RAM + 0x80000
LEVEL_1, LEVEL_2, WINDOW = RAM + 0x101000, RAM + 0x102000, RAM + 0x103000
TABLES = RAM + 0x110000  # of the window: one page for 2 MiB of it
VECTORS, SCRATCH, TREE = RAM + 0x120000, RAM + 0x128000, RAM + 0x1F0000
USER_SYNC, KERNEL_IRQ = 0x400, 0x280  # offsets of what EL0 raises, and of an interrupt of EL1
VALID, TABLE, USER, READ_ONLY, ACCESSED = 1, 2, 1 << 6, 1 << 7, 1 << 10
PXN, UXN = 1 << 53, 1 << 54
DEVICE, NORMAL = 0, 1 << 2 | 3 << 8  # index into MAIR; inner shareable
KERNEL_BLOCK = VALID | ACCESSED | NORMAL | UXN
USER_BLOCK = VALID | ACCESSED | NORMAL | USER | READ_ONLY | PXN
UART_FLAGS, UART_IMSC = 0x0900_0018, 0x0900_0038
GIC_DISTRIBUTOR, GIC_CPU = 0x0800_0000, 0x0801_0000
TIMER_LINE, TIMER_TICKS = 27, 100  # the virtual timer's private interrupt; until the one that ends a WFI
MAIR, SCTLR = 0xFF00, 0x30D0_0800 | 1 | 1 << 2 | 1 << 12  # MMU and caches on, beside what is always 1
WALK = 1 << 8 | 1 << 10 | 3 << 12  # of TCR: tables are write-back and inner shareable
TCR = 25 | 25 << 16 | WALK | WALK << 16 | 2 << 30 | 2 << 32 | 1 << 36  # 39 bits, 4 KiB, 16-bit ASIDs
PSCI_VERSION, SYSTEM_OFF = 0x8400_0000, 0x8400_0008
MASKED_EL0 = 0x3C0
REPEATS = 16


def set_register(register: str, value: int) -> str:
    """Return code that puts a number of 48 bits into a register."""
    low, middle, high = (value >> shift & 0xFFFF for shift in (0, 16, 32))
    return f"mov {register}, #{low}; movk {register}, #{middle}, lsl #16; movk {register}, #{high}, lsl #32"


def set_address(register: str, name: str) -> str:
    """Return code that puts what is known when the piece is placed into a register: 32 bits."""
    return f"mov {register}, #{{{name}.low}}; movk {register}, #{{{name}.high}}, lsl #16"


START = ";".join(
    (
        set_register("x1", MAIR), "msr mair_el1, x1", set_register("x1", TCR), "msr tcr_el1, x1",
        set_register("x1", LEVEL_1), "msr ttbr0_el1, x1", "msr ttbr1_el1, x1",
        set_register("x1", VECTORS), "msr vbar_el1, x1", "isb", set_register("x1", SCTLR),
        "msr sctlr_el1, x1", "isb", set_register("x1", RAM + 0x200000), "br x1",
    )
)  # fmt: skip


def repeated(operation: str, instruction: str, prepare: str = "nop") -> Piece:
    """Return a piece that carries out one instruction REPEATS times, each of them one operation."""
    once = f"begin {{0}}; {instruction}; end {{0}}"
    return Piece((operation,), ";".join([prepare, *[once] * REPEATS]))


def round_trips() -> Piece:
    """Return a piece that goes from EL0 to the vector and back, by SVC and by BRK, marked on either side.

    At the vector x8 is 0 for an SVC, 1 for a BRK, which is not done again, and 2 where EL0 is left, for x9.
    """
    by_svc, by_brk = (
        ";".join([f"begin {{{i}}}; {instruction}; end {{{i + 1}}}"] * REPEATS)
        for i, instruction in ((0, "svc #0"), (2, "brk #0"))
    )
    handler = (
        "cbz x8, trip; tbnz x8, #1, leave; end {2}; mrs x0, elr_el1; add x0, x0, #4; msr elr_el1, x0;"
        "begin {3}; eret; leave: br x9; trip: end {0}; begin {1}; eret"
    )
    enter = (
        f"adr x9, back; {set_address('x10', 'user')}; msr elr_el1, x10; mov x10, #{MASKED_EL0};"
        "msr spsr_el1, x10; mov x8, #0; eret; back: nop"
    )
    user = f"{by_svc}; mov x8, #1; {by_brk}; mov x8, #2; svc #0"
    operations = ("svc", "eret", "exception", "eret after it")
    return Piece(operations, enter, user, {VECTORS + USER_SYNC: handler})


def sleep() -> Piece:
    """Return a piece that sleeps until the virtual timer interrupts, of which the ledger tells too."""
    enable = ";".join(
        (
            set_register("x10", GIC_DISTRIBUTOR), set_register("x11", GIC_CPU), "mov w12, #1; str w12, [x10]",
            f"mov w13, #{1 << TIMER_LINE}; str w13, [x10, #0x100]; mov w13, #255; str w13, [x11, #4]",
            f"str w12, [x11]; mov x13, #{TIMER_TICKS}",
        )
    )  # fmt: skip
    start = "msr cntv_tval_el0, x13; msr cntv_ctl_el0, x12"
    once = f"{start}; msr daifclr, #2; begin {{0}}; wfi; end {{0}}; msr daifset, #2"
    handler = "ldr w14, [x11, #12]; msr cntv_ctl_el0, xzr; str w14, [x11, #16]; eret"
    return Piece(("wait",), ";".join([enable, *[once] * REPEATS]), handlers={VECTORS + KERNEL_IRQ: handler})


def chase(operation: str, start: str, loads: int) -> str:
    """Return code that follows a chain: twice to warm it and the predictor, then from begin to end of it."""
    walk = f"{start}; {set_register('x2', loads)}"
    return (
        "b over; chain: ldr x0, [x0]; subs x2, x2, #1; b.ne chain; add x0, x0, #0; ret;"
        f"over: {walk}; bl chain; {walk}; bl chain;"
        f"{walk}; dsb sy; begin {operation}; bl chain; end {operation}"
    )


class ArmLayout:
    """EL1."""

    arch, bits = "aarch64", 64
    code, user_code = RAM + 2 * MIB, RAM + 4 * MIB
    pages, pool = 1 << 31, RAM + 16 * MIB
    region = RAM + 36 * MIB
    ram = RAM
    levels = 3  # reads of a walk that nothing shortens
    begin = "nop"
    finish = f"{set_register('x0', SYSTEM_OFF)}; hvc #0"

    def primitives(self) -> Iterator[Piece]:
        """Yield a piece for each event of fixed price; an operation has the name of its price."""
        yield round_trips()
        yield repeated("firmware_call", "hvc #0", set_register("x0", PSCI_VERSION))
        yield repeated("ttbr_write", "msr ttbr0_el1, x1", set_register("x1", LEVEL_1))
        yield repeated("system_write", "msr contextidr_el1, xzr")
        yield repeated("pstate_write", "msr daifset, #2")
        yield repeated("counter_read", "mrs x0, cntvct_el0")
        page = set_register("x1", SCRATCH)
        yield repeated("tlbi", "tlbi vae1, x1", "mov x1, #0")
        yield repeated("address_translation", "at s1e1r, x1", page)
        yield repeated("cache_line", "dc civac, x1", page)
        yield repeated("dc_zva", "dc zva, x1", page)
        yield repeated("isb", "isb")
        yield from (repeated(name, f"{name} sy") for name in ("dsb", "dmb"))
        yield sleep()
        yield repeated("device_read", "ldr w0, [x1]", set_register("x1", UART_FLAGS))
        yield repeated("device_write", "str wzr, [x1]", set_register("x1", UART_IMSC))

    def walks(self) -> Piece:
        """Return a piece whose every load walks, and finds what it reads in L1D."""
        once = "tlbi vae1, x2; begin {0}; ldr x3, [x1]; end {0}"
        first = f"{set_address('x1', 'pages')}; lsr x2, x1, #12; ldr x3, [x1]"
        return Piece(("walk",), ";".join([first] + [once] * REPEATS))

    def branches(self, count: int) -> Piece:
        """Return a piece with branches that depend on random bits (Marsaglia's xorshift of 13, 17, 5)."""
        return Piece(
            ("branch",),
            f"mov w0, #1; {set_register('x2', count)}; begin {{0}}; next: eor w0, w0, w0, lsl #13;"
            "eor w0, w0, w0, lsr #17; eor w0, w0, w0, lsl #5; dsb sy; tbz w0, #15, skip; nop;"
            "skip: subs x2, x2, #1; b.ne next; end {0}",
        )

    def chain(self, operation: str, start: int, stride: int, loads: int) -> Piece:
        """Return a piece that chains lines of the region, and follows them."""
        first = set_register("x0", start)
        make = (
            f"{first}; mov x1, x0; {set_register('x2', loads)}; make: add x3, x1, #{stride}; mov x4, x1;"
            "str x3, [x1]; mov x1, x3; subs x2, x2, #1; b.ne make; str x0, [x4]"
        )
        return Piece((operation,), f"{make}; {chase('{0}', first, loads)}")

    def far_walk(self, operation: str, start: int, loads: int) -> Piece:
        """Return a piece whose load walks after a chain has pushed what it reads out of inner levels."""
        page = f"{set_address('x1', 'pages')}; lsr x4, x1, #12; ldr x3, [x1]"
        follow = (
            f"{set_register('x0', start)}; {set_register('x2', loads)}; follow: ldr x0, [x0]; subs x2, x2, #1"
        )
        load = "b.ne follow; tlbi vae1, x4; begin {0}; ldr x3, [x1]; end {0}"
        return Piece((operation,), f"{page}; {follow}; {load}")

    def reach(self, operation: str, pages: int) -> Piece:
        """Return a piece that follows the chain through so many pages of the window."""
        return Piece((operation,), chase("{0}", set_address("x0", "pages"), pages))

    def image(self, code: Mapping[int, bytes], line: int) -> LoadedArm64:
        """Return the code and all that it needs around it, to be entered by the arm64 boot protocol."""
        chains = Chains(self.pages, self.pool, line)
        start = assemble("aarch64", START, ENTRY)
        writes = {**code, ENTRY: start, **_tables(self), **chains.writes()}
        return LoadedArm64(ENTRY, TREE, tuple(writes.items()), (), None, "")


def _tables(layout: ArmLayout) -> dict[int, bytes]:
    def entries(*values: int) -> bytes:
        return struct.pack(f"<{len(values)}Q", *values)

    user = (layout.user_code - RAM) >> 21
    blocks = [RAM + (n << 21) | (USER_BLOCK if n == user else KERNEL_BLOCK) for n in range(512)]
    shown = [layout.pool + n * PAGE | KERNEL_BLOCK | TABLE for n in range(Chains.PAGES)]
    tables = -(-Chains.PAGES // 512)
    return {
        LEVEL_1: entries(
            VALID | ACCESSED | DEVICE | PXN | UXN, LEVEL_2 | VALID | TABLE, WINDOW | VALID | TABLE
        ),
        LEVEL_2: entries(*blocks),
        WINDOW: entries(*(TABLES + n * PAGE | VALID | TABLE for n in range(tables))),
        TABLES: entries(*shown),
    }
