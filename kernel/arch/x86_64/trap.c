/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * trap.c: what an interrupt or exception means.
 */
#include "arch/arch.h"
#include "devices.h"
#include "fault.h"
#include "fpu.h"
#include "interrupt.h"
#include "panic.h"
#include "schedule.h"
#include "vectors.h"

#define ERROR_PRESENT 1u
#define ERROR_WRITE 2u
#define ERROR_EXECUTE 16u

void trap_from_user(struct arch_frame *frame);
void trap_from_kernel(uint64_t vector, uint64_t instruction);

static void take_interrupt(uint64_t line)
{
	if (!interrupts_take(line)) {
		return;
	}
	if (line == TIMER_LINE) {
		schedule_tick();
	} else {
		interrupt_raise(line);
	}
}

static void page_fault(const struct arch_frame *frame)
{
	uint64_t access = (frame->error & ERROR_PRESENT) != 0 ? ACCESS_PRESENT : 0;
	access |= (frame->error & ERROR_WRITE) != 0 ? ACCESS_WRITE : 0;
	access |= (frame->error & ERROR_EXECUTE) != 0 ? ACCESS_EXECUTE : 0;
	fault_page(vaddr(cpu_read_cr2()), frame->rip, access);
}

static uint64_t fault_code(uint64_t vector)
{
	switch (vector) {
	case 0:  /* division */
	case 4:  /* overflow */
	case 16: /* x87 */
	case 19: /* SIMD */
		return FAULT_ARITHMETIC;
	case 1:
	case 3:
		return FAULT_BREAKPOINT;
	case 6:
		return FAULT_ILLEGAL;
	case 11:
	case 12:
	case 13:
		return FAULT_PROTECTION;
	case 17:
		return FAULT_ALIGNMENT;
	default:
		return FAULT_OTHER;
	}
}

void trap_from_user(struct arch_frame *frame)
{
	uint64_t vector = frame->vector;
	if (vector >= VECTOR_IRQ) {
		take_interrupt(vector - VECTOR_IRQ);
	} else if (vector == VECTOR_PAGE_FAULT) {
		page_fault(frame);
	} else if (vector == VECTOR_NO_FPU) {
		fpu_trap();
	} else if (vector == VECTOR_NMI || vector == VECTOR_DOUBLE_FAULT || vector == VECTOR_MACHINE_CHECK) {
		panic("the machine works and user mode cannot break it; vector", vector);
	} else {
		fault_exception(fault_code(vector), frame->rip, 0, vector << 32 | (uint32_t)frame->error);
	}
	schedule_leave();
}

void trap_from_kernel(uint64_t vector, uint64_t instruction)
{
	if (vector < VECTOR_IRQ) {
		panic("the kernel causes no exception; its instruction", instruction);
	}
	take_interrupt(vector - VECTOR_IRQ);
	schedule_leave();
}
