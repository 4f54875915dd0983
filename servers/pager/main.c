/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * main.c: the pager. It owns all memory that the root does not keep, and gives it page by page to programs that touch
 * what they have reserved, each within its quota.
 *
 * It calls nobody, so nobody can keep it waiting; a fault that it will not resolve it refuses, and the kernel takes it
 * to the program's keeper.
 */
#include "program.h"
#include "protocols/pager.h"
#include "supply.h"

static struct program {
	uint64_t quota, reserved, supplied;
} programs[PAGER_PROGRAMS];

static struct message reply(uint64_t label, uint64_t word0, uint64_t word1, uint64_t word2)
{
	return (struct message){ .tag = label, .word = { word0, word1, word2 } };
}

static struct message add(uint64_t number, uint64_t quota)
{
	if (number == 0 || number >= PAGER_PROGRAMS) {
		return reply(PAGER_REFUSED, 0, 0, 0);
	}
	programs[number] = (struct program){ .quota = quota };
	return reply(PAGER_OK, 0, 0, 0);
}

static struct message remove(uint64_t number)
{
	if (number == 0 || number >= PAGER_PROGRAMS) {
		return reply(PAGER_REFUSED, 0, 0, 0);
	}
	uint64_t supplied = programs[number].supplied;
	uint64_t all = supply_take_back(number);
	handle_close(SLOT_SPACE, PAGER_SLOT_SPACE + number);
	programs[number] = (struct program){ 0 };
	return reply(PAGER_OK, supplied, all - supplied, 0);
}

static struct message reserve(struct program *program, uint64_t pages)
{
	if (pages > program->quota - program->reserved) {
		return reply(PAGER_REFUSED, 0, 0, 0);
	}
	uint64_t address = PAGER_HEAP + program->reserved * ABI_PAGE_SIZE;
	program->reserved += pages;
	return reply(PAGER_OK, address, 0, 0);
}

static struct message answer_fault(uint64_t number, uint64_t address, uint64_t access)
{
	struct program *program = &programs[number];
	uint64_t page = (address - PAGER_HEAP) / ABI_PAGE_SIZE;
	if ((access & (ACCESS_PRESENT | ACCESS_EXECUTE)) != 0) {
		return reply(FAULT_REPLY_REFUSE, 0, 0, 0);
	}
	if (address < PAGER_HEAP || page >= program->reserved) {
		return reply(FAULT_REPLY_REFUSE, 0, 0, 0);
	}
	if (!supply_page(number, PAGER_HEAP + page * ABI_PAGE_SIZE)) {
		return reply(FAULT_REPLY_REFUSE, 0, 0, 0);
	}
	program->supplied++;
	return reply(FAULT_REPLY_RESUME, 0, 0, 0);
}

static struct message serve(const struct message *message)
{
	uint64_t number = message->badge;
	const uint64_t *word = message->word;
	if (number >= PAGER_PROGRAMS) {
		return reply(PAGER_REFUSED, 0, 0, 0);
	}
	if (message_kind(message) == KIND_PAGE_FAULT) {
		return answer_fault(number, word[0], word[2]);
	}
	if (number == PAGER_ROOT) {
		switch (message_label(message)) {
		case PAGER_ADD:
			return add(word[0], word[1]);
		case PAGER_REMOVE:
			return remove(word[0]);
		default:
			return reply(PAGER_REFUSED, 0, 0, 0);
		}
	}
	struct program *program = &programs[number];
	switch (message_label(message)) {
	case PAGER_RESERVE:
		return reserve(program, word[0]);
	case PAGER_STATUS:
		return reply(PAGER_OK, program->supplied, program->reserved, program->quota);
	default:
		return reply(PAGER_REFUSED, 0, 0, 0);
	}
}

uint64_t program_main(const void *argument)
{
	const struct startup *startup = argument;
	struct message message;
	supply_start(startup->memory_frames);
	error_t error = ipc_receive(SLOT_PORT, &message);
	while (error == ERROR_OK) {
		message = serve(&message);
		error = ipc_reply_wait(SLOT_PORT, &message);
	}
	return error;
}
