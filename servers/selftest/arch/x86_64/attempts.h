/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * attempts.h: what user mode must not be able to do, each as a worker that ends with a 1 if it could.
 */
#ifndef ATTEMPTS_H
#define ATTEMPTS_H

#include "worker.h"

#define ATTEMPT(name, instructions)                                    \
	static inline void attempt_##name(uint64_t argument)               \
	{                                                                  \
		__asm__ volatile(instructions ::"d"(argument) : "rax", "rcx", "memory"); \
		worker_done(1);                                                \
	}

ATTEMPT(port, "inb %%dx, %%al")
ATTEMPT(interrupts_off, "cli")
ATTEMPT(halt, "hlt")
ATTEMPT(control_register, "movq %%cr3, %%rax")
ATTEMPT(model_register, "movl $0xc0000080, %%ecx\n\trdmsr")
ATTEMPT(kernel_segment, "movl $0x10, %%eax\n\tmovl %%eax, %%ds")
ATTEMPT(interrupt, "int $0x20")
ATTEMPT(illegal, "ud2")
ATTEMPT(division, "xorl %%edx, %%edx\n\tmovl %%edx, %%eax\n\tdivl %%edx")
ATTEMPT(breakpoint, "int3")
ATTEMPT(read, "movq (%%rdx), %%rax")
ATTEMPT(write, "movq %%rax, (%%rdx)")
ATTEMPT(jump, "jmp *%%rdx")

#endif
