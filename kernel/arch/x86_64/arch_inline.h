/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * arch_inline.h: the functions of arch.h that lie on the IPC path.
 */
#ifndef ARCH_INLINE_H
#define ARCH_INLINE_H

#include "gates.h"
#include "instructions.h"
#include "layout.h"

/* The CR3 in force, as it was written. */
extern uint64_t paging_cr3;
/* The floating-point registers may be used: they hold the current thread's values. */
extern bool fpu_open;

static inline void *arch_pointer(paddr_t address)
{
	return (void *)(address.value + DIRECT_BASE);
}

static inline paddr_t arch_physical(const void *pointer)
{
	return paddr((uint64_t)pointer - DIRECT_BASE);
}

static inline void arch_set_result(struct arch_thread *thread, error_t error)
{
	thread->frame.rax = error;
}

static inline void arch_set_message(struct arch_thread *thread, uint64_t badge, uint64_t tag, const uint64_t *word)
{
	thread->frame.rax = ERROR_OK;
	thread->frame.rdi = badge;
	thread->frame.rsi = tag;
	thread->frame.rdx = word[0];
	thread->frame.r10 = word[1];
	thread->frame.r8 = word[2];
	thread->frame.r9 = word[3];
}

/* The next use of a floating-point register traps (fpu.c). */
static inline void fpu_shut(void)
{
	fpu_open = false;
	cpu_write_cr0(cpu_read_cr0() | CR0_TS);
}

static inline __attribute__((always_inline)) void arch_switch(struct arch_thread *thread, struct arch_space *space)
{
	tss.rsp0 = (uint64_t)(&thread->frame + 1);
	tss.io_map = space->io_map;
	if (space->cr3 != paging_cr3) {
		paging_cr3 = space->cr3;
		cpu_write_cr3(space->cr3);
	}
	if (unlikely(fpu_open)) {
		fpu_shut();
	}
}

#endif
