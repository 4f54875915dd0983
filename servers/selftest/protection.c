/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * protection.c: what user mode cannot do. Each attempt is a thread's last act, and a message to its keeper.
 */
#include "attempts.h"
#include "claim.h"
#include "tests.h"
#include "worker.h"

static void claim_fault(worker_main *attempt, uint64_t argument, uint64_t code, const char *name)
{
	struct message message = worker_run(attempt, argument, 0);
	claim_equal(message_kind(&message) << 32 | message.word[0], (uint64_t)KIND_EXCEPTION << 32 | code, name);
}

static void claim_page_fault(worker_main *attempt, uint64_t address, uint64_t access, const char *name)
{
	struct message message = worker_run(attempt, address, 0);
	bool found = message_kind(&message) == KIND_EXCEPTION && message.word[0] == FAULT_PAGE;
	claim(found && message.word[2] == address && message.word[3] == access, name);
}

static uint64_t data_word;
static const uint64_t constant = 1;

void test_protection(void)
{
	claim_fault(attempt_port, 0x3f8, FAULT_PROTECTION, "the console's ports are the console's");
	claim_fault(attempt_port, 0xf4, FAULT_PROTECTION, "the machine's exit port is the root's");
	claim_fault(attempt_port, 0x21, FAULT_PROTECTION, "the interrupt controller is the kernel's");
	claim_fault(attempt_interrupts_off, 0, FAULT_PROTECTION, "nobody turns interrupts off");
	claim_fault(attempt_halt, 0, FAULT_PROTECTION, "nobody halts the processor");
	claim_fault(attempt_control_register, 0, FAULT_PROTECTION, "nobody reads a control register");
	claim_fault(attempt_model_register, 0, FAULT_PROTECTION, "nobody reads a model-specific register");
	claim_fault(attempt_kernel_segment, 0, FAULT_PROTECTION, "nobody loads the kernel's segments");
	claim_fault(attempt_interrupt, 0, FAULT_PROTECTION, "nobody raises an interrupt by an instruction");
	claim_fault(attempt_read, 0x0000800000000000, FAULT_PROTECTION, "an address that is none is a protection fault");
	claim_fault(attempt_illegal, 0, FAULT_ILLEGAL, "an illegal instruction is a fault of its thread");
	claim_fault(attempt_division, 0, FAULT_ARITHMETIC, "a division by zero is a fault of its thread");
	claim_fault(attempt_breakpoint, 0, FAULT_BREAKPOINT, "a breakpoint is a fault of its thread");

	claim_page_fault(attempt_read, 0xffff800000100000, ACCESS_PRESENT, "the map of all memory cannot be read");
	claim_page_fault(attempt_read, 0xffffffff80101000, ACCESS_PRESENT, "the kernel's code cannot be read");
	claim_page_fault(attempt_write, 0xffffffff80101000, ACCESS_PRESENT | ACCESS_WRITE,
	                 "the kernel's code cannot be written");
	claim_page_fault(attempt_jump, 0xffffffff80101000, ACCESS_PRESENT | ACCESS_EXECUTE,
	                 "the kernel's code cannot be executed");
	claim_page_fault(attempt_write, (uint64_t)&test_protection & ~7ul, ACCESS_PRESENT | ACCESS_WRITE,
	                 "a program's code cannot be written");
	claim_page_fault(attempt_write, (uint64_t)&constant, ACCESS_PRESENT | ACCESS_WRITE,
	                 "a program's constants cannot be written");
	claim_page_fault(attempt_jump, (uint64_t)&data_word, ACCESS_PRESENT | ACCESS_EXECUTE,
	                 "a program's data cannot be executed");
	claim_page_fault(attempt_jump, (uint64_t)&constant, ACCESS_PRESENT | ACCESS_EXECUTE,
	                 "a program's constants cannot be executed");
	claim_page_fault(attempt_read, 0, 0, "there is nothing at address 0");
}
