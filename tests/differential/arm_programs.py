# SPDX-License-Identifier: GPL-2.0-or-later
"""Random programs of AArch64 code that always end: straight pieces, branches, loops, calls.

X28 points into the data and X27 counts loops; no instruction writes to either, or to SP but in pairs.
X16 to X18 are left to handlers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

from tests.differential.programs import DATA_BYTES, joined

if TYPE_CHECKING:
    from collections.abc import Callable

NUMBERS = tuple(range(16))
CONDITIONS = ("eq", "ne", "hs", "lo", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le")
VECTOR = (
    "add {}.16b, {}.16b, {}.16b", "sub {}.2d, {}.2d, {}.2d", "eor {}.16b, {}.16b, {}.16b",
    "and {}.16b, {}.16b, {}.16b", "cmeq {}.4s, {}.4s, {}.4s", "mul {}.8h, {}.8h, {}.8h",
    "smax {}.4s, {}.4s, {}.4s", "zip1 {}.16b, {}.16b, {}.16b", "uzp2 {}.4s, {}.4s, {}.4s",
    "tbl {}.16b, {{{}.16b}}, {}.16b", "fadd {}.2d, {}.2d, {}.2d", "fmul {}.4s, {}.4s, {}.4s",
    "umull {}.2d, {}.2s, {}.2s", "sqadd {}.8h, {}.8h, {}.8h",
)  # fmt: skip
ADDRESS_MODES = ("[x28, #{}]", "[x9]", "[x9, #{}]!", "[x9], #{}", "[x28, x10]")

widths = st.sampled_from("wx")
conditions = st.sampled_from(CONDITIONS)
shifts = st.sampled_from(("lsl", "lsr", "asr", "ror"))
fields = st.sampled_from(("ubfx", "sbfx", "bfi", "bfxil", "ubfiz", "sbfiz"))
numbers = st.sampled_from(NUMBERS)
places = st.integers(0, DATA_BYTES - 32)  # sometimes across a line or a page


def registers(draw: Callable, count: int, width: str | None = None) -> tuple[str, ...]:
    width = width or draw(widths)
    return tuple(f"{width}{draw(numbers)}" for _ in range(count))


@st.composite
def arithmetic(draw: Callable) -> str:
    width = draw(widths)
    a, b, c = registers(draw, 3, width)
    amount = draw(st.integers(0, 31))
    name = draw(st.sampled_from("add adds sub subs".split()))
    extend = draw(st.sampled_from("uxtb uxth sxtb sxth uxtw sxtw".split()))
    return draw(
        st.sampled_from(
            (
                f"{name} {a}, {b}, {c}", f"{name} {a}, {b}, #{draw(st.integers(0, 4095))}",
                f"{name} {a}, {b}, {c}, {draw(st.sampled_from(('lsl', 'lsr', 'asr')))} #{amount}",
                f"{name} {a}, {b}, w{c[1:]}, {extend} #{draw(st.integers(0, 4))}",
                f"{draw(st.sampled_from(('adc', 'adcs', 'sbc', 'sbcs')))} {a}, {b}, {c}",
                f"ccmp {a}, {b}, #{draw(st.integers(0, 15))}, {draw(conditions)}",
                f"ccmn {a}, #{amount}, #{draw(st.integers(0, 15))}, {draw(conditions)}",
                f"cs{draw(st.sampled_from(('el', 'inc', 'inv', 'neg')))} {a}, {b}, {c}, {draw(conditions)}",
            )
        )
    )  # fmt: skip


@st.composite
def logic(draw: Callable) -> str:
    width = draw(widths)
    a, b, c = registers(draw, 3, width)
    bits = 64 if width == "x" else 32
    low = draw(st.integers(0, bits - 1))
    length = draw(st.integers(1, bits - low))
    name = draw(st.sampled_from("and ands orr eor bic bics orn eon".split()))
    mask = (1 << draw(st.integers(1, bits - 1))) - 1
    return draw(
        st.sampled_from(
            (
                f"{name} {a}, {b}, {c}, {draw(shifts)} #{low}",
                f"{draw(st.sampled_from(('and', 'ands', 'orr', 'eor')))} {a}, {b}, #{mask:#x}",
                f"{draw(fields)} {a}, {b}, #{low}, #{length}"
                if length + low <= bits else f"clz {a}, {b}",
                f"extr {a}, {b}, {c}, #{low}", f"{draw(shifts)} {a}, {b}, {c}",
                f"{draw(st.sampled_from(('clz', 'cls', 'rbit', 'rev', 'rev16')))} {a}, {b}",
                f"movz {a}, #{draw(st.integers(0, 0xFFFF))}",
                f"movk {a}, #{draw(st.integers(0, 0xFFFF))}, lsl #16",
                f"movn {a}, #{draw(st.integers(0, 0xFFFF))}", "mrs x11, nzcv", "msr nzcv, x11",
            )
        )
    )  # fmt: skip


@st.composite
def multiplication(draw: Callable) -> str:
    a, b, c, d = registers(draw, 4)
    w = [f"w{name[1:]}" for name in (a, b, c, d)]
    x = [f"x{name[1:]}" for name in (a, b, c, d)]
    return draw(
        st.sampled_from(
            (
                f"madd {a}, {b}, {c}, {d}", f"msub {a}, {b}, {c}, {d}",
                f"udiv {a}, {b}, {c}", f"sdiv {a}, {b}, {c}",
                f"umulh {x[0]}, {x[1]}, {x[2]}", f"smulh {x[0]}, {x[1]}, {x[2]}",
                f"smaddl {x[0]}, {w[1]}, {w[2]}, {x[3]}", f"umsubl {x[0]}, {w[1]}, {w[2]}, {x[3]}",
                f"crc32b {w[0]}, {w[1]}, {w[2]}", f"crc32cx {w[0]}, {w[1]}, {x[2]}",
            )
        )
    )  # fmt: skip


#: Loads and stores.
SINGLES = ("ldr x{}", "ldr w{}", "ldrb w{}", "ldrh w{}", "ldrsb x{}", "ldrsh w{}", "ldrsw x{}",
           "str x{}", "str w{}", "strb w{}", "strh w{}", "ldr q{}", "str q{}", "ldr d{}",
           "str s{}")  # fmt: skip


@st.composite
def access(draw: Callable) -> str:
    """One register and memory; X9 and X10 are the address, and no target of these."""
    target = draw(numbers.filter(lambda number: number not in (9, 10)))
    single = draw(st.sampled_from(SINGLES)).format(target)
    mode = draw(st.sampled_from(ADDRESS_MODES)).format(draw(st.integers(0, 255)))
    return f"add x9, x28, #{draw(places) // 2}; movz x10, #{draw(places)}; {single}, {mode}"


@st.composite
def pair(draw: Callable) -> str:
    a, b = draw(st.lists(st.sampled_from((0, 1, 2, 3, 4, 5, 6, 7)), min_size=2, max_size=2, unique=True))
    name, kind = draw(st.sampled_from(("ldp", "stp"))), draw(st.sampled_from("wxdq"))
    size = {"w": 4, "x": 8, "d": 8, "q": 16}[kind]
    mode = draw(st.sampled_from(("[x9]", "[x9, #{}]", "[x9, #{}]!", "[x9], #{}"))).format(
        draw(st.integers(0, 15)) * size
    )
    return f"add x9, x28, #{draw(places) // 2}; {name} {kind}{a}, {kind}{b}, {mode}"


@st.composite
def exclusive(draw: Callable) -> str:
    """Aligned, as they must be; nobody else writes, so that the store succeeds."""
    size, suffix, width = draw(st.sampled_from(((8, "", "x"), (4, "", "w"), (2, "h", "w"), (1, "b", "w"))))
    acquire, release = draw(st.sampled_from(("", "a"))), draw(st.sampled_from(("", "l")))
    address = f"add x9, x28, #{draw(places) // size * size}"
    one = f"ld{acquire}xr{suffix} {width}1, [x9]; add w2, w1, #3; st{release}xr{suffix} w3, {width}2, [x9]"
    ordered = f"ldar{suffix} {width}4, [x9]; stlr{suffix} {width}5, [x9]"
    two = f"add x9, x28, #{draw(places) // 16 * 16}; ldxp x1, x2, [x9]; stxp w3, x2, x1, [x9]"
    zero = f"add x9, x28, #{draw(places) // 64 * 64}; dc zva, x9"
    return draw(st.sampled_from((f"{address}; {one}", f"{address}; {ordered}", two, zero)))


@st.composite
def vector(draw: Callable) -> str:
    a, b, c = (f"v{draw(st.integers(0, 7))}" for _ in range(3))
    move = f"fmov d{a[1:]}, x{draw(numbers)}; umov x{draw(numbers)}, {b}.d[1]; dup {c}.4s, w{draw(numbers)}"
    convert = f"scvtf d{a[1:]}, x{draw(numbers)}; fcvtzs x{draw(numbers)}, d{b[1:]}; fcmp d{a[1:]}, d{c[1:]}"
    return draw(st.sampled_from((draw(st.sampled_from(VECTOR)).format(a, b, c), move, convert)))


@st.composite
def stack(draw: Callable) -> str:
    a, b, c, d = registers(draw, 4, "x")
    c, d = (c, d) if c != d else ("x1", "x2")
    return draw(
        st.sampled_from((f"stp {a}, {b}, [sp, #-16]!; ldp {c}, {d}, [sp], #16",
                         f"str {a}, [sp, #-16]!; ldr {b}, [sp], #16"))
    )  # fmt: skip


instructions = st.one_of(
    arithmetic(), arithmetic(), logic(), logic(), multiplication(), access(), access(), pair(), exclusive(),
    vector(), stack(),
)  # fmt: skip
straight = st.lists(instructions, min_size=1, max_size=10)


@st.composite
def conditional(draw: Callable, target: str) -> str:
    name = f"{draw(widths)}{draw(numbers)}"
    bit = draw(st.integers(0, 31))
    return draw(
        st.sampled_from(
            (
                f"b.{draw(conditions)} {target}", f"cbz {name}, {target}", f"cbnz {name}, {target}",
                f"tbz {name}, #{bit}, {target}", f"tbnz {name}, #{bit}, {target}",
            )
        )
    )  # fmt: skip


@st.composite
def pieces(draw: Callable, label: int) -> list[str]:
    """A piece of a program; labels end with the piece's number."""
    body = draw(straight)
    kind = draw(st.sampled_from(("straight", "branch", "either", "loop", "call", "indirect")))
    past = f"past{label}"
    match kind:
        case "branch":
            return [draw(conditional(past)), *body, f"{past}:"]
        case "either":
            other, here = draw(straight), f"else{label}"
            return [draw(conditional(here)), *body, f"b {past}", f"{here}:", *other, f"{past}:"]
        case "loop":
            count = f"movz x27, #{draw(st.integers(1, 5))}"
            return [count, f"loop{label}:", *body, "sub x27, x27, #1", f"cbnz x27, loop{label}"]
        case "call":
            return [f"b {past}", f"call{label}:", *body, "ret", f"{past}:", f"bl call{label}"]
        case "indirect":
            return [f"adr x30, {past}", *body, "br x30", *body, f"{past}:"]
        case _:
            return body


programs = joined(pieces)
