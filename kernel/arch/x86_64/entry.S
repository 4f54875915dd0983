/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * entry.S: into the kernel and out of it.
 *
 * There is one kernel stack, empty whenever user mode runs: every entry starts at its end, every exit abandons it.
 * Interrupts stay off in the kernel but for the instruction that waits (arch_idle). The TSS's rsp0 always points to
 * the end of the current thread's arch_frame. There is one processor, so user_rsp may be a plain variable.
 */
#include "abi/abi.h"
#include "asm_offsets.h"
#include "vectors.h"

	.section .text.fast, "ax"

/* SYSCALL: rcx is the user's rip, r11 its rflags; rsp is still the user's; of rflags, what SFMASK names is clear
 * (gates.c): interrupts are off and strings go upwards. A system call keeps rbx, rbp, r12-r15 and rsp for its caller;
 * rax is the call's number, rdi rsi rdx r10 r8 r9 its arguments. C expects them just there, but for r10. */
	.globl entry_syscall; .type entry_syscall, @function
	.balign 64
entry_syscall:
	movq %rsp, user_rsp(%rip)
	movq tss+TSS_RSP0(%rip), %rsp
	movq %rcx, END_rip(%rsp)
	movq user_rsp(%rip), %rcx
	movq %r11, END_rflags(%rsp)
	movq %rcx, END_rsp(%rsp)
	movq $VECTOR_SYSCALL, END_vector(%rsp)
	.irp register, rbx, rbp, r12, r13, r14, r15
	movq %\register, END_\register(%rsp)
	.endr
	movq $kernel_stack_end - 24, %rsp /* as if called, with the seventh argument above */
	xorl %ebp, %ebp
	movq %r10, %rcx                  /* C's fourth argument */
	cmpq $CALL_CALL, %rax
	je fastpath_call
	cmpq $CALL_REPLY_WAIT, %rax
	je fastpath_reply_wait
	movq %rax, 8(%rsp)
	jmp syscall_handle

/* Load what a system call keeps from the frame that ends at rax; rax remains to be loaded. */
.macro load_kept
	.irp register, rbx, rbp, r12, r13, r14, r15
	movq END_\register(%rax), %\register
	.endr
	movq END_rflags(%rax), %r11
	movq END_rip(%rax), %rcx
	movq END_rsp(%rax), %rsp
.endm

/* arch_resume_message(badge, tag, w0..w3): into the thread switched to, which waits in a system call. */
	.globl arch_resume_message; .type arch_resume_message, @function
	.balign 64
arch_resume_message:
	movq %rcx, %r10
	movq tss+TSS_RSP0(%rip), %rax
	load_kept
	xorl %eax, %eax                  /* ERROR_OK */
	sysretq

/* arch_resume(thread): by the way the thread came in. */
	.globl arch_resume; .type arch_resume, @function
	.balign 64
arch_resume:
	cmpq $VECTOR_SYSCALL, FRAME_VECTOR(%rdi)
	jne 1f
	leaq FRAME_SIZE(%rdi), %rax
	.irp register, rdi, rsi, rdx, r10, r8, r9
	movq END_\register(%rax), %\register
	.endr
	load_kept
	movq END_rax(%rax), %rax
	sysretq
1:	movq %rdi, %rsp
	.irp register, r15, r14, r13, r12, rbp, rbx, r9, r8, r10, rdx, rsi, rdi, rax, r11, rcx
	popq %\register
	.endr
	leaq VECTOR_TO_RIP(%rsp), %rsp
	iretq

	.text

/* One stub for each vector. The processor pushed ss rsp rflags cs rip, and for some vectors an error code; from user
 * mode it pushed them into the current thread's frame. */
	.altmacro
.macro stub vector
	.balign 16
entry_\vector:
	.if !(\vector == 8 || (\vector >= 10 && \vector <= 14) || \vector == 17 || \vector == 21)
	pushq $0
	.endif
	pushq $\vector
	jmp entry_common
	.pushsection .rodata
	.quad entry_\vector
	.popsection
.endm
	.pushsection .rodata
	.balign 8
	.globl entry_stubs; .type entry_stubs, @function
entry_stubs:
	.popsection
	.set number, 0
	.rept VECTOR_COUNT
	stub %number
	.set number, number + 1
	.endr

	.balign 16
entry_common:
	testb $3, VECTOR_TO_CS(%rsp)
	jz 1f
	.irp register, rcx, r11, rax, rdi, rsi, rdx, r10, r8, r9, rbx, rbp, r12, r13, r14, r15
	pushq %\register
	.endr
	movq %rsp, %rdi
	movq $kernel_stack_end - 8, %rsp
	xorl %ebp, %ebp
	cld
	jmp trap_from_user
	/* From the kernel: arch_idle was interrupted, or the kernel is at fault. Nothing of it is needed again. */
1:	movq (%rsp), %rdi
	movq VECTOR_TO_RIP(%rsp), %rsi
	movq $kernel_stack_end - 8, %rsp
	xorl %ebp, %ebp
	jmp trap_from_kernel

	.globl arch_idle; .type arch_idle, @function
arch_idle:
	movq $kernel_stack_end, %rsp
1:	sti
	hlt
	jmp 1b

	.bss
	.balign 8
user_rsp:
	.skip 8
