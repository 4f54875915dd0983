/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * protection.c: what user mode cannot do. Each attempt is a thread's last act, and a message to its keeper.
 */
#include "attempts.h"
#include "claim.h"
#include "tests.h"
#include "worker.h"

static void claim_fault(const struct attempt *attempt)
{
	struct message message = worker_run(attempt->run, attempt->argument, 0);
	uint64_t without = attempt->fault >> 8;
	uint64_t expected = without != 0 && message.word[0] == without ? without : attempt->fault & 0xff;
	claim_equal(message_kind(&message) << 32 | message.word[0], (uint64_t)KIND_EXCEPTION << 32 | expected,
	            attempt->claim);
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
	for (unsigned i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		claim_fault(&attempts[i]);
	}

	claim_equal(foreign_after_call(), 0, "a call leaves nothing of the kernel's in the registers that it loses");
	claim_page_fault(attempt_read, KERNEL_MEMORY, ACCESS_PRESENT, "the map of all memory cannot be read");
	claim_page_fault(attempt_read, KERNEL_CODE, ACCESS_PRESENT, "the kernel's code cannot be read");
	claim_page_fault(attempt_write, KERNEL_CODE, ACCESS_PRESENT | ACCESS_WRITE,
	                 "the kernel's code cannot be written");
	claim_page_fault(attempt_jump, KERNEL_CODE, ACCESS_PRESENT | ACCESS_EXECUTE,
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
