/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * start.S: the first instructions of every program.
 *
 * On entry x0 holds the start argument (the address of the startup page; the root's is the boot-info page); no other
 * register means anything, sp included: a program brings its stack in its own image.
 */
#define STACK_SIZE 16384

	.section .text.start, "ax"
	.globl _start
_start:
	adrp x1, stack_end
	add x1, x1, :lo12:stack_end
	mov sp, x1
	mov x29, xzr
	mov x30, xzr
	bl program_main
	bl program_exit
	brk #0

	.bss
	.balign 16
stack:
	.skip STACK_SIZE
stack_end:
