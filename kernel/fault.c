/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * fault.c: faults as IPC.
 */
#include "fault.h"

#include "ipc.h"
#include "panic.h"
#include "schedule.h"

static struct thread *root_thread;

void fault_protect(struct thread *root)
{
	root_thread = root;
}

static bool is_there(const struct fault_port *fault_port)
{
	return fault_port->port != NULL && fault_port->port->object.alive;
}

/* An exception, or a page fault that nobody resolves: the keeper hears of both in the same words. */
static void tell_keeper(struct thread *thread, struct message exception)
{
	if (!is_there(&thread->keeper)) {
		if (thread == root_thread) {
			panic("the root server causes no fault; its instruction", exception.word[1]);
		}
		thread_stop(thread);
		return;
	}
	thread->fault = KIND_EXCEPTION;
	thread->message = exception;
	ipc_submit(thread, thread->keeper.port, thread->keeper.badge, true);
}

static struct message exception_message(uint64_t code, uint64_t instruction, uint64_t address, uint64_t detail)
{
	return (struct message){
		.tag = (uint64_t)KIND_EXCEPTION << TAG_KIND_SHIFT,
		.word = { code, instruction, address, detail },
	};
}

void fault_page(vaddr_t address, uint64_t instruction, uint64_t access)
{
	if (!is_there(&current->pager)) {
		tell_keeper(current, exception_message(FAULT_PAGE, instruction, address.value, access));
		return;
	}
	current->fault = KIND_PAGE_FAULT;
	current->message = (struct message){
		.tag = (uint64_t)KIND_PAGE_FAULT << TAG_KIND_SHIFT,
		.word = { address.value, instruction, access, 0 },
	};
	ipc_submit(current, current->pager.port, current->pager.badge, true);
}

void fault_exception(uint64_t code, uint64_t instruction, uint64_t address, uint64_t detail)
{
	tell_keeper(current, exception_message(code, instruction, address, detail));
}

void fault_answer(struct thread *thread, uint64_t reply)
{
	uint8_t kind = thread->fault;
	thread->fault = 0;
	if (reply == FAULT_REPLY_RESUME) {
		schedule_wake_first(thread);
	} else if (kind == KIND_PAGE_FAULT) {
		const uint64_t *word = thread->message.word;
		tell_keeper(thread, exception_message(FAULT_PAGE, word[1], word[0], word[2]));
	} else {
		thread_stop(thread);
	}
}
