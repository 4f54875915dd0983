/* SPDX-License-Identifier: GPL-2.0-or-later */
/* teletype: entry point. A stack, then C. */
.section .multiboot, "a"
.align 4
.long 0x1BADB002
.long 0x00000003
.long -(0x1BADB002 + 0x00000003)

.section .bss
.align 16
stack_bottom:
.skip 4096
stack_top:

.section .text
.code32
.global _start
_start:
    mov $stack_top, %esp
    push %ebx
    push %eax
    call teletype_main
hang:
    cli
    hlt
    jmp hang
