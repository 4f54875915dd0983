/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * thread.c: a thread's registers before its first instruction.
 */
#include "arch/arch.h"
#include "vectors.h"

void arch_thread_make(struct arch_thread *thread)
{
	thread->frame.entry = ENTRY_EXCEPTION; /* all of its registers are loaded */
}

void arch_thread_start(struct arch_thread *thread, vaddr_t instruction, vaddr_t stack, uint64_t argument)
{
	thread->frame.pc = instruction.value;
	thread->frame.sp = stack.value;
	thread->frame.x[0] = argument;
	thread->frame.pstate = PSTATE_USER;
}
