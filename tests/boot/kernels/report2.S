# SPDX-License-Identifier: GPL-2.0-or-later
# report2.S: a Multiboot 2 kernel that reads its information tags aloud.
# On entry: 32-bit protected mode, flat segments, paging and interrupts off, eax the loader's magic, ebx the
# structure; no stack.

#include "console.inc"

    .set T_TYPE, 0
    .set T_SIZE, 4
    .set T_LINE, 8                      # command line: its text
    .set T_START, 8                     # module: first address, address after the last, its text
    .set T_END, 12
    .set T_MODULE_LINE, 16

    .section .multiboot, "a"
    .balign 8
header:
    .long 0xE85250D6, 0, header_end - header, -(0xE85250D6 + (header_end - header))
    .word 1, 0                          # information request: command line, memory, memory map
    .long 20, 1, 4, 6
    .balign 8
    .word 6, 0                          # page-aligned modules
    .long 8
    .word 0, 0
    .long 8
header_end:

    .text
    .code32
    .globl _start
_start:
    cmpl $0x36D76289, %eax
    jne wrong_magic
    print said_magic
    testl $7, %ebx
    jnz not_aligned
    leal 8(%ebx), %ebp                  # ebp: the tag under the finger
next:
    movl T_TYPE(%ebp), %eax
    testl %eax, %eax
    jz end
    cmpl $1, %eax
    je command_line
    cmpl $3, %eax
    je module
    cmpl $4, %eax
    je memory
    cmpl $6, %eax
    je map
    cmpl $9, %eax
    je sections
step:
    movl T_SIZE(%ebp), %eax
    addl $7, %eax
    andl $-8, %eax
    addl %eax, %ebp
    jmp next
command_line:
    print said_line
    leal T_LINE(%ebp), %esi
    print_string
    jmp step
module:
    print said_module
    leal T_MODULE_LINE(%ebp), %esi
    print_string
    testl $0xFFF, T_START(%ebp)
    jnz not_aligned
    movl T_START(%ebp), %esi
    movl T_END(%ebp), %edi
    print_range
    jmp step
memory:
    print said_memory
    jmp step
map:
    print said_map
    jmp step
sections:
    print said_sections
    jmp step
end:
    print said_done
    leave_with PASSED
wrong_magic:
    print said_wrong
    leave_with FAILED
not_aligned:
    print said_unaligned
    leave_with FAILED

    .section .rodata, "a"
said_magic: .asciz "ok magic"
said_line: .asciz "command line:"
said_memory: .asciz "ok memory"
said_map: .asciz "ok map"
said_sections: .asciz "ok sections"
said_module: .asciz "module:"
said_done: .asciz "ok done"
said_wrong: .asciz "FAIL magic: eax is not what a Multiboot 2 loader leaves"
said_unaligned: .asciz "FAIL alignment: of the structure or of a module"
