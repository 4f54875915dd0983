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

void trap_from_user(struct arch_frame *frame);
void trap_from_kernel(uint64_t entry, uint64_t instruction);

static void take_interrupt(void)
{
	uint64_t number = interrupts_take();
	if (number >= INTERRUPT_NONE) {
		return;
	}
	if (number == INTERRUPT_TIMER) {
		timer_next();
		interrupts_end(number);
		schedule_tick();
	} else if (number >= INTERRUPT_LINES && number - INTERRUPT_LINES < ABI_INTERRUPTS) {
		interrupt_raise(number - INTERRUPT_LINES);
		interrupts_end(number);
	} else {
		panic("only the timer and open lines interrupt; number", number);
	}
}

/* Neither half of the address space has the address; there is nothing that a pager could do. */
static bool is_nowhere(uint64_t address)
{
	return address >= USER_HALF_END && address < DIRECT_BASE;
}

/* The processor could not read or write at an address, or fetch from it. */
static void data_fault(const struct arch_frame *frame, uint64_t syndrome, uint64_t access)
{
	uint64_t address = cpu_read_far_el1(), kind = syndrome & STATUS_KIND;
	if ((syndrome & ESR_STATUS) == STATUS_ALIGNMENT) {
		fault_exception(FAULT_ALIGNMENT, frame->pc, address, syndrome);
	} else if (kind != STATUS_TRANSLATION && kind != STATUS_PERMISSION && kind != STATUS_ADDRESS_SIZE) {
		fault_exception(FAULT_OTHER, frame->pc, address, syndrome);
	} else if (is_nowhere(address)) {
		fault_exception(FAULT_PROTECTION, frame->pc, address, syndrome);
	} else {
		fault_page(vaddr(address), frame->pc, access | (kind == STATUS_PERMISSION ? ACCESS_PRESENT : 0));
	}
}

static uint64_t fault_code(uint64_t class)
{
	switch (class) {
	case CLASS_UNKNOWN:
	case CLASS_STATE:
		return FAULT_ILLEGAL;
	case CLASS_WAIT:
	case CLASS_REGISTER:
		return FAULT_PROTECTION;
	case CLASS_PC_ALIGNMENT:
	case CLASS_SP_ALIGNMENT:
		return FAULT_ALIGNMENT;
	case CLASS_FLOATING_POINT:
		return FAULT_ARITHMETIC;
	case CLASS_STEP:
	case CLASS_WATCHPOINT:
	case CLASS_BRK:
		return FAULT_BREAKPOINT;
	default:
		return FAULT_OTHER;
	}
}

static void take_exception(const struct arch_frame *frame)
{
	uint64_t syndrome = cpu_read_esr_el1(), class = syndrome >> ESR_CLASS_SHIFT;
	if (class == CLASS_FETCH) {
		data_fault(frame, syndrome, ACCESS_EXECUTE);
	} else if (class == CLASS_DATA) {
		data_fault(frame, syndrome, (syndrome & ESR_WRITE) != 0 ? ACCESS_WRITE : 0);
	} else if (class == CLASS_NO_FPU) {
		fpu_trap();
	} else {
		fault_exception(fault_code(class), frame->pc, 0, syndrome);
	}
}

void trap_from_user(struct arch_frame *frame)
{
	if (frame->entry == ENTRY_INTERRUPT) {
		take_interrupt();
	} else if (frame->entry == ENTRY_EXCEPTION) {
		take_exception(frame);
	} else {
		panic("the machine works and user mode cannot break it; syndrome", cpu_read_esr_el1());
	}
	schedule_leave();
}

void trap_from_kernel(uint64_t entry, uint64_t instruction)
{
	if (entry != ENTRY_INTERRUPT) {
		panic("the kernel causes no exception; its instruction", instruction);
	}
	take_interrupt();
	schedule_leave();
}
