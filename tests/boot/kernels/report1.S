# SPDX-License-Identifier: GPL-2.0-or-later
# report1.S: a Multiboot 1 kernel that reads its information structure aloud.
# On entry: 32-bit protected mode, flat segments, paging and interrupts off, eax the loader's magic, ebx the
# structure; no stack.

#include "console.inc"

    .set FLAGS, 3                       # page-aligned modules, memory information
    .set I_FLAGS, 0
    .set I_UPPER, 8
    .set I_COMMAND_LINE, 16
    .set I_MODULES, 20
    .set I_MODULE_TABLE, 24
    .set I_MAP_LENGTH, 44
    .set M_START, 0
    .set M_END, 4
    .set M_LINE, 8
    .set M_SIZE, 16

    .section .multiboot, "a"
    .balign 8
    .long 0x1BADB002, FLAGS, -(0x1BADB002 + FLAGS)

    .text
    .code32
    .globl _start
_start:
    cmpl $0x2BADB002, %eax
    jne wrong_magic
    print said_magic
    testl $4, I_FLAGS(%ebx)
    jz no_modules
    print said_line
    movl I_COMMAND_LINE(%ebx), %esi
    print_string
    testl $1, I_FLAGS(%ebx)
    jz no_memory
    cmpl $0x1000, I_UPPER(%ebx)         # every machine that runs this has 4 MiB and more
    jb no_memory
    print said_memory
no_memory:
    testl $0x40, I_FLAGS(%ebx)
    jz no_map
    cmpl $0, I_MAP_LENGTH(%ebx)
    je no_map
    print said_map
no_map:
    testl $8, I_FLAGS(%ebx)
    jz no_modules
    movl I_MODULES(%ebx), %ecx
    movl I_MODULE_TABLE(%ebx), %ebp
next:
    testl %ecx, %ecx
    jz no_modules
    print said_module
    movl M_LINE(%ebp), %esi
    print_string
    testl $0xFFF, M_START(%ebp)
    jnz not_aligned
    movl M_START(%ebp), %esi
    movl M_END(%ebp), %edi
    print_range
    addl $M_SIZE, %ebp
    decl %ecx
    jmp next
no_modules:
    print said_bss
    movl $bss, %esi                     # .bss must be zero
    movl $bss_end, %edi
look:
    lodsb
    testb %al, %al
    jnz dirty
    cmpl %edi, %esi
    jb look
    print said_done
    leave_with PASSED
wrong_magic:
    print said_wrong
    leave_with FAILED
not_aligned:
    print said_unaligned
    leave_with FAILED
dirty:
    print said_dirty
    leave_with FAILED

    .section .rodata, "a"
said_magic: .asciz "ok magic"
said_line: .asciz "command line:"
said_memory: .asciz "ok memory"
said_map: .asciz "ok map"
said_module: .asciz "module:"
said_bss: .asciz "bss"
said_done: .asciz "ok done"
said_wrong: .asciz "FAIL magic: eax is not what a Multiboot 1 loader leaves"
said_unaligned: .asciz "FAIL alignment: a module does not begin a page"
said_dirty: .asciz "FAIL bss: it is not zero"

    .bss
bss:
    .skip 12345
bss_end:
