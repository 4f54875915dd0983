/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * main.c: the system's promises, one line each, from inside.
 */
#include "claim.h"
#include "print.h"
#include "tests.h"
#include "worker.h"

uint64_t frames_in_use(void)
{
	uint64_t mapped = 0, kernel = 0;
	memory_usage(SLOT_MEMORY, &mapped, &kernel);
	return mapped + kernel;
}

uint64_t program_main(const void *argument)
{
	const struct startup *startup = argument;
	print_to(program_service(startup, "console"));
	worker_prepare();
	uint64_t before = frames_in_use();
	test_messages();
	test_handles();
	test_paging(startup);
	test_protection();
	test_scheduling();
	test_floating_point();
	claim_equal(frames_in_use(), before, "every frame that these tests took was given back");
	test_memory();
	claim_equal(frames_in_use(), before + 1, "every frame of the memory tests was given back, but for one page table");
	return claim_count() != 0;
}
