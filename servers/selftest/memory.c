/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * memory.c: what a program with memory of its own may do with it.
 */
#include "claim.h"
#include "tests.h"
#include "worker.h"

#define PORT SLOT_TEST
#define FRAME FIRST_TEST_FRAME
#define TABLE_FRAME (FIRST_TEST_FRAME + 1)
#define OTHER_FRAME (FIRST_TEST_FRAME + 2)
#define READ_WRITE (RIGHT_READ | RIGHT_WRITE)

/* In the program's own first gibibyte, so one page table is missing and no more. */
#define PAGE 0x10000000ul
#define SECOND_PAGE (PAGE + ABI_PAGE_SIZE)

static error_t map(uint64_t address, uint64_t frame, uint64_t rights)
{
	return memory_map(SLOT_SPACE, address, SLOT_MEMORY, frame, 1, rights);
}

static void test_refusals(void)
{
	claim_equal(map(PAGE, FRAME, READ_WRITE), ERROR_TABLE, "the kernel makes no page table of its own memory");
	claim_equal(memory_map_table(SLOT_SPACE, PAGE, SLOT_MEMORY, TABLE_FRAME), ERROR_OK,
	            "a program supplies its page tables");
	claim_equal(map(PAGE, TABLE_FRAME, RIGHT_READ), ERROR_BUSY, "a page table is mapped for nobody");
	claim_equal(object_create(OBJECT_PORT, SLOT_MEMORY, TABLE_FRAME, PORT, 0), ERROR_BUSY,
	            "a page table becomes no object");
	claim_equal(map(PAGE, FRAME, READ_WRITE | RIGHT_EXECUTE), ERROR_RIGHTS, "no page is writable and executable");
	claim_equal(map(0, FRAME, READ_WRITE), ERROR_ARGUMENT, "no page is mapped at address 0");
	claim_equal(map(PAGE + 8, FRAME, READ_WRITE), ERROR_ARGUMENT, "pages lie at multiples of their size");
	claim_equal(map(0xffff800000000000, FRAME, READ_WRITE), ERROR_ARGUMENT, "nothing is mapped in the kernel's half");
	claim_equal(map(0x00007ffffffff000, FRAME, READ_WRITE), ERROR_ARGUMENT,
	            "nothing is mapped in the last page below the kernel's half");
	claim_equal(map(PAGE, ~0ul, READ_WRITE), ERROR_ARGUMENT, "a frame lies in its range");
}

static void test_mapping(void)
{
	volatile uint64_t *first = (volatile uint64_t *)PAGE, *second = (volatile uint64_t *)SECOND_PAGE;
	claim_equal(map(PAGE, FRAME, READ_WRITE), ERROR_OK, "a program maps its own frame");
	claim_equal(map(PAGE, OTHER_FRAME, READ_WRITE), ERROR_MAPPED, "an address is mapped once");
	claim_equal(map(SECOND_PAGE, FRAME, RIGHT_READ), ERROR_OK, "a frame is mapped twice");
	*first = 0x600d;
	claim_equal(*second, 0x600d, "a frame mapped twice is one frame");
	claim_equal(object_create(OBJECT_PORT, SLOT_MEMORY, FRAME, PORT, 0), ERROR_BUSY,
	            "a frame that is mapped becomes no object");

	memory_unmap(SLOT_SPACE, PAGE, 1);
	claim_equal(map(PAGE, OTHER_FRAME, READ_WRITE), ERROR_OK, "an address that was unmapped is free");
	*first = 0xbad;
	claim_equal(*second, 0x600d, "an address that was mapped again leads to its new frame");
	memory_unmap(SLOT_SPACE, PAGE, 2);
	claim_equal(object_create(OBJECT_PORT, SLOT_MEMORY, FRAME, PORT, 0), ERROR_OK,
	            "an unmapped frame becomes an object");
	claim_equal(map(PAGE, FRAME, RIGHT_READ), ERROR_BUSY, "an object is mapped for nobody");
	object_destroy(PORT);

	claim_equal(map(PAGE, FRAME, RIGHT_READ), ERROR_OK, "an object's frame comes back");
	uint64_t all = 0;
	for (uint64_t i = 0; i < ABI_PAGE_SIZE / sizeof(*first); i++) {
		all |= first[i];
	}
	claim_equal(all, 0, "an object's frame comes back with nothing of the kernel's in it");
	memory_unmap(SLOT_SPACE, PAGE, 1);
}

static void read_word(uint64_t address)
{
	worker_done(*(volatile uint64_t *)address);
}

static void test_own_pager(void)
{
	worker_start(0, read_word, PAGE, WORKER_PRIORITY, SLOT_KEEPER);
	struct message message = worker_event();
	claim_equal(message_kind(&message), KIND_PAGE_FAULT, "a page fault is a message to the pager");
	claim_equal(message.badge, WORKER_BADGE, "a page fault has the badge of the pager's handle");
	claim_equal(message.word[0], PAGE, "a page fault says the address");
	claim_equal(message.word[2], 0, "a page fault says the kind of access");
	map(PAGE, FRAME, READ_WRITE);
	*(volatile uint64_t *)PAGE = 0x5eed;
	message = (struct message){ .tag = FAULT_REPLY_RESUME };
	ipc_reply_wait(SLOT_EVENTS, &message);
	claim_equal(message.word[0], 0x5eed, "after the pager's reply the instruction finds the page");
	worker_end(0);
	memory_unmap(SLOT_SPACE, PAGE, 1);

	worker_start(0, read_word, PAGE, WORKER_PRIORITY, SLOT_KEEPER);
	message = worker_event();
	message = (struct message){ .tag = FAULT_REPLY_REFUSE };
	ipc_reply_wait(SLOT_EVENTS, &message);
	claim_equal(message_kind(&message), KIND_EXCEPTION, "a fault that the pager refuses goes to the keeper");
	claim_equal(message.word[0], FAULT_PAGE, "a refused page fault is told as a page fault");
	claim_equal(message.word[2], PAGE, "a refused page fault is told with its address");
	worker_end(0);
}

void test_memory(void)
{
	test_refusals();
	test_mapping();
	test_own_pager();
}
