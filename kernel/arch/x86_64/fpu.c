/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * fpu.c: exchanging the floating-point and SIMD registers when they are used.
 */
#include "fpu.h"

#include "thread.h"

bool fpu_open;
static struct arch_thread *owner; /* whose registers the processor holds; NULL: nobody's */
static uint8_t fresh[512] __attribute__((aligned(16))); /* as every thread finds them first */

static void save(uint8_t *area)
{
	__asm__ volatile("fxsave64 (%0)" ::"r"(area) : "memory");
}

static void restore(const uint8_t *area)
{
	__asm__ volatile("fxrstor64 (%0)" ::"r"(area) : "memory");
}

void fpu_start(void)
{
	uint32_t mxcsr = 0x1f80; /* every exception masked */
	__asm__ volatile("fninit");
	save(fresh);
	/* What the firmware left in the data registers is nobody's business. */
	__builtin_memset(fresh + 32, 0, sizeof(fresh) - 32);
	__builtin_memcpy(fresh + 24, &mxcsr, sizeof(mxcsr));
	fpu_shut();
}

void fpu_trap(void)
{
	__asm__ volatile("clts");
	fpu_open = true;
	struct arch_thread *thread = &current->arch;
	if (owner == thread) {
		return;
	}
	if (owner != NULL) {
		save(owner->fpu);
	}
	restore(thread->fpu_used ? thread->fpu : fresh);
	thread->fpu_used = true;
	owner = thread;
}

void arch_thread_end(struct arch_thread *thread)
{
	if (owner == thread) {
		owner = NULL;
	}
}
