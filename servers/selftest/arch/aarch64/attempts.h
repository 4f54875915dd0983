/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * attempts.h: what user mode must not be able to do, on this architecture.
 */
#ifndef ATTEMPTS_H
#define ATTEMPTS_H

#include "attempt.h"

#define KERNEL_MEMORY 0xffff800040100000 /* in its map of all memory */
#define KERNEL_CODE 0xffffffffc0081000

#define ATTEMPT(name, instructions)                                    \
	static inline void attempt_##name(uint64_t argument)               \
	{                                                                  \
		register uint64_t at __asm__("x1") = argument;                 \
		__asm__ volatile(instructions ::"r"(at) : "x0", "cc", "memory"); \
		worker_done(1);                                                \
	}

ATTEMPT(interrupts_off, "msr daifset, #2")
ATTEMPT(interrupts_read, "mrs x0, daif")
ATTEMPT(halt, "wfi")
ATTEMPT(control_register, "mrs x0, sctlr_el1")
ATTEMPT(space_register, "msr ttbr0_el1, x1")
ATTEMPT(timer_register, "mrs x0, cntv_ctl_el0")
ATTEMPT(counter_register, "mrs x0, cntvct_el0")
ATTEMPT(cycle_register, "mrs x0, pmccntr_el0")
ATTEMPT(cache, "ic ivau, x1")
ATTEMPT(tlb, "tlbi vmalle1")
ATTEMPT(kernel_stack, "msr spsel, #1")
ATTEMPT(return, "eret")
ATTEMPT(hypervisor, "hvc #0")
ATTEMPT(illegal, ".inst 0")
ATTEMPT(breakpoint, "brk #0")
ATTEMPT(read, "ldr x0, [x1]")
ATTEMPT(write, "str x0, [x1]")
ATTEMPT(exclusive, "ldxr x0, [x1]")
ATTEMPT(jump, "br x1")

static const struct attempt attempts[] = {
	{ attempt_read, 0x09000000, FAULT_PAGE, "the console's registers are the console's" },
	{ attempt_read, 0x08000000, FAULT_PAGE, "the interrupt controller is the kernel's" },
	{ attempt_interrupts_off, 0, FAULT_PROTECTION, "nobody turns interrupts off" },
	{ attempt_interrupts_read, 0, FAULT_PROTECTION, "nobody asks whether interrupts are off" },
	{ attempt_halt, 0, FAULT_PROTECTION, "nobody halts the processor" },
	{ attempt_control_register, 0, FAULT_ILLEGAL, "nobody reads a control register" },
	{ attempt_space_register, 0, FAULT_ILLEGAL, "nobody changes the address space" },
	{ attempt_timer_register, 0, FAULT_PROTECTION, "the timer is the kernel's" },
	{ attempt_counter_register, 0, FAULT_PROTECTION, "nobody reads the timer's counter" },
	{ attempt_cycle_register, 0, FAULT_PROTECTION | WITHOUT(FAULT_ILLEGAL), "nobody reads the cycle counter" },
	{ attempt_cache, STARTUP_ADDRESS, FAULT_PROTECTION, "the caches are the kernel's" },
	{ attempt_tlb, 0, FAULT_ILLEGAL, "the TLB is the kernel's" },
	{ attempt_kernel_stack, 0, FAULT_ILLEGAL, "nobody takes the kernel's stack" },
	{ attempt_return, 0, FAULT_ILLEGAL, "nobody returns from an exception" },
	{ attempt_hypervisor, 0, FAULT_ILLEGAL, "nobody calls the firmware" },
	{ attempt_read, 0x0000800000000000, FAULT_PROTECTION, "an address that is none is a protection fault" },
	{ attempt_illegal, 0, FAULT_ILLEGAL, "an illegal instruction is a fault of its thread" },
	{ attempt_breakpoint, 0, FAULT_BREAKPOINT, "a breakpoint is a fault of its thread" },
	{ attempt_exclusive, STARTUP_ADDRESS + 1, FAULT_ALIGNMENT, "a misaligned exclusive access is a fault of its thread" },
};

/* 0 if what a system call leaves in the registers that it loses is nobody's. */
static inline uint64_t foreign_after_call(void)
{
	register uint64_t number __asm__("x6") = CALL_NULL;
	uint64_t all;
	__asm__ volatile("svc #0\n\torr x7, x7, x8\n\torr x9, x9, x10\n\torr x11, x11, x12\n\torr x13, x13, x14\n\t"
	                 "orr x15, x15, x16\n\torr x17, x17, x18\n\torr x7, x7, x9\n\torr x11, x11, x13\n\t"
	                 "orr x15, x15, x17\n\torr x7, x7, x11\n\torr %[all], x7, x15"
	                 : "+r"(number), [all] "=r"(all)
	                 :
	                 : "x0", "x1", "x2", "x3", "x4", "x5", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15",
	                   "x16", "x17", "x18", "memory");
	return all;
}

#endif
