# SPDX-License-Identifier: GPL-2.0-or-later
"""Random programs of x86-64 integer and vector code that always end: straight pieces, branches, loops, calls.

RBX points into the data and R15 counts loops; no instruction writes to either, or to RSP but in pairs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable

DATA_BYTES = 2048
NAMES = ("ax", "cx", "dx", "si", "di", "bp")
REGISTERS = {
    64: (*(f"r{name}" for name in NAMES), *(f"r{n}" for n in range(8, 15))),
    32: (*(f"e{name}" for name in NAMES), *(f"r{n}d" for n in range(8, 15))),
    16: (*NAMES, *(f"r{n}w" for n in range(8, 15))),
    8: ("al", "cl", "dl", "sil", "dil", "bpl", *(f"r{n}b" for n in range(8, 15))),
}
SIZES = {8: "byte", 16: "word", 32: "dword", 64: "qword"}
CONDITIONS = ("o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g")
VECTOR = (
    "paddb",
    "paddd",
    "psubq",
    "pxor",
    "por",
    "pand",
    "pcmpeqd",
    "pshufb",
    "pmuludq",
    "punpcklbw",
    "addpd",
)

widths = st.sampled_from((8, 16, 32, 64))
wide = st.sampled_from((16, 32, 64))
conditions = st.sampled_from(CONDITIONS)


def register(width: int) -> st.SearchStrategy[str]:
    return st.sampled_from(REGISTERS[width])


def memory(width: int) -> st.SearchStrategy[str]:
    """Somewhere in the data; sometimes across a line or a page."""
    return st.integers(0, DATA_BYTES - 16).map(lambda at: f"{SIZES[width]} ptr [rbx + {at}]")


def immediate(width: int) -> st.SearchStrategy[int]:
    bits = min(width, 31)
    return st.one_of(st.integers(-128, 127), st.integers(-(1 << bits - 1), (1 << bits - 1) - 1))


@st.composite
def two_operands(draw: Callable) -> str:
    width = draw(widths)
    name = draw(st.sampled_from("add or adc sbb and sub xor cmp mov test".split()))
    target = draw(st.one_of(register(width), memory(width)))
    source = register(width) if "[" in target else st.one_of(register(width), memory(width))
    if name == "test":
        source = register(width)
    return f"{name} {target}, {draw(st.one_of(source, immediate(width).map(str)))}"


@st.composite
def one_operand(draw: Callable) -> str:
    width = draw(widths)
    name = draw(st.sampled_from("inc dec neg not mul imul".split()))
    return f"{name} {draw(st.one_of(register(width), memory(width)))}"


@st.composite
def shift(draw: Callable) -> str:
    width = draw(widths)
    name = draw(st.sampled_from("shl shr sar rol ror rcl rcr".split()))
    target = draw(st.one_of(register(width), memory(width)))
    return f"{name} {target}, {draw(st.one_of(st.just('cl'), st.integers(0, 63).map(str)))}"


@st.composite
def wide_operation(draw: Callable) -> str:
    width = draw(wide)
    a, b = draw(register(width)), draw(st.one_of(register(width), memory(width)))
    bit = draw(st.integers(0, width - 1))
    # The other flags are undefined then, and the engine's depend on how it translated the code.
    use_carry = f"adc {a}, 0"
    return draw(
        st.sampled_from(
            (
                f"imul {a}, {b}", f"bt {a}, {bit}; {use_carry}", f"bts {b}, {bit}; {use_carry}",
                f"btc {a}, {bit}; {use_carry}", f"popcnt {a}, {b}",
                f"tzcnt {a}, {b}", f"lzcnt {a}, {b}", f"cmov{draw(conditions)} {a}, {b}", f"xadd {b}, {a}",
                f"cmpxchg {b}, {a}", f"xchg {b}, {a}", f"lock add {draw(memory(width))}, {a}",
                f"shld {b}, {a}, {bit}", f"shrd {b}, {a}, cl", f"movbe {a}, {draw(memory(width))}",
            )
        )
    )  # fmt: skip


@st.composite
def conversion(draw: Callable) -> str:
    small = draw(st.one_of(register(8), memory(8)))
    return draw(
        st.sampled_from(
            (
                f"movzx {draw(register(32))}, {small}", f"movsx {draw(register(64))}, {small}",
                f"movsxd {draw(register(64))}, {draw(register(32))}", f"bswap {draw(register(64))}",
                "cdq", "cqo", "cwde", "cdqe", "cbw", "lahf", "sahf", "clc", "stc", "cmc",
                f"set{draw(conditions)} {small}",
                f"lea {draw(register(64))}, [{draw(register(64))} + {draw(register(64))}*4 + 77]",
                f"crc32 {draw(register(32))}, {draw(register(8))}",
            )
        )
    )  # fmt: skip


@st.composite
def stack(draw: Callable) -> str:
    return draw(
        st.sampled_from(
            (
                f"push {draw(register(64))}; pop {draw(register(64))}", f"pushfq; pop {draw(register(64))}",
                f"push {draw(immediate(32))}; pop {draw(register(64))}",
                f"push {draw(memory(64))}; add qword ptr [rsp], 5; pop {draw(memory(64))}",
            )
        )
    )  # fmt: skip


#: Opcodes by operation, for elements of a byte; the next one is for wider elements.
STRINGS = {"movs": 0xA4, "cmps": 0xA6, "stos": 0xAA, "lods": 0xAC, "scas": 0xAE}
PREFIXES = {"": (), "repe": (0xF3,), "repne": (0xF2,)}


@st.composite
def string(draw: Callable) -> str:
    width, prefix = draw(widths), draw(st.sampled_from(tuple(PREFIXES.values())))
    code = [*(0x66,) * (width == 16), *prefix, *(0x48,) * (width == 64)]
    code.append(STRINGS[draw(st.sampled_from(tuple(STRINGS)))] + (width > 8))
    source, target = (draw(st.integers(320, DATA_BYTES - 400)) for _ in range(2))
    count, direction = draw(st.integers(0, 40)), "std" if draw(st.booleans()) else "cld"
    registers = f"lea rsi, [rbx + {source}]; lea rdi, [rbx + {target}]; mov ecx, {count}"
    return f"{direction}; {registers}; .byte {', '.join(map(str, code))}; cld"


@st.composite
def vector(draw: Callable) -> str:
    a, b = (draw(st.integers(0, 7)) for _ in range(2))
    at = draw(st.integers(0, DATA_BYTES - 16))
    return draw(
        st.sampled_from(
            (
                f"movdqu xmm{a}, [rbx + {at}]", f"movdqu [rbx + {at}], xmm{a}",
                f"movq xmm{a}, {draw(register(64))}", f"movq {draw(register(64))}, xmm{a}",
                f"{draw(st.sampled_from(VECTOR))} xmm{a}, xmm{b}",
            )
        )
    )  # fmt: skip


instructions = st.one_of(
    two_operands(), two_operands(), one_operand(), shift(), wide_operation(), conversion(), stack(), string(),
    vector(),
)  # fmt: skip
straight = st.lists(instructions, min_size=1, max_size=10)


@st.composite
def pieces(draw: Callable, label: int) -> list[str]:
    """A piece of a program; labels begin with the piece's number."""
    body = draw(straight)
    kind = draw(st.sampled_from(("straight", "branch", "either", "loop", "call", "indirect")))
    match kind:
        case "branch":
            return [f"j{draw(conditions)} past{label}", *body, f"past{label}:"]
        case "either":
            other = draw(straight)
            return [f"j{draw(conditions)} else{label}", *body, f"jmp past{label}", f"else{label}:", *other,
                    f"past{label}:"]  # fmt: skip
        case "loop":
            return [
                f"mov r15d, {draw(st.integers(1, 5))}",
                f"loop{label}:",
                *body,
                "dec r15d",
                f"jnz loop{label}",
            ]
        case "call":
            return [f"jmp past{label}", f"call{label}:", *body, "ret", f"past{label}:", f"call call{label}"]
        case "indirect":
            return [f"lea rax, [rip + past{label}]", "push rax", *body, "ret", *body, f"past{label}:"]
        case _:
            return body


@st.composite
def joined(draw: Callable, pieces: Callable[[int], st.SearchStrategy[list[str]]]) -> str:
    """The source of a program of some pieces, each with labels of its own, without what ends it."""
    count = draw(st.integers(1, 6))
    return "\n".join(line for label in range(count) for line in draw(pieces(label)))


programs = joined(pieces)
