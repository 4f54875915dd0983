/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * attempts.h: what user mode must not be able to do, on this architecture.
 */
#ifndef ATTEMPTS_H
#define ATTEMPTS_H

#include "attempt.h"

#define KERNEL_MEMORY 0xffff800000100000 /* in its map of all memory */
#define KERNEL_CODE 0xffffffff80101000

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

static const struct attempt attempts[] = {
	{ attempt_port, 0x3f8, FAULT_PROTECTION, "the console's ports are the console's" },
	{ attempt_port, 0xf4, FAULT_PROTECTION, "the machine's exit port is the root's" },
	{ attempt_port, 0x21, FAULT_PROTECTION, "the interrupt controller is the kernel's" },
	{ attempt_interrupts_off, 0, FAULT_PROTECTION, "nobody turns interrupts off" },
	{ attempt_halt, 0, FAULT_PROTECTION, "nobody halts the processor" },
	{ attempt_control_register, 0, FAULT_PROTECTION, "nobody reads a control register" },
	{ attempt_model_register, 0, FAULT_PROTECTION, "nobody reads a model-specific register" },
	{ attempt_kernel_segment, 0, FAULT_PROTECTION, "nobody loads the kernel's segments" },
	{ attempt_interrupt, 0, FAULT_PROTECTION, "nobody raises an interrupt by an instruction" },
	{ attempt_read, 0x0000800000000000, FAULT_PROTECTION, "an address that is none is a protection fault" },
	{ attempt_illegal, 0, FAULT_ILLEGAL, "an illegal instruction is a fault of its thread" },
	{ attempt_division, 0, FAULT_ARITHMETIC, "a division by zero is a fault of its thread" },
	{ attempt_breakpoint, 0, FAULT_BREAKPOINT, "a breakpoint is a fault of its thread" },
};

/* 0 if what a system call leaves in the registers that it loses is the caller's own: its address and its flags. */
static inline uint64_t foreign_after_call(void)
{
	uint64_t number = CALL_NULL, address, flags;
	__asm__ volatile("syscall\n\tmovq %%rcx, %1\n\tmovq %%r11, %2"
	                 : "+a"(number), "=r"(address), "=r"(flags)
	                 :
	                 : "rcx", "r11", "rdi", "rsi", "rdx", "r8", "r9", "r10", "memory");
	return address >> 47 | flags >> 32;
}

#endif
