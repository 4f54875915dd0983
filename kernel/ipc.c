/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ipc.c: the whole of IPC, for every case.
 */
#include "ipc.h"

#include "fault.h"
#include "handle.h"
#include "interrupt.h"
#include "marks.h"
#include "schedule.h"
#include "space.h"

static struct message user_message(uint64_t tag, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3)
{
	return (struct message){ .tag = tag & TAG_LABEL_MASK, .word = { w0, w1, w2, w3 } };
}

void ipc_give(struct thread *receiver, uint64_t badge, const struct message *message)
{
	RINGSCOPE_EVENT(RINGSCOPE_EVENT_IPC);
	arch_set_message(&receiver->arch, badge, message->tag, message->word);
}

void ipc_fail(struct thread *thread, error_t error)
{
	if (thread->fault != 0) {
		fault_answer(thread, FAULT_REPLY_REFUSE);
		return;
	}
	thread_set_result(thread, error);
	schedule_wake(thread);
}

/* The receiver takes the sender's message, and owes a reply if one is wanted. */
static void take(struct thread *receiver, struct thread *sender, bool wants_reply)
{
	ipc_give(receiver, sender->badge, &sender->message);
	if (!wants_reply) {
		thread_set_result(sender, ERROR_OK);
		return;
	}
	if (receiver->caller != NULL) {
		ipc_fail(receiver->caller, ERROR_ABANDONED);
	}
	receiver->caller = sender;
	sender->peer = receiver;
	sender->state = THREAD_AWAITING_REPLY;
}

void ipc_submit(struct thread *thread, struct port *port, uint64_t badge, bool wants_reply)
{
	thread->badge = badge;
	struct thread *receiver = port->receiver;
	if (receiver == NULL) {
		thread->port = port;
		thread->state = wants_reply ? THREAD_CALLING : THREAD_SENDING;
		queue_add_last(&port->senders, &thread->link);
		return;
	}
	port->receiver = NULL;
	take(receiver, thread, wants_reply);
	schedule_wake_first(receiver);
}

static void submit_current(uint64_t slot, struct message message, bool wants_reply)
{
	struct handle *handle;
	error_t error = handle_find(slot, OBJECT_PORT, RIGHT_SEND, &handle);
	if (error != ERROR_OK) {
		thread_set_result(current, error);
		return;
	}
	current->message = message;
	ipc_submit(current, handle->port, handle->badge, wants_reply);
}

void ipc_call(uint64_t port, uint64_t tag, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3)
{
	submit_current(port, user_message(tag, w0, w1, w2, w3), true);
	schedule_leave();
}

void ipc_send(uint64_t port, uint64_t tag, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3)
{
	submit_current(port, user_message(tag, w0, w1, w2, w3), false);
	schedule_leave();
}

/* Answer the caller that the current thread owes a reply, if there is one. */
static void reply(const struct message *message)
{
	struct thread *caller = current->caller;
	if (caller == NULL) {
		return;
	}
	current->caller = NULL;
	if (caller->fault != 0) {
		RINGSCOPE_EVENT(RINGSCOPE_EVENT_IPC);
		fault_answer(caller, message->tag);
		return;
	}
	ipc_give(caller, 0, message);
	schedule_wake_first(caller);
}

static void receive(struct port *port)
{
	if (port->receiver != NULL) {
		thread_set_result(current, ERROR_BUSY);
	} else if (port->interrupts != 0) {
		interrupt_receive(port, current);
	} else if (!queue_is_empty(&port->senders)) {
		struct thread *sender = container_of(port->senders.first, struct thread, link);
		queue_remove(&port->senders, &sender->link);
		bool wants_reply = sender->state == THREAD_CALLING;
		take(current, sender, wants_reply);
		if (!wants_reply) {
			schedule_wake(sender);
		}
	} else {
		port->receiver = current;
		current->port = port;
		current->state = THREAD_RECEIVING;
	}
}

void ipc_receive(uint64_t port)
{
	struct handle *handle;
	error_t error = handle_find(port, OBJECT_PORT, RIGHT_RECEIVE, &handle);
	if (error != ERROR_OK) {
		thread_set_result(current, error);
	} else {
		receive(handle->port);
	}
	schedule_leave();
}

void ipc_reply_wait(uint64_t port, uint64_t tag, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3)
{
	struct handle *handle = NULL;
	error_t error = port == 0 ? ERROR_OK : handle_find(port, OBJECT_PORT, RIGHT_RECEIVE, &handle);
	thread_set_result(current, error);
	if (error == ERROR_OK) {
		struct message message = user_message(tag, w0, w1, w2, w3);
		reply(&message);
		if (handle != NULL) {
			receive(handle->port);
		}
	}
	schedule_leave();
}
