/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * arch_types.h: a thread and an address space as the AArch64 processor sees them.
 */
#ifndef ARCH_TYPES_H
#define ARCH_TYPES_H

#include "types.h"

/* What entry.S saves when it enters the kernel; SP_EL1 points here whenever user mode runs. An interrupt or exception
 * saves everything. A system call saves only what its caller may rely on; `entry` then says ENTRY_SYSCALL. */
struct arch_frame {
	uint64_t x[31];
	uint64_t sp;
	uint64_t pc, pstate; /* as ELR_EL1 and SPSR_EL1 have them */
	uint64_t entry;      /* ENTRY_* */
	uint64_t reserved;
};

struct arch_thread {
	struct arch_frame frame __attribute__((aligned(16)));
	uint8_t simd[32][16] __attribute__((aligned(16))); /* V0 to V31 */
	uint64_t fpcr, fpsr;
};

struct arch_space {
	uint64_t ttbr0; /* ready to be written: top table and ASID */
};

#endif
