/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * main.c: the client: uses memory that it must ask for, and measures what a call costs.
 *
 * Each operation stands alone between its marks; a machine that knows the marks keeps the ledger.
 */
#include <stdbool.h>

#include "print.h"
#include "program.h"
#include "protocols/echo.h"
#include "protocols/pager.h"
#include "ringscope.h"

#define ROUNDS 1000ul
#define WARM_UP 50ul

/* Ask the pager for more pages; 0 when it refuses. */
static uint64_t reserve(uint64_t pages)
{
	struct message message = { .tag = PAGER_RESERVE, .word = { pages } };
	error_t error = ipc_call(SLOT_PAGER, &message);
	return error == ERROR_OK && message_label(&message) == PAGER_OK ? message.word[0] : 0;
}

static uint64_t quota(void)
{
	struct message message = { .tag = PAGER_STATUS };
	return ipc_call(SLOT_PAGER, &message) == ERROR_OK ? message.word[2] : 0;
}

static uint64_t touch(const volatile uint64_t *word)
{
	RINGSCOPE_BEGIN(MARK_PAGE_FAULT, "page-fault");
	uint64_t found = *word;
	RINGSCOPE_END(MARK_PAGE_FAULT, "page-fault");
	return found;
}

/* Touch every reserved page: the pager supplies each, cleared, at the first touch. */
static uint64_t use_memory(void)
{
	uint64_t pages = quota();
	print("client: my quota is %lu pages; ", pages);
	if (reserve(pages + 1) != 0) {
		print("the pager reserved one more. That is wrong.\n");
		return 1;
	}
	print("the pager refuses one more");
	uint64_t address = reserve(pages);
	/* The first page is touched outside the marks: it needs page tables too. */
	for (uint64_t i = 0; i < pages; i++) {
		volatile uint64_t *word = (volatile uint64_t *)(address + i * ABI_PAGE_SIZE);
		uint64_t found = i == 0 ? *word : touch(word);
		*word = i + 1;
		if (found != 0) {
			print(", but page %lu was not clear.\n", i);
			return 1;
		}
	}
	print(" and supplies these, all clear\n");
	return 0;
}

static inline __attribute__((always_inline)) bool ping(handle_t echo, uint64_t round)
{
	struct message message = { .tag = ECHO_PING, .word = { round, ~round, 3, 4 } };
	error_t error = ipc_call(echo, &message);
	return error == ERROR_OK && message.word[0] == round && message.word[1] == ~round;
}

static uint64_t ping_pong(handle_t echo)
{
	uint64_t good = 0;
	for (uint64_t round = 0; round < WARM_UP; round++) {
		ping(echo, round);
	}
	for (uint64_t round = 0; round < ROUNDS; round++) {
		RINGSCOPE_BEGIN(MARK_PING_PONG, "ping-pong");
		bool ok = ping(echo, round);
		RINGSCOPE_END(MARK_PING_PONG, "ping-pong");
		good += ok;
	}
	print("client: %lu of %lu calls to echo came back with their words\n", good, ROUNDS);
	return ROUNDS - good;
}

static uint64_t null_calls(void)
{
	uint64_t good = 0;
	for (uint64_t round = 0; round < WARM_UP; round++) {
		null_call();
	}
	for (uint64_t round = 0; round < ROUNDS; round++) {
		RINGSCOPE_BEGIN(MARK_NULL_CALL, "null-call");
		error_t error = null_call();
		RINGSCOPE_END(MARK_NULL_CALL, "null-call");
		good += error == ERROR_OK;
	}
	print("client: %lu of %lu null calls returned\n", good, ROUNDS);
	return ROUNDS - good;
}

uint64_t program_main(const void *argument)
{
	const struct startup *startup = argument;
	print_to(program_service(startup, "console"));
	uint64_t failures = use_memory();
	failures += ping_pong(program_service(startup, "echo"));
	failures += null_calls();
	return failures != 0;
}
