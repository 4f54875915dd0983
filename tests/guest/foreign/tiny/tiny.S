# SPDX-License-Identifier: GPL-2.0-or-later
# The smallest useful multiboot kernel: it says hello on the serial line and stops for good.
        .set    MAGIC, 0x1BADB002
        .set    FLAGS, 0

        .section .multiboot, "a"
        .align  4
        .long   MAGIC
        .long   FLAGS
        .long   -(MAGIC + FLAGS)

        .text
        .code32
        .global _start
_start: mov     $message, %esi
        mov     $0x3F8, %dx
1:      lodsb
        test    %al, %al
        jz      3f
        mov     %al, %bl
        add     $5, %dx                 # line status
2:      inb     %dx, %al
        test    $0x20, %al              # transmitter empty?
        jz      2b
        sub     $5, %dx
        mov     %bl, %al
        outb    %al, %dx
        jmp     1b
3:      cli
        hlt
        jmp     3b

        .section .rodata
message:
        .asciz  "Hello from thirty lines of assembly.\n"
