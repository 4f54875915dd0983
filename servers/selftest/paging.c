/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * paging.c: what the system's pager promises.
 */
#include "claim.h"
#include "protocols/pager.h"
#include "tests.h"
#include "worker.h"

static struct message ask(uint64_t label, uint64_t word0)
{
	struct message message = { .tag = label, .word = { word0 } };
	ipc_call(SLOT_PAGER, &message);
	return message;
}

static void touch(uint64_t address)
{
	worker_done(*(volatile uint8_t *)address);
}

static uint64_t sum_of_page(uint64_t address)
{
	uint64_t all = 0;
	for (uint64_t i = 0; i < ABI_PAGE_SIZE; i += 8) {
		all |= *(volatile uint64_t *)(address + i);
	}
	return all;
}

void test_paging(const struct startup *startup)
{
	(void)startup;
	struct message status = ask(PAGER_STATUS, 0);
	uint64_t quota = status.word[2];
	claim_equal(status.word[0], 0, "a program has no page that it did not touch");

	claim_equal(ask(PAGER_RESERVE, quota + 1).tag, PAGER_REFUSED,
	            "the pager refuses more than the quota");
	claim_equal(ask(PAGER_RESERVE, ~0ul).tag, PAGER_REFUSED, "the pager refuses the largest number");
	struct message reserved = ask(PAGER_RESERVE, quota - 1);
	claim_equal(reserved.tag, PAGER_OK, "the pager reserves less than the quota");
	claim_equal(ask(PAGER_RESERVE, 2).tag, PAGER_REFUSED, "the pager counts what was reserved before");

	uint64_t heap = reserved.word[0];
	claim_equal(sum_of_page(heap), 0, "memory that is touched first is clear");
	*(volatile uint64_t *)heap = 7;
	claim_equal(sum_of_page(heap), 7, "memory keeps what is written");
	claim_equal(ask(PAGER_STATUS, 0).word[0], 1, "a page is supplied when it is touched, and no other");

	struct message message = worker_run(touch, heap + (quota - 1) * ABI_PAGE_SIZE, SLOT_PAGER);
	claim_equal(message_kind(&message), KIND_EXCEPTION, "a touch beyond what is reserved goes to the keeper");
	claim_equal(message.word[2], heap + (quota - 1) * ABI_PAGE_SIZE,
	            "the keeper of a thread beyond its quota learns the address");
	message = worker_run(touch, heap + ABI_PAGE_SIZE, SLOT_PAGER);
	claim_equal(message_kind(&message), KIND_MESSAGE, "the pager serves every thread of a program");
	claim_equal(ask(PAGER_ADD, 1).tag, PAGER_REFUSED, "only the root changes quotas");
}
