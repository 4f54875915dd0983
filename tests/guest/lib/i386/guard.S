/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * guard.S: call a function that may never return, and the way into ring 3.
 *
 * guard_sp is the stack pointer to unwind to, 0 when no guard is armed. A trap that trap.c records returns to
 * guard_resume in ring 0 with every other register undefined.
 */
#include "frame.h"

	.text
	.code32
	.global guard_call, guard_resume
guard_call: /* bool guard_call(trap_body body) */
	movl 4(%esp), %eax
	pushl %ebx
	pushl %ebp
	pushl %esi
	pushl %edi
	pushfl
	pushl guard_sp
	movl %esp, guard_sp
	call *%eax
	xorl %eax, %eax
	jmp 1f
guard_resume:
	movl guard_sp, %esp
	movl $1, %eax
1:	popl guard_sp
	popfl
	popl %edi
	popl %esi
	popl %ebp
	popl %ebx
	ret

	.global user_enter
user_enter: /* _Noreturn void user_enter(unsigned long ip, unsigned long sp, unsigned long flags, unsigned cs) */
	movl 4(%esp), %eax
	movl 8(%esp), %ebx
	movl 12(%esp), %ecx
	movl 16(%esp), %edx
	movl $SELECTOR_USER_DATA, %esi
	movw %si, %ds
	movw %si, %es
	pushl %esi
	pushl %ebx
	pushl %ecx
	pushl %edx
	pushl %eax
	iretl

	.section .bss
	.balign 4
	.global guard_sp
guard_sp:
	.skip 4
