# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest of the microbenchmarks on x86-64: ring 0 in long mode, ring 3 where an operation begins there.

RAM is mapped one to one by pages of 2 MiB, open to ring 3; from ``pages`` on its second 16 MiB are to be seen
once more by pages of 4 KiB; the local APIC is a device's window.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ringscope.bootimage import LoadedImage
from ringscope.tools.primitives.assembler import assemble
from ringscope.tools.primitives.guest import MIB, PAGE, Chains, Piece

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ENTRY, GDT, IDT, TSS = 0x100000, 0x101000, 0x102000, 0x104000
PML4, PDPT, LOW, HIGH, WINDOW = 0x105000, 0x106000, 0x107000, 0x108000, 0x109000
TABLES = 0x110000  # of the window: one page for 2 MiB of it
HANDLERS, SCRATCH = 0x120000, 0x128000
KERNEL_STACK, USER_STACK = 0x138000, 0x148000  # tops
APIC = 0xFEE0_0000
KERNEL_CS, KERNEL_SS, USER_CS, USER_SS, TASK = 0x08, 0x10, 0x2B, 0x23, 0x30
PRESENT, WRITABLE, USER, LARGE = 1, 2, 4, 0x80
RIGHTS = PRESENT | WRITABLE | USER
#: Slots of HANDLERS; the last two are no vectors.
UNDEFINED, ROUND_TRIP, LEAVE, TIMER, SYSTEM_CALL, FAST_CALL = 6, 0x80, 0x81, 0x82, 0x83, 0x84
TIMER_TICKS = 2000  # of the bus, until the interrupt that ends a HLT
EXIT_PORT = 0xF4
REPEATS = 16

TO_LONG_MODE = (
    f"mov eax, {PML4}; mov cr3, eax; mov eax, 0x620; mov cr4, eax; mov ecx, 0xc0000080; rdmsr;"
    f"or eax, 0x901; wrmsr; mov eax, 0x80010013; mov cr0, eax; mov eax, {ENTRY + 0x800}; lgdt [eax];"
    f"mov esp, {KERNEL_STACK}; push {KERNEL_CS}; push {ENTRY + 0x400}; retf"
)
ENTER_USER = f"mov ebp, {{back}}; mov esp, {USER_STACK}; mov ecx, {{user}}; mov r11d, 2; sysretq"


def slot(number: int) -> int:
    """Return the address of a handler: 64 bytes."""
    return HANDLERS + 0x40 * number


def repeated(operation: str, instruction: str, prepare: str = "nop", after: str = "nop") -> Piece:
    """Return a piece that carries out one instruction REPEATS times, each of them one operation."""
    once = f"{prepare}; begin {{0}}; {instruction}; end {{0}}"
    return Piece((operation,), ";".join([once] * REPEATS + [after]))


def round_trip(into: str, out: str, vector: int, instruction: str, back: str, *, fix: str = "") -> Piece:
    """Return a piece that goes from ring 3 to a handler and back, with a mark on either side of each way."""
    trip = ";".join([f"begin {{0}}; {instruction}; end {{1}}"] * REPEATS)
    handler = f"end {{0}}; {fix}begin {{1}}; {back}"
    return Piece((into, out), ENTER_USER, f"{trip}; int {LEAVE}", {slot(vector): handler})


def sleep() -> Piece:
    """Return a piece that sleeps until the local APIC's timer interrupts, of which the ledger tells too."""
    enable = f"mov esi, {APIC}; mov dword ptr [rsi + 0xf0], 0x1ff; mov dword ptr [rsi + 0x3e0], 0xb"
    once = f"mov dword ptr [rsi + 0x380], {TIMER_TICKS}; sti; begin {{0}}; hlt; end {{0}}; cli"
    handler = "mov dword ptr [rsi + 0xb0], 0; iretq"
    kernel = ";".join([enable, f"mov dword ptr [rsi + 0x320], {TIMER}", *[once] * REPEATS])
    return Piece(("hlt",), kernel, handlers={slot(TIMER): handler})


def chase(operation: str, start: str, loads: int, label: str) -> str:
    """Return code that follows a chain: twice to warm it and the predictor, then from begin to end of it.

    It returns through a register: a stack would have its own place in the TLB.
    """

    def once(number: int) -> str:
        back = f"back{label}{number}"
        return f"lea rsi, [rip + {back}]; jmp chain{label}; {back}:"

    walk = f"mov rax, {start}; mov ecx, {loads}"
    return (
        f"jmp over{label}; chain{label}: mov rax, [rax]; dec ecx; jne chain{label}; test rax, rax; jmp rsi;"
        f"over{label}: {walk}; {once(0)} {walk}; {once(1)}"
        f"{walk}; lfence; begin {operation}; {once(2)} end {operation}"
    )


class X86Layout:
    """Long mode."""

    arch, bits = "x86_64", 64
    code, user_code = 0x200000, 0x400000
    pages, pool = 0x6000_0000, 16 * MIB
    region = 36 * MIB + 0x20000  # apart from the tables in a direct-mapped cache of 256 KiB
    ram = 0
    levels = 4  # reads of a walk that nothing shortens
    begin = (
        f"mov ecx, {ENTRY + 0x810}; lidt [rcx]; mov eax, {TASK}; ltr ax; mov eax, {KERNEL_SS}; mov ss, eax;"
        f"mov esp, {KERNEL_STACK}; mov ecx, 0xc0000081; xor eax, eax;"
        f"mov edx, {(USER_CS - 16) << 16 | KERNEL_CS}; wrmsr; mov ecx, 0xc0000082;"
        f"xor edx, edx; mov eax, {slot(SYSTEM_CALL)}; wrmsr; mov ecx, 0xc0000084;"
        f"xor eax, eax; wrmsr; mov ecx, 0x174; mov eax, {KERNEL_CS}; wrmsr; inc ecx; mov eax, {KERNEL_STACK};"
        f"wrmsr; inc ecx; mov eax, {slot(FAST_CALL)}; wrmsr"
    )
    finish = f"xor eax, eax; mov edx, {EXIT_PORT}; out dx, al"

    def primitives(self) -> Iterator[Piece]:
        """Yield a piece for each event of fixed price; an operation has the name of its price."""
        yield round_trip("syscall", "sysret", SYSTEM_CALL, "syscall", "sysretq")
        come_back = "lea rdx, [rip + 4]; mov ecx, esp; sysenter"  # LEA to behind SYSENTER
        yield round_trip("sysenter", "sysexit", FAST_CALL, come_back, "sysexitq")
        yield round_trip("int_gate", "iret", ROUND_TRIP, f"int {ROUND_TRIP}", "iretq")
        skip = "add qword ptr [rsp], 2; "
        yield round_trip("exception", "iret after it", UNDEFINED, "ud2", "iretq", fix=skip)
        yield repeated("mov_cr3", "mov cr3, rax", f"mov eax, {PML4}")
        pcid = repeated("mov_cr3_pcid", "mov cr3, rax", f"mov eax, {PML4}", "mov eax, 0x620; mov cr4, rax")
        yield Piece(pcid.operations, f"mov eax, 0x20620; mov cr4, rax; {pcid.kernel}")
        yield repeated("mov_cr", "mov cr0, rax", "mov rax, cr0")
        yield repeated("mov_dr", "mov dr0, rax", "xor eax, eax")
        page = f"mov eax, {SCRATCH}"
        yield repeated("invlpg", "invlpg [rax]", page)
        yield repeated("invpcid", "invpcid rcx, [rax]", f"{page}; mov ecx, 2")
        yield repeated("wrmsr", "wrmsr", "mov ecx, 0xc0000102; xor eax, eax; xor edx, edx")
        yield repeated("rdmsr", "rdmsr", "mov ecx, 0xc0000102")
        yield repeated("cpuid", "cpuid", "xor eax, eax")
        yield repeated("rdtsc", "rdtsc")
        yield repeated("descriptor_table", "lgdt [rax]", f"mov eax, {ENTRY + 0x800}")
        yield repeated("segment_load", "mov ds, eax", "xor eax, eax")
        yield repeated("port_in", "in al, dx", "mov edx, 0x80")
        yield repeated("port_out", "out dx, al", "mov edx, 0x80")
        yield repeated("wbinvd", "wbinvd")
        yield repeated("clflush", "clflush [rax]", page)
        yield from (repeated(name, name) for name in ("pause", "mfence", "lfence", "sfence"))
        yield repeated("fxsave", "fxsave [rax]", page)
        yield repeated("fxrstor", "fxrstor [rax]", page)
        yield repeated("cli_sti", "cli")
        yield repeated("swapgs", "swapgs", after="swapgs; swapgs")
        yield sleep()
        yield repeated("device_read", "mov ecx, [rax]", f"mov eax, {APIC + 0x20}")
        yield repeated("device_write", "mov [rax], ecx", f"mov eax, {APIC + 0x80}; xor ecx, ecx")

    def walks(self) -> Piece:
        """Return a piece whose every load walks, and finds what it reads in L1D."""
        once = "invlpg [rax]; begin {0}; mov rcx, [rax]; end {0}"
        return Piece(("walk",), ";".join(["mov rax, {pages}; mov rcx, [rax]"] + [once] * REPEATS))

    def branches(self, count: int) -> Piece:
        """Return a piece with branches that depend on random bits (Marsaglia's xorshift of 13, 17, 5)."""
        return Piece(
            ("branch",),
            f"mov eax, 1; mov ecx, {count}; begin {{0}}; next: mov edx, eax; shl edx, 13; xor eax, edx;"
            "mov edx, eax; shr edx, 17; xor eax, edx; mov edx, eax; shl edx, 5; xor eax, edx;"
            "lfence; test eax, 0x8000; je skip; nop; skip: dec ecx; jne next; end {0}",
        )

    def chain(self, operation: str, start: int, stride: int, loads: int) -> Piece:
        """Return a piece that chains lines of the region, and follows them."""
        make = (
            f"mov edi, {start}; mov ecx, {loads}; make: lea rdx, [rdi + {stride}]; mov [rdi], rdx;"
            f"mov rdi, rdx; dec ecx; jne make; mov eax, {start}; mov [rdi - {stride}], rax"
        )
        return Piece((operation,), f"{make}; {chase('{0}', str(start), loads, 'c')}")

    def far_walk(self, operation: str, start: int, loads: int) -> Piece:
        """Return a piece whose load walks after a chain has pushed what it reads out of inner levels."""
        follow = f"mov edx, {start}; mov ecx, {loads}; follow: mov rdx, [rdx]; dec ecx; jne follow"
        load = "invlpg [rax]; begin {0}; mov rcx, [rax]; end {0}"
        return Piece((operation,), f"mov rax, {{pages}}; mov rcx, [rax]; {follow}; {load}")

    def reach(self, operation: str, pages: int) -> Piece:
        """Return a piece that follows a chain from page to page of the window."""
        return Piece((operation,), chase("{0}", "{pages}", pages, "p"))

    def image(self, code: Mapping[int, bytes], line: int) -> LoadedImage:
        """Return the code and all that it needs around it, to be entered as a Multiboot kernel is."""
        chains = Chains(self.pages, self.pool, line)
        writes = {**code, **_entry(), **_tables(self.pool, self.pages), **chains.writes()}
        return LoadedImage("multiboot1", ENTRY, 0x2BADB002, 0, tuple(writes.items()), (), None, "")


