/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * guard.S: call a function that may never return, and the way into ring 3.
 *
 * guard_sp is the stack pointer to unwind to, 0 when no guard is armed. A trap that trap.c records returns to
 * guard_resume in ring 0 with every other register undefined.
 */
#include "frame.h"

	.text
	.code64
	.global guard_call, guard_resume
guard_call: /* bool guard_call(trap_body body) */
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	pushfq
	pushq guard_sp(%rip)
	subq $8, %rsp
	movq %rsp, guard_sp(%rip)
	call *%rdi
	xorl %eax, %eax
	jmp 1f
guard_resume:
	movq guard_sp(%rip), %rsp
	movl $1, %eax
1:	addq $8, %rsp
	popq guard_sp(%rip)
	popfq
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	ret

	.global user_enter
user_enter: /* _Noreturn void user_enter(unsigned long ip, unsigned long sp, unsigned long flags, unsigned cs) */
	pushq $SELECTOR_USER_DATA
	pushq %rsi
	pushq %rdx
	movl %ecx, %ecx
	pushq %rcx
	pushq %rdi
	iretq

	.section .bss
	.balign 8
	.global guard_sp
guard_sp:
	.skip 8
