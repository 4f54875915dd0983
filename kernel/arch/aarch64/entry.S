/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * entry.S: into the kernel and out of it.
 *
 * There is one kernel stack, empty whenever user mode runs: every entry starts at its end, every exit abandons it.
 * Interrupts stay masked in the kernel but for the instruction that waits (arch_idle). While user mode runs, SP_EL1 and
 * TPIDR_EL1 point to the current thread's arch_frame.
 */
#include "abi/abi.h"
#include "asm_offsets.h"
#include "vectors.h"

/* On entry to any of these the processor has put the return address into ELR_EL1, the state into SPSR_EL1, and the
 * reason of an exception into ESR_EL1; it runs on SP_EL1 with everything masked. All else is still the user's. */

.macro kernel_stack through
	adrp \through, kernel_stack_end
	add \through, \through, :lo12:kernel_stack_end
	mov sp, \through
	mov x29, xzr
	mov x30, xzr
.endm

.macro save_pair first, second
	stp x\first, x\second, [sp, #FRAME_X + 8 * \first]
.endm
.macro load_pair first, second
	ldp x\first, x\second, [sp, #FRAME_X + 8 * \first]
.endm

.macro vector_from_kernel entry
	.balign 128
	mov x0, #\entry
	mrs x1, elr_el1
	kernel_stack x2
	b trap_from_kernel
.endm
.macro vector_from_user entry
	.balign 128
	save_pair 0, 1
	mov x0, #\entry
	b entry_common
.endm

	.section .text.fast, "ax"
	.balign 2048
	.globl entry_vectors; .type entry_vectors, %function
entry_vectors:
	/* From the kernel on SP_EL0: never. From the kernel: arch_idle was interrupted, or the kernel is at fault;
	 * nothing of it is needed again. */
	.rept 4
	vector_from_kernel ENTRY_OTHER
	.endr
	vector_from_kernel ENTRY_EXCEPTION
	vector_from_kernel ENTRY_INTERRUPT
	vector_from_kernel ENTRY_OTHER
	vector_from_kernel ENTRY_OTHER

	/* From user mode. A system call keeps x19 to x30 and sp for its caller; x6 is its number, x0 to x5 its
	 * arguments, which C finds where it expects them. */
	.balign 128
	stp x29, x30, [sp, #FRAME_X + 8 * 29]
	mrs x29, esr_el1
	lsr x29, x29, #ESR_CLASS_SHIFT
	cmp x29, #CLASS_SYSCALL
	b.ne entry_exception
	save_pair 19, 20
	save_pair 21, 22
	save_pair 23, 24
	save_pair 25, 26
	save_pair 27, 28
	mrs x19, elr_el1
	mrs x20, spsr_el1
	mrs x21, sp_el0
	mov x22, #ENTRY_SYSCALL
	stp x19, x20, [sp, #FRAME_PC]
	str x21, [sp, #FRAME_SP]
	str x22, [sp, #FRAME_ENTRY]
	kernel_stack x19
	cmp x6, #CALL_CALL
	b.eq fastpath_call
	cmp x6, #CALL_REPLY_WAIT
	b.eq fastpath_reply_wait
	b syscall_handle
	vector_from_user ENTRY_INTERRUPT
	vector_from_user ENTRY_OTHER
	vector_from_user ENTRY_OTHER
	.rept 4                         /* AArch32: no thread is ever started in it */
	vector_from_user ENTRY_OTHER
	.endr

/* Load what a system call keeps from the frame at sp, and leave nothing of the kernel's in what it does not. */
.macro load_kept
	ldp x19, x20, [sp, #FRAME_PC]
	ldr x21, [sp, #FRAME_SP]
	msr elr_el1, x19
	msr spsr_el1, x20
	msr sp_el0, x21
	.irp register, x7, x8, x9, x10, x11, x12, x13, x14, x15, x16, x17, x18
	mov \register, xzr
	.endr
	load_pair 19, 20
	load_pair 21, 22
	load_pair 23, 24
	load_pair 25, 26
	load_pair 27, 28
	load_pair 29, 30
.endm

/* arch_resume_message(badge, tag, w0..w3): into the thread switched to, which waits in a system call. */
	.globl arch_resume_message; .type arch_resume_message, %function
	.balign 64
arch_resume_message:
	mrs x7, tpidr_el1
	mov sp, x7
	load_kept
	mov x6, #ERROR_OK
	eret

/* arch_resume(thread): by the way the thread came in. */
	.globl arch_resume; .type arch_resume, %function
	.balign 64
arch_resume:
	mov sp, x0
	ldr x1, [sp, #FRAME_ENTRY]
	cmp x1, #ENTRY_SYSCALL
	b.ne 1f
	load_kept
	load_pair 0, 1
	load_pair 2, 3
	load_pair 4, 5
	ldr x6, [sp, #FRAME_X + 8 * 6]
	eret
1:	ldp x19, x20, [sp, #FRAME_PC]
	ldr x21, [sp, #FRAME_SP]
	msr elr_el1, x19
	msr spsr_el1, x20
	msr sp_el0, x21
	load_pair 0, 1
	load_pair 2, 3
	load_pair 4, 5
	load_pair 6, 7
	load_pair 8, 9
	load_pair 10, 11
	load_pair 12, 13
	load_pair 14, 15
	load_pair 16, 17
	load_pair 18, 19
	load_pair 20, 21
	load_pair 22, 23
	load_pair 24, 25
	load_pair 26, 27
	load_pair 28, 29
	ldr x30, [sp, #FRAME_X + 8 * 30]
	eret

	.text
/* x29 and x30 are in the frame. */
entry_exception:
	ldp x29, x30, [sp, #FRAME_X + 8 * 29]
	save_pair 0, 1
	mov x0, #ENTRY_EXCEPTION

/* x0 and x1 are in the frame; x0 says how the thread came. */
entry_common:
	save_pair 2, 3
	save_pair 4, 5
	save_pair 6, 7
	save_pair 8, 9
	save_pair 10, 11
	save_pair 12, 13
	save_pair 14, 15
	save_pair 16, 17
	save_pair 18, 19
	save_pair 20, 21
	save_pair 22, 23
	save_pair 24, 25
	save_pair 26, 27
	save_pair 28, 29
	str x30, [sp, #FRAME_X + 8 * 30]
	mrs x1, elr_el1
	mrs x2, spsr_el1
	mrs x3, sp_el0
	stp x1, x2, [sp, #FRAME_PC]
	str x3, [sp, #FRAME_SP]
	str x0, [sp, #FRAME_ENTRY]
	mov x0, sp
	kernel_stack x1
	b trap_from_user

	.globl arch_idle; .type arch_idle, %function
arch_idle:
	kernel_stack x0
	msr daifclr, #2                 /* interrupts */
1:	wfi
	b 1b