def _entry() -> dict[int, bytes]:
    start = assemble("x86_64", TO_LONG_MODE, ENTRY, 32).ljust(0x400, b"\0")
    go_on = assemble("x86_64", f"mov eax, {X86Layout.code}; jmp rax", ENTRY + 0x400).ljust(0x400, b"\0")
    registers = struct.pack("<HI", 0x3F, GDT).ljust(16, b"\0") + struct.pack("<HQ", 0xFFF, IDT)
    code64, data, ring3 = 0x00AF9B000000FFFF, 0x00CF93000000FFFF, 3 << 45
    task = 0x67 | (TSS & 0xFFFFFF) << 16 | 0x89 << 40 | (TSS >> 24) << 56
    segments = struct.pack("<8Q", 0, code64, data, 0, data | ring3, code64 | ring3, task, 0)
    stack = bytearray(104)
    struct.pack_into("<Q", stack, 4, KERNEL_STACK)
    gates = {vector: _gate(slot(vector)) for vector in (UNDEFINED, ROUND_TRIP, LEAVE, TIMER)}
    table = b"".join(gates.get(vector, bytes(16)) for vector in range(256))
    leave = assemble("x86_64", f"mov esp, {KERNEL_STACK}; jmp rbp", slot(LEAVE))
    return {
        ENTRY: start + go_on + registers,
        GDT: segments,
        IDT: table,
        TSS: bytes(stack),
        slot(LEAVE): leave,
    }


def _gate(handler: int) -> bytes:
    low, high = handler & 0xFFFF, handler >> 16
    return struct.pack("<HHBBHII", low, KERNEL_CS, 0, 0xEE, high, 0, 0)


def _tables(pool: int, pages: int) -> dict[int, bytes]:
    def entries(*values: int) -> bytes:
        return struct.pack(f"<{len(values)}Q", *values)

    shown = [pool + n * PAGE | RIGHTS for n in range(Chains.PAGES)]
    tables = -(-Chains.PAGES // 512)
    device = [0] * 512
    device[APIC >> 21 & 511] = APIC | RIGHTS | LARGE
    return {
        PML4: entries(PDPT | RIGHTS),
        PDPT: entries(LOW | RIGHTS, WINDOW | RIGHTS, 0, HIGH | RIGHTS),
        LOW: entries(*(n << 21 | RIGHTS | LARGE for n in range(512))),
        HIGH: entries(*device),
        WINDOW + 8 * (pages >> 21 & 511): entries(*(TABLES + n * PAGE | RIGHTS for n in range(tables))),
        TABLES: entries(*shown),
    }
