/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tagwalker: a Multiboot 2 header with an information request, and the entry. */

	.section .multiboot2, "a"
	.balign 8
header:
	.long 0xE85250D6
	.long 0				/* i386 */
	.long header_end - header
	.long 0x100000000 - (0xE85250D6 + (header_end - header))

	.balign 8
request:				/* command line, loader's name, memory, map */
	.short 1, 0
	.long request_end - request
	.long 1, 2, 4, 6
request_end:
	.balign 8
	.short 6, 0			/* modules on page boundaries */
	.long 8
	.balign 8
	.short 0, 0
	.long 8
header_end:

	.text
	.code32
	.globl _start
_start:
	movl $stack_end, %esp
	pushl $0
	popfl
	pushl %ebx
	pushl %eax
	call walk
	movl $0xF4, %edx
	outb %al, %dx
1:	hlt
	jmp 1b

	.bss
	.balign 16
	.skip 8192
stack_end:
