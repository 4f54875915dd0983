/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * vectors.S: 256 stubs of 16 bytes, and the path they share.
 *
 * On entry the processor has pushed, from ring 3 only, ss and esp; then eflags, cs, eip and, for some vectors, an
 * error code. Interrupts are off. ds and es are still the interrupted code's.
 */
#include "frame.h"

	.text
	.code32
	.global vectors
	.balign 16
vectors:
	.set vector, 0
	.rept 256
	.balign 16
	.if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21)
	pushl $0
	.endif
	pushl $vector
	jmp vector_common
	.set vector, vector + 1
	.endr

vector_common:
	pushal
	pushl %ds
	movl $SELECTOR_KERNEL_DATA, %eax
	movw %ax, %ds
	movw %ax, %es
	cld
	movl %esp, %ebp
	andl $-16, %esp
	subl $12, %esp
	pushl %ebp
	call trap_dispatch
	movl %ebp, %esp
	popl %eax
	movw %ax, %ds
	movw %ax, %es
	popal
	addl $8, %esp
	iretl
