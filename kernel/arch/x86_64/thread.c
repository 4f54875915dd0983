/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * thread.c: a thread's registers before its first instruction.
 */
#include "arch/arch.h"
#include "vectors.h"

void arch_thread_make(struct arch_thread *thread)
{
	/* Its first way out is IRET, which loads both: a frame of zeroes has come in by vector 0. After that an interrupt
	 * or exception pushes them, and SYSRET needs neither. */
	thread->frame.cs = SELECTOR_USER_CODE;
	thread->frame.ss = SELECTOR_USER_DATA;
}

void arch_thread_start(struct arch_thread *thread, vaddr_t instruction, vaddr_t stack, uint64_t argument)
{
	thread->frame.rip = instruction.value;
	thread->frame.rsp = stack.value;
	thread->frame.rdi = argument;
	thread->frame.rflags = RFLAGS_RESERVED | RFLAGS_IF;
}
