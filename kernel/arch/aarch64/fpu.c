/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * fpu.c: exchanging the floating-point and SIMD registers when they are used.
 *
 * The kernel is compiled not to use them. A new thread's are all zero, as its frame is.
 */
#include "fpu.h"

#include "thread.h"

bool fpu_open;
static struct arch_thread *owner; /* whose registers the processor holds; NULL: nobody's */

#define PAIR(instruction, number, next) instruction " q" #number ", q" #next ", [%[at], #16 * " #number "]\n\t"
#define EACH_PAIR(instruction)                                                                            \
	".arch_extension fp\n\t.arch_extension simd\n\t" PAIR(instruction, 0, 1) PAIR(instruction, 2, 3) PAIR(instruction, 4, 5)    \
	PAIR(instruction, 6, 7) PAIR(instruction, 8, 9) PAIR(instruction, 10, 11) PAIR(instruction, 12, 13)   \
	PAIR(instruction, 14, 15) PAIR(instruction, 16, 17) PAIR(instruction, 18, 19) PAIR(instruction, 20, 21) \
	PAIR(instruction, 22, 23) PAIR(instruction, 24, 25) PAIR(instruction, 26, 27) PAIR(instruction, 28, 29) \
	PAIR(instruction, 30, 31)

static void save(struct arch_thread *thread)
{
	__asm__ volatile(EACH_PAIR("stp")
	                 "mrs %[control], fpcr\n\tmrs %[status], fpsr"
	                 : "=m"(thread->simd), [control] "=&r"(thread->fpcr), [status] "=&r"(thread->fpsr)
	                 : [at] "r"(thread->simd));
}

static void restore(const struct arch_thread *thread)
{
	__asm__ volatile(EACH_PAIR("ldp")
	                 "msr fpcr, %[control]\n\tmsr fpsr, %[status]"
	                 :
	                 : [at] "r"(thread->simd), [control] "r"(thread->fpcr), [status] "r"(thread->fpsr),
	                   "m"(thread->simd));
}

void fpu_start(void)
{
	fpu_shut();
}

void fpu_trap(void)
{
	cpu_write_cpacr_el1(CPACR_FPU);
	cpu_isb();
	fpu_open = true;
	struct arch_thread *thread = &current->arch;
	if (owner == thread) {
		return;
	}
	if (owner != NULL) {
		save(owner);
	}
	restore(thread);
	owner = thread;
}

void arch_thread_end(struct arch_thread *thread)
{
	if (owner == thread) {
		owner = NULL;
	}
}
