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

/* SYSCALL: rcx is the user's rip, r11 its rflags; rsp is still the user's; interrupts are off. A system call keeps
 * rbx, rbp, r12-r15 and rsp for its caller; rax is the call's number, rdi rsi rdx r10 r8 r9 its arguments. */
	.globl entry_syscall
	.balign 64
entry_syscall:
	movq %rsp, user_rsp(%rip)
	movq tss+TSS_RSP0(%rip), %rsp
	movq %rcx, END_RIP(%rsp)
	movq user_rsp(%rip), %rcx
	movq %r11, END_RFLAGS(%rsp)
	movq %rcx, END_RSP(%rsp)
	movq $VECTOR_SYSCALL, END_VECTOR(%rsp)
	movq %rbx, END_RBX(%rsp)
	movq %rbp, END_RBP(%rsp)
	movq %r12, END_R12(%rsp)
	movq %r13, END_R13(%rsp)
	movq %r14, END_R14(%rsp)
	movq %r15, END_R15(%rsp)
	movq $kernel_stack_end - 8, %rsp /* as if called */
	xorl %ebp, %ebp
	movq %r10, %rcx                  /* C's fourth argument */
	cmpq $CALL_CALL, %rax
	je fastpath_call
	cmpq $CALL_REPLY_WAIT, %rax
	je fastpath_reply_wait
	movq %rax, (%rsp)                /* the seventh argument, above the return address */
	call syscall_handle
	ud2

/* arch_resume_message(badge, tag, w0..w3): into the thread switched to, which waits in a system call. */
	.globl arch_resume_message
	.balign 64
arch_resume_message:
	movq %rcx, %r10
	movq tss+TSS_RSP0(%rip), %rax
	movq END_R15(%rax), %r15
	movq END_R14(%rax), %r14
	movq END_R13(%rax), %r13
	movq END_R12(%rax), %r12
	movq END_RBP(%rax), %rbp
	movq END_RBX(%rax), %rbx
	movq END_RFLAGS(%rax), %r11
	movq END_RIP(%rax), %rcx
	movq END_RSP(%rax), %rsp
	xorl %eax, %eax                  /* ERROR_OK */
	sysretq

/* arch_resume(thread): by the way the thread came in. */
	.globl arch_resume
	.balign 64
arch_resume:
	cmpq $VECTOR_SYSCALL, FRAME_VECTOR(%rdi)
	jne 1f
	movq FRAME_R15(%rdi), %r15
	movq FRAME_R14(%rdi), %r14
	movq FRAME_R13(%rdi), %r13
	movq FRAME_R12(%rdi), %r12
	movq FRAME_RBP(%rdi), %rbp
	movq FRAME_RBX(%rdi), %rbx
	movq FRAME_R9(%rdi), %r9
	movq FRAME_R8(%rdi), %r8
	movq FRAME_R10(%rdi), %r10
	movq FRAME_RDX(%rdi), %rdx
	movq FRAME_RSI(%rdi), %rsi
	movq FRAME_RAX(%rdi), %rax
	movq FRAME_RFLAGS(%rdi), %r11
	movq FRAME_RIP(%rdi), %rcx
	movq FRAME_RSP(%rdi), %rsp
	movq FRAME_RDI(%rdi), %rdi
	sysretq
1:	movq %rdi, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	popq %r9
	popq %r8
	popq %r10
	popq %rdx
	popq %rsi
	popq %rdi
	popq %rax
	popq %r11
	popq %rcx
	leaq FRAME_RIP-FRAME_VECTOR(%rsp), %rsp
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
	.globl entry_stubs
entry_stubs:
	.popsection
	.set number, 0
	.rept VECTOR_COUNT
	stub %number
	.set number, number + 1
	.endr

	.balign 16
entry_common:
	testb $3, FRAME_CS-FRAME_VECTOR(%rsp)
	jz 1f
	pushq %rcx
	pushq %r11
	pushq %rax
	pushq %rdi
	pushq %rsi
	pushq %rdx
	pushq %r10
	pushq %r8
	pushq %r9
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, %rdi
	movq $kernel_stack_end, %rsp
	xorl %ebp, %ebp
	cld
	call trap_from_user
	ud2
	/* From the kernel: arch_idle was interrupted, or the kernel is at fault. Nothing of it is needed again. */
1:	movq (%rsp), %rdi
	movq FRAME_RIP-FRAME_VECTOR(%rsp), %rsi
	movq $kernel_stack_end, %rsp
	xorl %ebp, %ebp
	call trap_from_kernel
	ud2

	.globl arch_idle
arch_idle:
	movq $kernel_stack_end, %rsp
1:	sti
	hlt
	jmp 1b

	.bss
	.balign 8
user_rsp:
	.skip 8
