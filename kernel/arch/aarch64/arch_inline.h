/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * arch_inline.h: the functions of arch.h that lie on the IPC path.
 */
#ifndef ARCH_INLINE_H
#define ARCH_INLINE_H

#include "instructions.h"
#include "layout.h"

/* The TTBR0 in force, as it was written. */
extern uint64_t paging_ttbr0;
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
	thread->frame.x[6] = error;
}

static inline void arch_set_message(struct arch_thread *thread, uint64_t badge, uint64_t tag, const uint64_t *word)
{
	thread->frame.x[6] = ERROR_OK;
	thread->frame.x[0] = badge;
	thread->frame.x[1] = tag;
	thread->frame.x[2] = word[0];
	thread->frame.x[3] = word[1];
	thread->frame.x[4] = word[2];
	thread->frame.x[5] = word[3];
}

/* The next use of a floating-point register in user mode traps (fpu.c); leaving the kernel makes it so. */
static inline void fpu_shut(void)
{
	fpu_open = false;
	cpu_write_cpacr_el1(0);
}

/* Leaving the kernel synchronises: user mode sees the new space. Its ASID keeps it apart from the old one in the TLB. */
static inline __attribute__((always_inline)) void arch_switch(struct arch_thread *thread, struct arch_space *space)
{
	cpu_write_tpidr_el1((uint64_t)&thread->frame);
	cpu_write_tpidr_el0(0); /* user mode can write it, so it must not tell the next thread anything */
	if (space->ttbr0 != paging_ttbr0) {
		paging_ttbr0 = space->ttbr0;
		cpu_write_ttbr0_el1(space->ttbr0);
	}
	if (unlikely(fpu_open)) {
		fpu_shut();
	}
}

#endif
