# SPDX-License-Identifier: GPL-2.0-or-later
"""The snippets: what is repeated, how often, and which figure of a profile its cycles give.

Each is one body of a loop, repeated COPIES times in it. A chain of dependent instructions gives a latency,
independent ones a throughput; both in cycles of one copy.
"""

from __future__ import annotations

from dataclasses import dataclass

COPIES = 24
DIVIDEND = "or eax, 0x70000000; xor edx, edx"
#: What a division takes grows with the length of its quotient: these leave quotients of half the bits.
DIVISOR_32, DIVISOR_64 = "mov ebx, 0x10003", "mov rbx, 0x100000003"


@dataclass(frozen=True)
class Snippet:
    """``body`` has ``operations`` of what is measured; ``beside`` cycles of it are other instructions'."""

    path: str
    body: str
    operations: int = 1
    beside: int = 0
    setup: str = ""

    @property
    def source(self) -> str:
        """The assembly of the loop: r8 is memory of its own, rsi counts; returns by RET."""
        return (
            f"push rbx; mov r8, rdi; {self.setup or 'nop'}; again: {(self.body + ';') * COPIES} "
            "dec rsi; jnz again; pop rbx; ret; leaf: ret"
        )


ZERO = "mov qword ptr [r8], 0; xor eax, eax"
INDEPENDENT = ("rax", "rbx", "rcx", "rdx", "r9", "r10", "r11", "rdi")


def _each(template: str, registers: tuple[str, ...] = INDEPENDENT) -> str:
    return "; ".join(template.format(register) for register in registers)


XMM = tuple(f"xmm{number}" for number in range(8))
ONES = "mov eax, 0x3ff00001; shl rax, 32; movq xmm8, rax; movq xmm0, rax"
NUMBERS = ONES + "; " + "; ".join(f"movq {register}, rax" for register in XMM)

LATENCIES = (
    Snippet("alu", "add rax, rbx"),
    Snippet("move", "mov rax, rbx; mov rbx, rax", 2),
    Snippet("lea", "lea rax, [rax + rbx]"),
    Snippet("mul", "imul rax, rbx", setup="mov ebx, 3"),
    Snippet("div32", f"{DIVIDEND}; div ebx", beside=1, setup=DIVISOR_32),
    Snippet("div64", "xor edx, edx; bts rax, 62; div rbx", beside=1, setup=DIVISOR_64),
    Snippet("sse_int", "paddd xmm0, xmm1"),
    Snippet("sse_shuffle", "pshufd xmm0, xmm0, 1"),
    Snippet("sse_mul", "pmuludq xmm0, xmm1"),
    Snippet("sse_move", "movd xmm0, eax; movd eax, xmm0", 2),
    Snippet("sse_fp", "mulsd xmm0, xmm8", setup=ONES),
    Snippet("sse_convert", "cvtsi2sd xmm0, eax; cvttsd2si eax, xmm0", 2),
    Snippet("sse_div", "divsd xmm0, xmm8", setup=ONES),
    Snippet("locked", "lock add dword ptr [r8], eax"),
)
THROUGHPUTS = (
    Snippet("nop", "nop; nop; nop; nop; nop; nop; nop; nop", 8),
    Snippet("alu", _each("add {}, 1"), 8),
    Snippet("lea", _each("lea {0}, [r8 + {0}]"), 8),
    Snippet("branch", "jo next{n}; next{n}: nop"),
    Snippet("load", _each("mov {}, [r8]"), 8),
    Snippet("load_vector", _each("movups {}, [r8]", XMM), 8),
    Snippet("store", "mov [r8], rax; mov [r8 + 8], rax; mov [r8 + 16], rax; mov [r8 + 24], rax", 4),
    Snippet("mul", _each("imul {}, r8"), 8),
    Snippet("div32", "mov eax, 0x70000000; xor edx, edx; div ebx", setup=DIVISOR_32),
    Snippet("div64", "mov rax, r9; xor edx, edx; div rbx", setup=f"{DIVISOR_64}; mov r9, 1; shl r9, 62"),
    Snippet("sse_int", _each("paddd {}, xmm9", XMM), 8),
    Snippet("sse_shuffle", _each("pshufd {}, xmm9, 1", XMM), 8),
    Snippet("sse_mul", _each("pmuludq {}, xmm9", XMM), 8),
    Snippet("sse_move", _each("movd {}, eax", XMM), 8),
    Snippet("sse_convert", _each("cvtsi2sd {}, eax", XMM), 8),
    Snippet("sse_fp", _each("mulsd {}, xmm8", XMM), 8, setup=NUMBERS),
    Snippet("sse_div", _each("divsd {}, xmm8", XMM), 8, setup=NUMBERS),
    Snippet("locked", "lock add dword ptr [r8], eax"),
)
STORES = (
    Snippet("wide_store", "; ".join(f"movups [r8 + {16 * i}], xmm0" for i in range(4)), 4),
    Snippet("other_line", "mov [r8], rax; mov [r8 + 64], rax", 2),
    Snippet("narrow_return", "mov [r8], al; mov [r8 + 64], al", 2),
)
#: Loads that wait for the one before, from memory that holds zeroes: by an index that is multiplied; into a
#: vector register and out of it again.
SCALED = Snippet("scaled_index", "mov rax, [r8 + rax*8]", setup=ZERO)
VECTOR = Snippet("load_vector", "movd xmm0, dword ptr [r8 + rax]; movd eax, xmm0", setup=ZERO)
FORWARD = Snippet("forward", "mov [r8], rax; mov rax, [r8]")
CALL = Snippet("call_interval", "call leaf; nop", 2)
#: A jump to the last four bytes of a line, and on into the next one, where the next jump is.
CODE_LINE = 64
CROSSING = Snippet(
    "code_line", f".p2align 6; jmp next{{n}}; .p2align 6; {'nop;' * 60} next{{n}}: nop; nop; nop; nop"
)
TAKEN = Snippet("taken_interval", "jmp next{n};" + "nop;" * 30 + "next{n}:")
#: As far as the branch that is asked every time: the memory holds bytes, of which one bit decides.
BRANCH = """push rbx; mov ebx, esi; again: movzx eax, byte ptr [rdi + rbx]; test eax, 1; jz even; add r9, r10;
even: add r11, rax; dec ebx; jnz again; pop rbx; ret"""
#: Cycles that branch takes behind its load: the comparison and itself.
COMPARED = 2
#: One word of each line, one behind the other.
SWEEP = "again: mov rax, [rdi]; add rdi, 64; dec rsi; jnz again; ret"
#: Once along a chain of addresses that memory holds.
CHASE = f"mov rax, rdi; again: {'mov rax, [rax];' * 8} sub rsi, 8; ja again; ret"
