/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * fastpath.c: call and reply-and-wait when the partner already waits.
 *
 * The message stays in the registers from the one system call to the other. No queue is touched, no table is walked,
 * the address space is switched once. Each precondition is a check of its own that leaves for the complete path in
 * ipc.c, with nothing changed; below the line nothing can fail.
 *
 * Caveats. The partner runs on with what is left of the caller's turn. A thread whose floating-point registers are in
 * the processor leaves them there: arch_switch() only makes their next use trap, and who uses them then pays for the
 * exchange (arch/ARCH/fpu.c).
 */
#include "handle.h"
#include "ipc.h"
#include "marks.h"
#include "schedule.h"
#include "space.h"

/* Close to the entry path. */
#define fast __attribute__((section(".text.fast")))

/* The processor goes from the current thread to one that waits in a system call. */
static inline __attribute__((always_inline)) void switch_to(struct thread *next)
{
	RINGSCOPE_EVENT(RINGSCOPE_EVENT_IPC);
	RINGSCOPE_EVENT(RINGSCOPE_EVENT_CONTEXT_SWITCH);
	next->state = THREAD_RUNNING;
	current = next;
	arch_switch(&next->arch, &next->space->arch);
}

fast void fastpath_call(uint64_t slot, uint64_t tag, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3)
{
	struct thread *caller = current;

	if (unlikely(slot >= ABI_HANDLES)) {
		return ipc_call(slot, tag, w0, w1, w2, w3);
	}
	const struct handle *handle = &caller->space->handles[slot];
	if (unlikely(handle->type != OBJECT_PORT)) {
		return ipc_call(slot, tag, w0, w1, w2, w3);
	}
	if (unlikely((handle->rights & RIGHT_SEND) == 0)) {
		return ipc_call(slot, tag, w0, w1, w2, w3);
	}
	/* A server waits. (A port that has ended has no receiver.) */
	struct thread *server = handle->port->receiver;
	if (unlikely(server == NULL)) {
		return ipc_call(slot, tag, w0, w1, w2, w3);
	}
	/* It owes nobody else a reply. */
	if (unlikely(server->caller != NULL)) {
		return ipc_call(slot, tag, w0, w1, w2, w3);
	}
	/* It is what the scheduler would choose when the caller waits. */
	if (unlikely(schedule_outranks(server->priority))) {
		return ipc_call(slot, tag, w0, w1, w2, w3);
	}

	/* ------------------------------ nothing below can fail ------------------------------ */

	handle->port->receiver = NULL;
	server->caller = caller;
	caller->peer = server;
	caller->state = THREAD_AWAITING_REPLY;
	switch_to(server);
	return arch_resume_message(handle->badge, tag & TAG_LABEL_MASK, w0, w1, w2, w3);
}

fast void fastpath_reply_wait(uint64_t slot, uint64_t tag, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3)
{
	struct thread *server = current;

	if (unlikely(slot >= ABI_HANDLES)) {
		return ipc_reply_wait(slot, tag, w0, w1, w2, w3);
	}
	const struct handle *handle = &server->space->handles[slot];
	if (unlikely(handle->type != OBJECT_PORT)) {
		return ipc_reply_wait(slot, tag, w0, w1, w2, w3);
	}
	if (unlikely((handle->rights & RIGHT_RECEIVE) == 0)) {
		return ipc_reply_wait(slot, tag, w0, w1, w2, w3);
	}
	struct port *port = handle->port;
	if (unlikely(!port->object.alive)) {
		return ipc_reply_wait(slot, tag, w0, w1, w2, w3);
	}
	/* Nothing is there to be received: the server will wait, alone. */
	if (unlikely(!queue_is_empty(&port->senders))) {
		return ipc_reply_wait(slot, tag, w0, w1, w2, w3);
	}
	if (unlikely(port->interrupts != 0)) {
		return ipc_reply_wait(slot, tag, w0, w1, w2, w3);
	}
	if (unlikely(port->receiver != NULL)) {
		return ipc_reply_wait(slot, tag, w0, w1, w2, w3);
	}
	/* Somebody waits for the reply, in a call and not in a fault. */
	struct thread *caller = server->caller;
	if (unlikely(caller == NULL)) {
		return ipc_reply_wait(slot, tag, w0, w1, w2, w3);
	}
	if (unlikely(caller->fault != 0)) {
		return ipc_reply_wait(slot, tag, w0, w1, w2, w3);
	}
	/* It is what the scheduler would choose when the server waits. */
	if (unlikely(schedule_outranks(caller->priority))) {
		return ipc_reply_wait(slot, tag, w0, w1, w2, w3);
	}

	/* ------------------------------ nothing below can fail ------------------------------ */

	port->receiver = server;
	server->port = port;
	server->caller = NULL;
	server->state = THREAD_RECEIVING;
	switch_to(caller);
	return arch_resume_message(0, tag & TAG_LABEL_MASK, w0, w1, w2, w3);
}
