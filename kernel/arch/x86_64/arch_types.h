/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * arch_types.h: a thread and an address space as the x86-64 processor sees them.
 */
#ifndef ARCH_TYPES_H
#define ARCH_TYPES_H

#include "types.h"

/* What entry.S saves when it enters the kernel. An interrupt or exception saves everything: the processor pushes from
 * the end downwards, straight into the thread, for the TSS names the end of this struct as the kernel's stack. A
 * system call saves only what its caller may rely on; `vector` then says VECTOR_SYSCALL. */
struct arch_frame {
	uint64_t r15, r14, r13, r12, rbp, rbx;
	uint64_t r9, r8, r10, rdx, rsi, rdi, rax;
	uint64_t r11, rcx;
	uint64_t vector;
	uint64_t error; /* the processor's, or 0 */
	uint64_t rip, cs, rflags, rsp, ss;
};

struct arch_thread {
	struct arch_frame frame __attribute__((aligned(16)));
	uint8_t fpu[512] __attribute__((aligned(16))); /* as FXSAVE writes it */
	bool fpu_used;                                 /* fpu holds this thread's registers, or the processor does */
};

struct arch_space {
	uint64_t cr3;     /* ready to be written: top table, PCID, and bit 63 where there are PCIDs */
	uint16_t io_map;  /* distance of its I/O permission bitmap in the TSS, or IO_MAP_NONE */
};

#endif
