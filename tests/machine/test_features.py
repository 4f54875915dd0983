# SPDX-License-Identifier: GPL-2.0-or-later
"""CPUID offers what runs: every feature it names is used, on a whole machine, and answers as specified."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from ringscope.bootimage import LoadedImage
from ringscope.emulator.cpu.x86_64 import cpuid
from ringscope.emulator.machine import Machine, MachineConfig
from tests.machine import snippets
from tests.machine.rig import skylake
from tests.machine.snippets import CODE, DATA, ENTRY, HANDLERS, PAGE_TABLE, USER_CODE, USER_CS
from tests.machine.test_crossings import PUSH_USER

CAUGHT = {6: "#UD", 7: "#NM", 8: "#DF", 13: "#GP", 14: "#PF"}
MASK = (1 << 64) - 1


@dataclass(frozen=True)
class Outcome:
    """What a snippet left in registers; the exception that ended it, where, and its error code."""

    rax: int
    rbx: int
    rcx: int
    rdx: int
    exception: str | None
    at: int
    error_code: int
    cr2: int


def run(source: str, *, user: str | None = None) -> Outcome:
    """Run a snippet of 64-bit code, then one in ring 3 if given, on a machine with all its parts."""
    memory = snippets.memory()
    enter = f"{PUSH_USER}; push 2; push {USER_CS}; push {USER_CODE}; iretq"
    memory[CODE] = snippets.assemble(f"{source}; {enter if user else 'int 0x40'}", CODE)
    memory[USER_CODE] = snippets.assemble(f"{user}; int 0x40", USER_CODE) if user else b""
    end = "mov r12, rax; mov al, 0; out 0xf4, al; hlt"
    for vector in (*CAUGHT, 0x40):
        address = HANDLERS + 0x40 * vector
        error_code = "pop r13" if vector in (8, 13, 14) else "xor r13d, r13d"
        memory[address] = snippets.assemble(f"{error_code}; pop r14; mov r15d, {vector}; {end}", address)
    machine = Machine(MachineConfig(snippets.RAM_BYTES), lambda _: None)
    try:
        machine.load(LoadedImage("multiboot1", ENTRY, 0, 0, tuple(memory.items()), (), None, ""))
        assert machine.run(50_000_000).reason == "guest"
        rax, rbx, rcx, rdx, r13, r14, r15 = (
            machine.engine.register(name) for name in ("r12", "rbx", "rcx", "rdx", "r13", "r14", "r15")
        )
        cr2 = machine.engine.register("cr2")
        return Outcome(rax, rbx, rcx, rdx, CAUGHT.get(r15), r14, r13, cr2)
    finally:
        machine.engine.close()


def cr4(bit: int) -> str:
    return f"mov rax, cr4; bts rax, {bit}; mov cr4, rax"


def read_msr(index: int) -> str:
    return f"mov ecx, {index}; rdmsr; shl rdx, 32; or rax, rdx"


def write_msr(index: int, value: int) -> str:
    return f"mov ecx, {index}; mov eax, {value & 0xFFFFFFFF}; mov edx, {value >> 32}; wrmsr"


#: CRC-32C of the digits 1 to 9 is known to everyone (RFC 3720, appendix B.4, in another order of bytes).
CRC = "; ".join(f"mov ebx, {digit}; crc32 eax, bl" for digit in b"123456789")
CLEAR = "xor eax, eax; xor edx, edx"
HUGE = 1 << 30  # the second GiB, mapped to the first
MAP_HUGE = f"mov rax, 0x83; mov ecx, {snippets.PDPT + 8}; mov [rcx], rax; mov ecx, {HUGE + DATA}"

#: For each feature a snippet, and what it must leave in RAX (None: only that it runs).
USES: dict[str, tuple[str, int | None]] = {
    "fpu": (f"fninit; fld1; fadd st(0), st(0); mov ecx, {DATA}; fistp qword ptr [rcx]; mov rax, [rcx]", 2),
    "de": (f"{cr4(3)}; mov rax, dr7; and eax, 0x400", 0x400),
    "pse": (f"{cr4(4)}; mov rax, cr4; and eax, 0x10", 0x10),
    "tsc": ("rdtsc; mov ebx, eax; rdtsc; sub eax, ebx; cmp eax, 0; setg al; movzx eax, al", 1),
    "msr": (read_msr(0xC0000082), 0),
    "pae": ("mov rax, cr4; and eax, 0x20", 0x20),
    "mce": (f"{cr4(6)}; mov rax, cr4; and eax, 0x40", 0x40),
    "cx8": (f"mov esi, {DATA}; {CLEAR}; mov ebx, 7; xor ecx, ecx; cmpxchg8b [rsi]; mov eax, [rsi]", 7),
    "apic": (read_msr(0x1B), 0xFEE00900),
    "sep": (f"{write_msr(0x175, 0x1234)}; {read_msr(0x175)}", 0x1234),
    "pge": (f"{cr4(7)}; mov rax, cr4; and eax, 0x80", 0x80),
    "mca": (read_msr(0x17A), 0),
    "cmov": ("mov eax, 1; mov ebx, 5; test eax, eax; cmovnz eax, ebx", 5),
    "pat": (read_msr(0x277), 0x0007040600070406),
    "pse36": ("mov eax, 1", 1),  # of 32-bit paging: nothing to execute
    "clflush": (f"mov ecx, {DATA}; mov eax, 9; mov [rcx], eax; clflush [rcx]; mov eax, [rcx]", 9),
    "mmx": ("mov eax, 3; movd mm0, eax; paddd mm0, mm0; movd eax, mm0; emms", 6),
    "fxsr": (f"mov ecx, {DATA}; fxsave [rcx]; fxrstor [rcx]; mov eax, [rcx + 24]", 0x1F80),
    "sse": ("mov eax, 0x40000000; movd xmm0, eax; addss xmm0, xmm0; movd eax, xmm0", 0x40800000),
    "sse2": ("mov eax, 3; movq xmm0, rax; paddq xmm0, xmm0; movq rax, xmm0", 6),
    "sse3": ("mov eax, 0x3f800000; movd xmm0, eax; haddps xmm0, xmm0; movd eax, xmm0", 0x3F800000),
    "pclmulqdq": ("mov eax, 3; movq xmm0, rax; pclmulqdq xmm0, xmm0, 0; movq rax, xmm0", 5),
    "ssse3": ("mov eax, -4; movd xmm0, eax; pabsd xmm0, xmm0; movd eax, xmm0", 4),
    "cx16": (f"mov esi, {DATA}; {CLEAR}; mov ebx, 7; mov ecx, 8; cmpxchg16b [rsi]; mov rax, [rsi + 8]", 8),
    "pcid": (f"{cr4(17)}; mov rax, cr3; or eax, 5; bts rax, 63; mov cr3, rax; mov rax, cr3",
             snippets.PML4 | 5),
    "sse4_1": ("mov eax, 7; movd xmm0, eax; pmulld xmm0, xmm0; movd eax, xmm0", 49),
    "sse4_2": (f"mov eax, -1; {CRC}; not eax", 0xE3069283),
    "movbe": (f"mov ecx, {DATA}; mov eax, 0x11223344; mov [rcx], eax; movbe eax, [rcx]", 0x44332211),
    "popcnt": ("mov rax, 0xff00ff; popcnt rax, rax", 16),
    "tsc_deadline": (f"{write_msr(0x6E0, 0)}; {read_msr(0x6E0)}", 0),
    "aes": ("pxor xmm0, xmm0; pxor xmm1, xmm1; aesenc xmm0, xmm1; movd eax, xmm0", 0x63636363),
    "fsgsbase": (f"{cr4(16)}; mov rbx, 0x1234567890; wrgsbase rbx; rdgsbase rax", 0x1234567890),
    "bmi1": ("mov eax, 0xf0; mov ebx, 0xff; andn eax, eax, ebx; blsr eax, eax; tzcnt eax, eax", 1),
    "smep": ("", None),  # below, with its fault
    "bmi2": ("mov eax, 0x12345678; mov ebx, 0xff00; pext eax, eax, ebx; rorx eax, eax, 4", 0x60000005),
    "erms": (f"mov edi, {DATA}; mov esi, {CODE}; mov ecx, 8; rep movsb; mov eax, edi", DATA + 8),
    "invpcid": (f"mov ecx, {DATA}; mov eax, 2; invpcid rax, [rcx]; mov eax, 1", 1),
    "adx": ("stc; mov eax, 1; mov ebx, 1; adcx eax, ebx; clc; adox eax, ebx", 4),
    "smap": ("", None),
    "syscall": (f"{write_msr(0xC0000082, CODE + 0x100)}; {read_msr(0xC0000082)}", CODE + 0x100),
    "nx": (f"{read_msr(0xC0000080)}; and eax, 0x800", 0x800),
    "gib_pages": (f"mov eax, 77; mov ecx, {DATA}; mov [rcx], rax; {MAP_HUGE}; mov rax, [rcx]", 77),
    "rdtscp": (f"{write_msr(0xC0000103, 0x55)}; rdtscp; mov eax, ecx", 0x55),
    "long_mode": ("mov rax, 0x123456789abc", 0x123456789ABC),
    "lahf": ("xor eax, eax; lahf; shr eax, 8; and eax, 0x44", 0x44),
    "lzcnt": ("mov eax, 1; lzcnt rax, rax", 63),
    "prefetchw": (f"mov ecx, {DATA}; prefetchw [rcx]; mov eax, 1", 1),
}  # fmt: skip
#: Once on, they keep ring 0 from the pages of ring 3, which are all but for this: it leaves DATA alone open,
#: and RCX pointing to it.
GUARDS = {"smep": 20, "smap": 21}  # bits of CR4
ONLY_DATA_IS_THE_USERS = (
    f"mov esi, {PAGE_TABLE}; mov ecx, 512; close: and byte ptr [rsi], 0xfb; add rsi, 8; loop close;"
    f"mov ecx, {DATA}; mov esi, {PAGE_TABLE + 8 * (DATA >> 12)}; or byte ptr [rsi], 4;"
    "mov rax, cr3; mov cr3, rax"
)
ADVERTISED = {
    **cpuid.LEAF_1_EDX, **cpuid.LEAF_1_ECX, **cpuid.LEAF_7_EBX,
    **cpuid.EXTENDED_1_EDX, **cpuid.EXTENDED_1_ECX,
}  # fmt: skip


def test_every_feature_that_is_offered_is_used_here() -> None:
    assert set(USES) == set(ADVERTISED)


@pytest.mark.parametrize("feature", [name for name in USES if name not in GUARDS])
def test_a_feature_that_is_offered_works(feature: str) -> None:
    source, expected = USES[feature]
    outcome = run(source)
    assert outcome.exception is None
    assert expected is None or outcome.rax == expected


@pytest.mark.parametrize(
    ("guard", "use", "exception", "error_code"),
    [
        ("smap", "mov eax, [rcx]", "#PF", 0b00001),
        ("smap", "mov [rcx], eax", "#PF", 0b00011),
        ("smap", "stac; mov eax, [rcx]", None, 0),
        ("smap", "stac; clac; mov eax, [rcx]", "#PF", 0b00001),
        ("smep", "mov eax, [rcx]", None, 0),
        ("smep", "call rcx", "#PF", 0b10001),
        ("smep", "stac; call rcx", "#PF", 0b10001),
    ],
)
def test_a_guard_that_is_offered_keeps_ring_0_from_the_pages_of_ring_3(
    guard: str, use: str, exception: str | None, error_code: int
) -> None:
    outcome = run(f"{ONLY_DATA_IS_THE_USERS}; mov byte ptr [rcx], 0xc3; {cr4(GUARDS[guard])}; {use}")
    assert (outcome.exception, outcome.error_code) == (exception, error_code)


@pytest.mark.parametrize(("leaf", "subleaf"), [(1, 0), (7, 0), (0x80000001, 0)])
def test_the_guest_reads_the_bits_of_the_features_and_no_others(leaf: int, subleaf: int) -> None:
    tables = {
        1: (None, None, cpuid.LEAF_1_ECX, cpuid.LEAF_1_EDX),
        7: (None, cpuid.LEAF_7_EBX, {}, {}),
        0x80000001: (None, None, cpuid.EXTENDED_1_ECX, cpuid.EXTENDED_1_EDX),
    }[leaf]
    outcome = run(f"mov eax, {leaf}; mov ecx, {subleaf}; cpuid")
    for table, register in zip(tables, (outcome.rax, outcome.rbx, outcome.rcx, outcome.rdx), strict=True):
        if table is not None:
            assert {bit for bit in range(32) if register >> bit & 1} == set(table.values())


def test_the_floating_point_units_begin_as_after_a_reset() -> None:
    outcome = run(f"mov esi, {DATA}; fxsave [rsi]; mov eax, [rsi + 24]; movzx ebx, word ptr [rsi];"
                  "movzx ecx, byte ptr [rsi + 4]")  # fmt: skip
    masked, control, no_register_in_use = 0x1F80, 0x037F, 0
    assert (outcome.rax, outcome.rbx, outcome.rcx) == (masked, control, no_register_in_use)


#: Where INVPCID's operand is, from ring 0: the exception, its error code, CR2.
OPERANDS = {
    "not mapped": ("mov ecx, 0x40000000", ("#PF", 0, 0x40000000)),
    "its second half not mapped": (
        f"mov ecx, {DATA + 0xFF8}; mov esi, {PAGE_TABLE + 8 * (DATA >> 12) + 8}; and byte ptr [rsi], 0xfe",
        ("#PF", 0, DATA + 0x1000),
    ),
    "not canonical": ("mov ecx, 1; shl rcx, 50", ("#GP", 0, 0)),
}


@pytest.mark.parametrize("where", OPERANDS)
def test_invpcid_faults_where_its_operand_cannot_be_read(where: str) -> None:
    source, expected = OPERANDS[where]
    outcome = run(f"{source}; mov eax, 2; invpcid rax, [rcx]")
    assert (outcome.exception, outcome.error_code, outcome.cr2) == expected


def test_invpcid_is_not_for_ring_3_whatever_its_operand() -> None:
    outcome = run("nop", user="mov ecx, 0x40000000; mov eax, 2; invpcid rax, [rcx]")
    assert (outcome.exception, outcome.error_code) == ("#GP", 0)


def test_avx_which_is_not_offered_does_not_exist() -> None:
    assert run(".byte 0xc5, 0xfc, 0x58, 0xc0").exception == "#UD"  # vaddps ymm0, ymm0, ymm0
    assert run("xor ecx, ecx; .byte 0x0f, 0x01, 0xd0").exception == "#UD"  # xgetbv


@pytest.mark.parametrize("code", ["0x0f, 0xc7, 0xf0", "0x48, 0x0f, 0xc7, 0xfa"], ids=["rdrand", "rdseed"])
def test_the_hosts_randomness_does_not_reach_the_guest(code: str) -> None:
    outcome = run(f"nop; nop; .byte {code}")
    assert (outcome.exception, outcome.at) == ("#UD", CODE + 2)


@pytest.mark.parametrize(
    ("way_out", "exception"),
    [("sysexitq", "#GP"), (f"{write_msr(0xC0000080, 0xD00)}; nop; nop; sysretq", "#UD")],
    ids=["sysexit without SYSENTER_CS", "sysret without EFER.SCE"],
)
def test_a_way_out_that_is_not_set_up_faults_at_itself(way_out: str, exception: str) -> None:
    outcome = run(f"jmp on; on: nop; nop; {way_out}")
    assert outcome.exception == exception
    code = snippets.assemble(f"jmp on; on: nop; nop; {way_out}", CODE)
    assert outcome.at == CODE + len(code) - 3


# ---- model-specific registers ----


@pytest.mark.parametrize("access", ["rdmsr", "wrmsr"])
@pytest.mark.parametrize("index", [0x12345, 0x4000_0000, 0xC000_0200, 0x34])
def test_a_register_that_does_not_exist_is_a_general_protection_fault(access: str, index: int) -> None:
    before = f"mov ecx, {index}; xor eax, eax; xor edx, edx"
    outcome = run(f"{before}; {access}")
    assert (outcome.exception, outcome.error_code) == ("#GP", 0)
    assert outcome.at == CODE + len(snippets.assemble(before, CODE))


PRIVILEGED = (read_msr(0x10), write_msr(0xC0000082, 1), "mov rax, cr0", "hlt", "lidt [rax]", "swapgs", "invd")


@pytest.mark.parametrize("access", PRIVILEGED)
def test_privileged_instructions_are_for_ring_0(access: str) -> None:
    outcome = run("nop", user=access)
    assert (outcome.exception, outcome.error_code) == ("#GP", 0)


def test_the_time_stamp_counter_can_be_set_and_goes_on_from_there() -> None:
    read_counter = "rdtsc; shl rdx, 32; or rax, rdx"
    outcome = run(f"{write_msr(0x10, 5 << 40)}; {read_counter}; mov rbx, rax; {read_msr(0x10)}")
    assert 0 <= outcome.rbx - (5 << 40) < 2000
    assert 0 < outcome.rax - outcome.rbx < 2000


def test_between_two_readings_of_the_counter_lie_the_cycles_of_what_was_executed() -> None:
    cost = skylake().cost
    source = "rdtsc; jmp go; go: rdtsc; mov ebx, eax; {} rdtsc; sub eax, ebx"
    none, five = (run(source.format("mfence;" * fences)).rax for fences in (0, 5))
    delivery = 5 / skylake().width
    assert delivery - 1 < five - none - 5 * cost["mfence"] < delivery + 1  # a reading has whole cycles


def test_the_time_stamp_can_be_kept_from_ring_3() -> None:
    assert run("nop", user="rdtsc").exception is None
    assert run(cr4(2), user="rdtsc").exception == "#GP"
    assert run(cr4(2) + "; rdtsc").exception is None


def test_rdtscp_returns_what_tsc_aux_holds() -> None:
    outcome = run(f"{write_msr(0xC0000103, 0xABCD)}; {read_msr(0xC0000103)}; mov rbx, rax; rdtscp")
    assert (outcome.rbx, outcome.rcx) == (0xABCD, 0xABCD)


def test_the_local_apic_is_where_it_is_after_a_reset_and_stays_there() -> None:
    assert run(read_msr(0x1B)).rax == 0xFEE00900
    assert run(f"{write_msr(0x1B, 0xFEE00100)}; {read_msr(0x1B)}").rax == 0xFEE00100
    assert run(write_msr(0x1B, 0xFEE00C00)).exception == "#GP"  # x2APIC is not offered
    assert run(write_msr(0x1B, 0xFEE00901)).exception == "#GP"  # a reserved bit


def test_cr8_is_the_task_priority() -> None:
    assert run("mov eax, 9; mov cr8, rax; xor eax, eax; mov rax, cr8").rax == 9


@pytest.mark.parametrize(
    "write",
    [
        "mov rax, cr4; bts rax, 40; mov cr4, rax",
        "mov rax, cr4; btr rax, 5; mov cr4, rax",  # PAE, in long mode
        "mov rax, cr0; bts rax, 29; btr rax, 30; mov cr0, rax",  # NW without CD
        "mov rax, cr0; btr rax, 0; mov cr0, rax",  # PG without PE
        "mov rax, cr3; bts rax, 45; mov cr3, rax",  # beyond the physical address
        "mov rax, cr3; bts rax, 63; mov cr3, rax",  # without PCIDE
    ],
)
def test_a_control_register_refuses_what_the_architecture_forbids(write: str) -> None:
    outcome = run(write)
    assert (outcome.exception, outcome.error_code) == ("#GP", 0)
