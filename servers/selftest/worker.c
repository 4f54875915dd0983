/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * worker.c: making and ending the test's threads.
 */
#include "worker.h"

#define STACK 4096
#define SLOT_WORKER (ABI_HANDLES - WORKERS) /* their threads */
#define EVENTS_FRAME WORKERS

static uint8_t stacks[WORKERS][STACK] __attribute__((aligned(16)));

void worker_prepare(void)
{
	object_create(OBJECT_PORT, SLOT_MEMORY, EVENTS_FRAME, SLOT_EVENTS, 0);
	handle_grant(SLOT_SPACE, SLOT_KEEPER, SLOT_EVENTS, RIGHT_SEND, WORKER_BADGE);
}

void worker_start(unsigned number, worker_main *main, uint64_t argument, uint64_t priority, handle_t pager)
{
	handle_t thread = SLOT_WORKER + number;
	object_create(OBJECT_THREAD, SLOT_MEMORY, number, thread, SLOT_SPACE);
	thread_configure(thread, priority, pager, SLOT_KEEPER);
	/* As if called. */
	thread_start(thread, (uint64_t)main, (uint64_t)(stacks[number] + STACK - STUB_STACK_GAP), argument);
}

void worker_end(unsigned number)
{
	object_destroy(SLOT_WORKER + number);
}

void worker_done(uint64_t result)
{
	struct message message = { .tag = WORKER_DONE, .word = { result } };
	ipc_call(SLOT_KEEPER, &message);
	__builtin_trap();
}

void worker_tell(uint64_t argument)
{
	worker_done(argument);
}

struct message worker_event(void)
{
	struct message message = { 0 };
	ipc_receive(SLOT_EVENTS, &message);
	return message;
}

struct message worker_run(worker_main *main, uint64_t argument, handle_t pager)
{
	worker_start(0, main, argument, WORKER_PRIORITY, pager);
	struct message message = worker_event();
	worker_end(0);
	return message;
}
