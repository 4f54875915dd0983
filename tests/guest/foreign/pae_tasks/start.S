/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pae_tasks: header, entry, the stub of interrupt 0x80, and the two tasks' own code. */

        .section .mbh, "a"
        .p2align 2
        .long 0x1BADB002, 2, -(0x1BADB002 + 2)

        .text
        .code32
        .globl _start
_start:
        movl    $kstack, %esp
        call    kmain
0:      cli
        hlt
        jmp     0b

/* int 0x80: eax = call number, ebx = argument. Everything is saved where kernel.c's struct regs says. */
        .globl int80
int80:
        cld
        pushl   %gs
        pushl   %fs
        pushl   %es
        pushl   %ds
        pushal
        movl    $0x10, %eax
        movl    %eax, %ds
        movl    %eax, %es
        pushl   %esp
        call    system_call
        movl    %eax, %esp              /* the task to go on with */
        popal
        popl    %ds
        popl    %es
        popl    %fs
        popl    %gs
        iret

        .globl go_user
go_user:                                /* void go_user(struct regs *) */
        movl    4(%esp), %esp
        popal
        popl    %ds
        popl    %es
        popl    %fs
        popl    %gs
        iret

        .globl any_fault
any_fault:
        call    fault

/* The tasks, copied to a page of their own at the same virtual address. Calls: 0 print character, 1 yield, 2 exit. */
        .section .rodata
        .globl task_a, task_a_end, task_b, task_b_end
task_a:
        movl    $5, %ecx
1:      movl    $0, %eax
        movl    $'a', %ebx
        int     $0x80
        movl    $1, %eax
        int     $0x80
        loop    1b
        movl    $2, %eax
        int     $0x80
task_a_end:
task_b:
        movl    $5, %ecx
1:      movl    $0, %eax
        movl    $'b', %ebx
        pushl   %ecx
        int     $0x80
        popl    %ecx
        movl    $1, %eax
        int     $0x80
        loop    1b
        movl    $2, %eax
        int     $0x80
task_b_end:

        .bss
        .p2align 4
        .skip   4096
kstack:
