# SPDX-License-Identifier: GPL-2.0-or-later
"""The program on which an x86 core proves its short cuts (cpu/engine.py).

64-bit code at 0x1000 with its data from 0x2000 on; it ends by halting.
"""

#: Loads and stores of every alignment, also across a page end; a branch taken or not; an instruction that
#: changes another one of its block; a string instruction.
PROGRAM = bytes.fromhex(
    "b904000000"  # mov ecx, 4
    "be00200000"  # mov esi, 0x2000
    "31d2"  # xor edx, edx
    "488b06"  # again: mov rax, [rsi]
    "4801c8"  # add rax, rcx
    "48894608"  # mov [rsi + 8], rax
    "8b86f50f0000"  # mov eax, [rsi + 0xff5]
    "014603"  # add [rsi + 3], eax
    "f6c103"  # test cl, 3
    "7403"  # jz skip
    "4801c2"  # add rdx, rax
    "83c211"  # skip: add edx, 17
    "fe05f9ffffff"  # inc byte [skip + 2]
    "bf00280000"  # mov edi, 0x2800
    "89cb"  # mov ebx, ecx
    "b905000000"  # mov ecx, 5
    "f3a4"  # rep movsb
    "89d9"  # mov ecx, ebx
    "ffc9"  # dec ecx
    "75c8"  # jnz again
    "8917"  # mov [rdi], edx
    "f4"  # hlt
)
INSTRUCTIONS = 3 + 4 * 16 + 3 + 2  # three of the four rounds do not skip one
