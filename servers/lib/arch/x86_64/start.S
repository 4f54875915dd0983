/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * start.S: the first instructions of every program.
 *
 * On entry rdi holds the start argument (the address of the startup page; the root's is the boot-info page); no other
 * register means anything, rsp included: a program brings its stack in its own image.
 */
#define STACK_SIZE 16384

	.section .text.start, "ax"
	.globl _start
_start:
	leaq stack_end(%rip), %rsp
	xorl %ebp, %ebp
	call program_main
	movq %rax, %rdi
	call program_exit
	ud2

	.bss
	.balign 16
stack:
	.skip STACK_SIZE
stack_end:
