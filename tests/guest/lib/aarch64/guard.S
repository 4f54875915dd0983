/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * guard.S: call a function that may never return, the way into EL0, and what compilers call.
 *
 * guard_sp is the stack pointer to unwind to, 0 when no guard is armed. A trap that trap.c records returns to
 * guard_resume at EL1 with every other register undefined.
 */
	.text
	.global guard_call, guard_resume
guard_call: /* bool guard_call(trap_body body) */
	stp x29, x30, [sp, #-16]!
	stp x27, x28, [sp, #-16]!
	stp x25, x26, [sp, #-16]!
	stp x23, x24, [sp, #-16]!
	stp x21, x22, [sp, #-16]!
	stp x19, x20, [sp, #-16]!
	mrs x9, daif
	adrp x11, guard_sp
	ldr x10, [x11, :lo12:guard_sp]
	stp x9, x10, [sp, #-16]!
	mov x10, sp
	str x10, [x11, :lo12:guard_sp]
	blr x0
	mov x0, #0
	b 1f
guard_resume:
	adrp x11, guard_sp
	ldr x10, [x11, :lo12:guard_sp]
	mov sp, x10
	mov x0, #1
1:	ldp x9, x10, [sp], #16
	adrp x11, guard_sp
	str x10, [x11, :lo12:guard_sp]
	msr daif, x9
	ldp x19, x20, [sp], #16
	ldp x21, x22, [sp], #16
	ldp x23, x24, [sp], #16
	ldp x25, x26, [sp], #16
	ldp x27, x28, [sp], #16
	ldp x29, x30, [sp], #16
	ret

	.global user_enter
user_enter: /* _Noreturn void user_enter(unsigned long ip, unsigned long sp, unsigned long spsr) */
	msr elr_el1, x0
	msr sp_el0, x1
	msr spsr_el1, x2
	eret

	.global memset, memcpy
memset: /* void *memset(void *to, int value, size_t n) */
	mov x9, x0
1:	cbz x2, 2f
	strb w1, [x9], #1
	sub x2, x2, #1
	b 1b
2:	ret

memcpy: /* void *memcpy(void *to, const void *from, size_t n) */
	mov x9, x0
1:	cbz x2, 2f
	ldrb w10, [x1], #1
	strb w10, [x9], #1
	sub x2, x2, #1
	b 1b
2:	ret

	.section .bss
	.balign 8
	.global guard_sp
guard_sp:
	.skip 8
