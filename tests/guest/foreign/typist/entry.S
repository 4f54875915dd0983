// SPDX-License-Identifier: GPL-2.0-or-later
// typist: entry, paging, and the two interrupt stubs.
//
// Paging is the first thing that happens: one directory of 4 MiB pages that maps all memory where it is.

        .section .header, "a"
        .balign 4
        .long 0x1BADB002
        .long 0
        .long -0x1BADB002

        .text
        .code32
        .global _start
_start: cld
        mov $boot_stack_end, %esp

        mov $directory, %edi
        mov $0x83, %eax                 // present, writable, 4 MiB
        mov $1024, %ecx
fill:   stosl
        add $0x400000, %eax
        loop fill
        mov %cr4, %eax
        or $0x10, %eax                  // PSE
        mov %eax, %cr4
        mov $directory, %eax
        mov %eax, %cr3
        mov %cr0, %eax
        or $0x80000000, %eax
        mov %eax, %cr0
        jmp paged
paged:  lgdt gdt_register
        ljmp $0x08, $flat
flat:   mov $0x10, %eax
        mov %eax, %ds
        mov %eax, %es
        mov %eax, %fs
        mov %eax, %gs
        mov %eax, %ss
        call typist
dead:   cli
        hlt
        jmp dead

        .global keyboard_stub, ignore_stub
keyboard_stub:
        pusha
        call keyboard_interrupt
        popa
        iret
ignore_stub:
        iret

        .data
        .balign 8
gdt:    .quad 0
        .quad 0x00CF9A000000FFFF
        .quad 0x00CF92000000FFFF
gdt_register:
        .word . - gdt - 1
        .long gdt

        .bss
        .balign 4096
directory:
        .skip 4096
        .skip 8192
boot_stack_end:
